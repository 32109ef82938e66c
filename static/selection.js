// The selection: the set of chosen uids. It stays across pages and filters.
import { openDialog } from "./dialog.js";

const list = document.getElementById("list");
const bar = document.getElementById("selection-bar");
const KEY = "selection";
const chosen = new Set(read());

function read() {
  try {
    return JSON.parse(window.sessionStorage.getItem(KEY) || "[]");
  } catch {
    return [];
  }
}

function boxes() {
  return [...list.querySelectorAll("tbody .c-pick input")];
}

function draw() {
  const all = boxes();
  for (const box of all) {
    box.checked = chosen.has(box.value);
    box.closest("tr").classList.toggle("selected", box.checked);
  }
  const head = document.getElementById("pick-page");
  if (head) {
    const checked = all.filter((box) => box.checked).length;
    head.checked = checked > 0 && checked === all.length;
    head.indeterminate = checked > 0 && checked < all.length;
  }
  bar.hidden = chosen.size === 0;
  const words = document.getElementById("words").dataset.selected;
  document.getElementById("selection-count").textContent = words.replace("{n}", chosen.size.toLocaleString());
  offerAll(all);
}

// When the whole page is selected, offer to select all matches.
function offerAll(all) {
  const total = Number(document.getElementById("list-state").dataset.total);
  const offer = document.getElementById("selection-all");
  const wholePage = all.length > 0 && all.every((box) => box.checked);
  offer.hidden = !wholePage || total <= all.length || chosen.size >= total;
  const text = offer.querySelector("[data-text]");
  text.textContent = text.dataset.text.replace("{n}", total.toLocaleString());
}

function keep() {
  try {
    window.sessionStorage.setItem(KEY, JSON.stringify([...chosen]));
  } catch {
    // Too many for the storage: the selection is lost on reload.
  }
  draw();
}

function set(uids, yes) {
  for (const uid of uids) {
    if (yes) chosen.add(uid);
    else chosen.delete(uid);
  }
  keep();
}

async function pick(what) {
  if (what === "page") return set(boxes().map((box) => box.value), true);
  if (what === "none") {
    chosen.clear();
    return keep();
  }
  const query = new URLSearchParams(window.location.search);
  if (what !== "all") query.set("status", what);
  const answer = await fetch(`${list.dataset.selection}?${query}`, { headers: { "HX-Request": "true" } });
  if (answer.status === 401) return document.dispatchEvent(new Event("session-ended"));
  if (!answer.ok) return undefined;
  return set((await answer.json()).uids, true);
}

if (list && bar) {
  let last = null;
  list.addEventListener("click", (event) => {
    const box = event.target.closest("tbody .c-pick input");
    if (!box) return;
    const all = boxes();
    const range = event.shiftKey && last && all.includes(last) ? [all.indexOf(last), all.indexOf(box)] : [all.indexOf(box)];
    const [from, to] = [Math.min(...range), Math.max(...range)];
    set(all.slice(from, to + 1).map((it) => it.value), box.checked);
    last = box;
  });
  list.addEventListener("change", (event) => {
    if (event.target.id === "pick-page") set(boxes().map((box) => box.value), event.target.checked);
  });
  document.getElementById("pick-menu").addEventListener("click", (event) => {
    const item = event.target.closest("[data-pick]");
    if (!item) return;
    document.getElementById("pick-menu").hidePopover();
    pick(item.dataset.pick);
  });
  document.getElementById("selection-all").addEventListener("click", () => pick("all"));
  document.getElementById("selection-clear").addEventListener("click", () => pick("none"));
  const remove = document.getElementById("selection-delete");
  remove?.addEventListener("click", () => {
    openDialog(remove.dataset.url, { source: remove, method: "POST", values: { uids: [...chosen].join(" ") } });
  });
  const test = document.getElementById("selection-test");
  test?.addEventListener("click", () => {
    openDialog(test.dataset.url, { source: test, method: "POST", values: { uids: [...chosen].join(" ") } });
  });
  list.addEventListener("click", (event) => {
    const all = event.target.closest("#test-all");
    if (!all) return;
    openDialog(all.dataset.url, { source: all, method: "POST", values: { query: window.location.search.slice(1) } });
  });
  document.addEventListener("registries-deleted", (event) => set(event.detail.uids, false));
  document.addEventListener("selection-set", (event) => {
    chosen.clear();
    set(event.detail.uids, true);
  });
  document.addEventListener("htmx:afterSettle", draw);
  draw();
}
