// The menu shared by all rows. It offers the actions of its row.
import { openDialog } from "./dialog.js";
import { place, walk } from "./popover.js";
import { showToast } from "./toast.js";

const menu = document.getElementById("row-menu");
let row = null;
let button = null;

function openFor(clicked) {
  button = clicked;
  row = clicked.closest("tr");
  const may = row.dataset.can.split(" ");
  for (const item of menu.querySelectorAll("[data-action]")) {
    const { needs } = item.dataset;
    item.hidden = Boolean(needs) && !may.includes(needs);
  }
  const isLimited = "deleting" in row.dataset || "noAddress" in row.dataset;
  document.getElementById("row-menu-note").hidden = isLimited || !menu.querySelector("[data-needs][hidden]");
  menu.querySelector("[data-action=details]").href = row.dataset.url;
  menu.showPopover();
  place(menu, button, { align: "end" });
  button.setAttribute("aria-expanded", "true");
  menu.querySelector(".menu-item:not([hidden])").focus();
}

// The registries whose tests were started here: their outcomes are told by a toast.
const started = new Set();

// The row may have been replaced since the menu opened, and is replaced when the test begins.
export function test(tested, focused) {
  started.add(tested.id.slice(2));
  const now = document.getElementById(tested.id) ?? tested;
  now.querySelector(focused)?.focus();
  window.htmx.ajax("POST", `${now.dataset.url}verify/`, { source: now, target: now, swap: "outerHTML" }).then(() => {
    const lost = document.activeElement === document.body;
    if (lost) document.getElementById(now.id)?.querySelector(focused)?.focus();
  });
}

function act(action) {
  const source = button;
  menu.hidePopover();
  if (action === "test") test(row, ".more");
  else openDialog(`${row.dataset.url}${action}/`, { source });
}

document.addEventListener("registry-saved", (event) => {
  if (event.detail.tested) started.add(event.detail.uid);
});
document.addEventListener("registry-tested", (event) => {
  const { uid, text, kind, href } = event.detail;
  if (started.delete(uid) && text) showToast({ text, kind, href });
});

if (menu) {
  document.addEventListener("click", (event) => {
    const clicked = event.target.closest("tr .more");
    if (clicked && clicked !== button) openFor(clicked);
    else if (clicked) button = null;
    const tested = event.target.closest("tr .row-test");
    if (tested) test(tested.closest("tr"), ".row-test");
  });
  menu.addEventListener("click", (event) => {
    const item = event.target.closest("button[data-action]");
    if (item) act(item.dataset.action);
  });
  menu.addEventListener("keydown", (event) => walk(menu, event));
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    button?.setAttribute("aria-expanded", "false");
    setTimeout(() => {
      button = null;
    });
  });
}
