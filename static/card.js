// The card of a status. Opens on hover, focus, click or tap; stays open while the pointer is on it; Esc closes it.
import { place } from "./popover.js";

const card = document.getElementById("card");
const SHOW = 150;
const HIDE = 200;
let anchor = null;
let showing = 0;
let hiding = 0;

const open = () => card.matches(":popover-open");

function stay() {
  clearTimeout(hiding);
  hiding = 0;
}

function hide() {
  stay();
  clearTimeout(showing);
  showing = 0;
  anchor?.removeAttribute("aria-describedby");
  anchor = null;
  if (open()) card.hidePopover();
}

// The row stays in sight.
function beside(pill) {
  place(card, pill, { clear: pill.closest("tr") });
}

async function show(pill) {
  showing = 0;
  const row = pill.closest("tr[data-url]");
  const answer = await fetch(`${row.dataset.url}status/`, { headers: { "HX-Request": "true" } });
  if (!answer.ok || anchor !== pill || !pill.isConnected) return;
  card.innerHTML = await answer.text();
  if (anchor !== pill) return;
  if (!open()) card.showPopover();
  pill.setAttribute("aria-describedby", "card");
  beside(pill);
}

// One pill sends several events: a tap is also a hover and a focus. Repeated events must not restart the request.
function want(pill, delay = SHOW) {
  if (pill.id !== anchor?.id) hide();
  stay();
  anchor = pill;
  if (open() || (showing && delay)) return;
  clearTimeout(showing);
  showing = setTimeout(() => show(pill), delay);
}

function leave() {
  if (!open()) hide();
  else if (!hiding) hiding = setTimeout(hide, HIDE);
}

if (card) {
  document.addEventListener("pointerover", (event) => {
    const pill = event.target.closest?.("tr[data-url] .pill");
    if (pill) want(pill);
    else if (event.target.closest?.("#card")) stay();
    else if (anchor && document.activeElement !== anchor) leave();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("tr[data-url] .pill")) want(event.target);
    else if (anchor) leave();
  });
  document.addEventListener("click", (event) => {
    const pill = event.target.closest("tr[data-url] .pill");
    if (pill) want(pill, 0);
    else if (anchor && !event.target.closest("#card")) leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
  // A row that is drawn again, as under test, has the same status in a new element.
  document.addEventListener("htmx:afterSwap", () => {
    const now = anchor && document.getElementById(anchor.id);
    if (anchor && !now) hide();
    else if (open() && now && !now.hasAttribute("aria-describedby")) show((anchor = now));
  });
  // The card goes with its status, and closes when that leaves the window.
  const follow = () => {
    if (!anchor || !open()) return;
    const { top, bottom } = anchor.getBoundingClientRect();
    if (bottom < 0 || top > window.innerHeight) hide();
    else beside(anchor);
  };
  window.addEventListener("scroll", follow, { passive: true });
}
