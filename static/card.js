// The hover card of a status: on hover and on keyboard focus, stays while the pointer is on it, Esc closes it.
import { place } from "./popover.js";

const card = document.getElementById("card");
const SHOW = 150;
const HIDE = 200;
let anchor = null;
let timer = 0;

function hide() {
  clearTimeout(timer);
  anchor?.removeAttribute("aria-describedby");
  anchor = null;
  if (card.matches(":popover-open")) card.hidePopover();
}

async function show(pill) {
  const row = pill.closest("tr[data-url]");
  const answer = await fetch(`${row.dataset.url}status/`, { headers: { "HX-Request": "true" } });
  if (!answer.ok || anchor !== pill || !pill.isConnected) return;
  card.innerHTML = await answer.text();
  if (!card.matches(":popover-open")) card.showPopover();
  pill.setAttribute("aria-describedby", "card");
  place(card, pill);
}

function want(pill) {
  if (!pill || pill === anchor) {
    clearTimeout(timer);
    return;
  }
  hide();
  anchor = pill;
  timer = setTimeout(() => show(pill), SHOW);
}

function leave() {
  clearTimeout(timer);
  timer = setTimeout(hide, HIDE);
}

if (card) {
  document.addEventListener("pointerover", (event) => {
    const pill = event.target.closest?.("tr[data-url] .pill");
    if (pill) want(pill);
    else if (event.target.closest?.("#card")) clearTimeout(timer);
    else if (anchor && document.activeElement !== anchor) leave();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("tr[data-url] .pill")) want(event.target);
    else if (anchor) leave();
  });
  document.addEventListener("click", (event) => want(event.target.closest("tr[data-url] .pill")));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (anchor && !anchor.isConnected) hide();
  });
  window.addEventListener("scroll", hide, { passive: true });
}
