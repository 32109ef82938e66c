// Keys of the list and of a registry's page, and the palette (Ctrl-K) of every page. None works in a field, in a dialog, or while an input method composes.
import { openDialog } from "./dialog.js";
import { test } from "./row-menu.js";

const palette = document.getElementById("palette");
const find = document.getElementById("palette-find");
const found = document.getElementById("palette-found");
const sheet = document.getElementById("keys");
let timer = 0;
let turns = 0;
let composing = false;

// Enter and Escape of an input method are its own: no script and no dialog sees them.
document.addEventListener("compositionstart", () => {
  composing = true;
});
document.addEventListener("compositionend", (event) => {
  composing = false;
  event.target.dispatchEvent(new Event("input", { bubbles: true }));
});
// What is composed is no value yet: nothing looks at it, searches for it or complains about it before its end.
window.addEventListener("input", (event) => {
  if (event.isComposing) event.stopImmediatePropagation();
}, true);
window.addEventListener("keydown", (event) => {
  // Safari ends the composition before it sends the key, with 229.
  if (!event.isComposing && event.keyCode !== 229) return;
  event.stopImmediatePropagation();
  // Menus and dialogs close by Escape without a script.
  if (event.key === "Escape") event.preventDefault();
}, true);
window.addEventListener("cancel", (event) => {
  if (!composing) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

function rows() {
  return [...document.querySelectorAll("#list tbody tr[data-url]")];
}

function row() {
  return document.activeElement?.closest?.("#list tbody tr[data-url]") ?? null;
}

function move(step) {
  const all = rows();
  const here = all.indexOf(row());
  const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : here + step;
  all[Math.max(0, Math.min(next, all.length - 1))]?.querySelector(".c-name a").focus();
}

function may(it, action) {
  return it && it.dataset.can.split(" ").includes(action) && !it.querySelector(".row-test")?.disabled;
}

const KEYS = {
  "/": () => document.getElementById("q")?.focus(),
  c: () => document.querySelector("#add-button:not([hidden])")?.click(),
  j: () => move(1),
  k: () => move(-1),
  x: () => row()?.querySelector(".c-pick input")?.click(),
  t: () => may(row(), "test") && test(row(), ".c-name a"),
  e: () => may(row(), "edit") && openDialog(`${row().dataset.url}edit/`, { back: `#${row().id} .c-name a` }),
  z: () => document.querySelector(".toast-undo:not([hidden])")?.click(),
  "?": () => sheet.showPopover(),
};

function press(id) {
  const it = document.getElementById(id);
  if (it?.getAttribute("aria-disabled") !== "true") it?.click();
}

// On the page of a registry the same keys mean this registry, and those that fail before and after it.
const DETAILS_KEYS = {
  j: () => press("failing-after"),
  k: () => press("failing-before"),
  t: () => press("test-button"),
  e: () => press("edit-link"),
  "?": KEYS["?"],
};

function keys() {
  if (document.getElementById("list")) return KEYS;
  return document.getElementById("details") ? DETAILS_KEYS : { "?": KEYS["?"] };
}

// A key that is held down moves on through the rows, and does everything else once.
function isFree(event) {
  if (event.repeat && !["j", "k"].includes(event.key)) return false;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  if (document.querySelector("dialog[open], .menu:popover-open, #palette:popover-open")) return false;
  return !event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
}

// Shows what matches. Resolves to false when a newer text is looked for, or there was no answer. Not by htmx, whose
// promise for a request that waits for an earlier one does not wait for the answer.
async function load() {
  const query = new URLSearchParams({ find: find.value });
  const turn = ++turns;
  const answer = await fetch(`${palette.dataset.url}?${query}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  const text = answer?.ok ? await answer.text() : "";
  if (turn !== turns || !text) return false;
  found.innerHTML = text;
  return true;
}

function openPalette() {
  if (document.querySelector("dialog[open]")) return;
  palette.showPopover();
  find.value = "";
  find.focus();
  load();
}

function walk(event) {
  const links = [...found.querySelectorAll("a")];
  const here = links.indexOf(document.activeElement);
  if (event.key === "Enter" && event.target === find) {
    // What was typed last may not have been looked for yet.
    clearTimeout(timer);
    load().then((isShown) => isShown && found.querySelector("a")?.click());
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !links.length) return;
  event.preventDefault();
  if (here + step < 0) find.focus();
  else links[(here + step) % links.length].focus();
}

if (palette) {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      openPalette();
      return;
    }
    const act = isFree(event) && keys()[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  find.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, 120);
  });
  palette.addEventListener("keydown", walk);
}
