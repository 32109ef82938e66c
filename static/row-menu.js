// The menu shared by all rows. It offers the actions of its row.
import { openDialog } from "./dialog.js";
import { place, walk } from "./popover.js";

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
  menu.querySelector("[data-action=details]").href = row.dataset.url;
  menu.showPopover();
  place(menu, button, { align: "end" });
  button.setAttribute("aria-expanded", "true");
  menu.querySelector(".menu-item:not([hidden])").focus();
}

// The row may have been replaced since the menu opened, and is replaced when the test begins.
function test(tested, focused) {
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
