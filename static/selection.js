// The selection: the set of chosen uids. It stays across pages and filters, and ends at log-out and with the person.
import { openDialog } from "./dialog.js";

const list = document.getElementById("list");
const bar = document.getElementById("selection-bar");
const KEY = "selection";
const ENDED = "logged-out";
const person = document.querySelector("[popovertarget=account-menu] .wide-only")?.textContent.trim();
const chosen = new Set(read());
let matches = { query: "", uids: null };

function read() {
  try {
    const kept = JSON.parse(window.sessionStorage.getItem(KEY) || "{}");
    const ended = Number(window.localStorage.getItem(ENDED) || 0);
    return kept.person === person && kept.at > ended ? kept.uids : [];
  } catch {
    return [];
  }
}

// The chosen rows that the present filter does not show. Other pages of the same filter belong to the view.
function outside() {
  const here = new Set(boxes().map((box) => box.value));
  const others = [...chosen].filter((uid) => !here.has(uid));
  const { query } = viewed();
  if (!others.length) return [];
  if (matches.query !== query) {
    matches = { query, uids: null };
    uidsOf(new URLSearchParams(query)).then((uids) => {
      if (matches.query !== query || !uids) return;
      matches.uids = new Set(uids);
      draw();
    });
  }
  return matches.uids ? others.filter((uid) => !matches.uids.has(uid)) : [];
}

// What the list shows: its filters and the version of its content.
function viewed() {
  const { query, version } = document.getElementById("list-state").dataset;
  const filters = new URLSearchParams(query);
  for (const name of ["page", "size", "sort", "group"]) filters.delete(name);
  filters.set("version", version);
  return { query: filters.toString() };
}

function boxes() {
  return [...list.querySelectorAll("tbody .c-pick input")];
}

// The boxes of the rows below the head of a group. Other pages may have more of them.
function members(box) {
  const found = [];
  let row = box.closest("tr").nextElementSibling;
  for (; row && !row.matches(".group"); row = row.nextElementSibling) found.push(row.querySelector(".c-pick input"));
  return found;
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
  for (const box of list.querySelectorAll(".pick-group")) {
    const checked = members(box).filter((it) => it.checked).length;
    const total = Number(box.closest("tr").dataset.total);
    box.checked = checked === total;
    box.indeterminate = checked > 0 && checked < total;
  }
  bar.hidden = chosen.size === 0;
  document.querySelector("[data-pick=none]").hidden = bar.hidden;
  const count = document.getElementById("selection-count");
  const away = outside().length;
  const words = away ? count.dataset.away : document.getElementById("words").dataset.selected;
  const text = words.replace("{n}", chosen.size.toLocaleString()).replace("{away}", away.toLocaleString());
  if (count.textContent !== text) count.textContent = text;
  document.getElementById("selection-outside").hidden = !away;
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
    window.sessionStorage.setItem(KEY, JSON.stringify({ person, at: Date.now(), uids: [...chosen] }));
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
  return set((await uidsOf(query)) ?? [], true);
}

async function uidsOf(query) {
  const answer = await fetch(`${list.dataset.selection}?${query}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.status === 401) document.dispatchEvent(new Event("session-ended"));
  return answer?.ok ? (await answer.json()).uids : null;
}

// Other tabs hear of a log-out by the storage.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[action$='/logout/']")) return;
  window.localStorage.setItem(ENDED, String(Date.now()));
  window.sessionStorage.removeItem(KEY);
});

if (list && bar) {
  // Other styles leave room for it.
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--selection", `${bar.offsetHeight}px`);
  }).observe(bar);
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
    if (!event.target.matches(".pick-group")) return;
    const group = members(event.target);
    set(group.map((box) => box.value), !group.every((box) => box.checked));
  });
  document.getElementById("pick-menu").addEventListener("click", (event) => {
    const item = event.target.closest("[data-pick]");
    if (!item) return;
    document.getElementById("pick-menu").hidePopover();
    pick(item.dataset.pick);
  });
  document.getElementById("selection-all").addEventListener("click", () => pick("all"));
  document.getElementById("selection-clear").addEventListener("click", () => pick("none"));
  document.getElementById("selection-drop").addEventListener("click", () => set(outside(), false));
  window.addEventListener("storage", (event) => {
    if (event.key === ENDED) pick("none");
  });
  for (const button of bar.querySelectorAll("[data-url]")) {
    button.addEventListener("click", () => {
      openDialog(button.dataset.url, { source: button, method: "POST", values: { uids: [...chosen].join(" ") } });
    });
  }
  list.addEventListener("click", (event) => {
    const all = event.target.closest("#test-all, .group-test");
    if (!all) return;
    const query = all.dataset.query ?? window.location.search.slice(1);
    openDialog(document.getElementById("test-all").dataset.url, { source: all, method: "POST", values: { query } });
  });
  document.addEventListener("registries-deleted", (event) => set(event.detail.uids, false));
  document.addEventListener("selection-set", (event) => {
    chosen.clear();
    set(event.detail.uids, true);
  });
  document.addEventListener("htmx:afterSettle", draw);
  draw();
}
