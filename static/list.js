// Refreshes the list, and updates the elements outside of it.
import { place } from "./popover.js";

const list = document.getElementById("list");
const root = document.documentElement;

// A select that is open. Older browsers do not know the words.
const OPEN = `dialog[open], .menu:popover-open${CSS.supports("selector(:open)") ? ", select:open" : ""}`;
let asked = 0;

function state() {
  return document.getElementById("list-state").dataset;
}

function refresh() {
  // An element of its own: htmx keeps one waiting request for each, and drops the others.
  return window.htmx.ajax("GET", window.location.pathname + window.location.search, {
    source: "#list",
    target: "#list",
    swap: "innerHTML show:none",
  });
}

// What a row shows, without the time since its last test.
function shown(row) {
  const ago = row.querySelector(".ago")?.textContent ?? "";
  return `${row.id} ${row.textContent.replace(ago, "").replace(/\s+/g, " ")}`;
}

function rowsBut(uid, page) {
  const rows = [...page.querySelectorAll("tr[id^='r-']")].filter((row) => row.id !== `r-${uid}`);
  return rows.map(shown).sort().join("\n");
}

// After the test of one row, update the counts. Rows keep their place unless other rows changed.
async function refreshStrip(event) {
  const answer = await fetch(window.location.href, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const strip = page.getElementById("strip");
  if (!strip) return;
  const { uid } = event.detail;
  if (rowsBut(uid, document) !== rowsBut(uid, page)) {
    refresh();
    return;
  }
  document.getElementById("strip").replaceWith(document.adoptNode(strip));
  window.htmx.process(document.getElementById("strip"));
  state().version = page.getElementById("list-state").dataset.version;
}

// Rows under test may be replaced: new rows continue to poll. A form is not: a search that is typed would be lost.
function busy() {
  return document.hidden || Boolean(document.querySelector(OPEN)) || typing();
}

function typing() {
  const search = document.getElementById("q");
  return search !== null && search === document.activeElement && search.value !== searched();
}

function searched() {
  return new URLSearchParams(state().query).get("q") || "";
}

// A person's filter wins against a refresh, whichever answer comes first, and the newest filter against the others.
function number({ detail }) {
  if (detail.target !== list) return;
  if (detail.requestConfig.triggeringEvent) asked += 1;
  detail.xhr.asked = asked;
}

function judge({ detail }) {
  if (detail.target !== list) return;
  if (detail.xhr.asked !== asked) detail.shouldSwap = false;
  else if (detail.requestConfig.triggeringEvent) asked += 1;
}

// The filter of unused registries knows more each time, until all namespaces are read.
function readOn() {
  const more = document.querySelector("#unused-note[data-more]");
  if (more && !busy() && !list.matches(".htmx-request")) refresh();
}

function pulse() {
  if (busy()) return;
  const { version, namespace } = state();
  const query = new URLSearchParams({ version, namespace });
  window.htmx.ajax("GET", `${list.dataset.pulse}?${query}`, { source: "#list-state", swap: "none" });
}

// The namespace selector, the add button and the search box are not part of the refreshed content.
function align() {
  const { namespace, mayAdd } = state();
  const label = document.getElementById("namespace-label");
  label.textContent = namespace || label.dataset.all;
  label.parentElement.title = label.textContent;
  const add = document.getElementById("add-button");
  add.hidden = mayAdd !== "true";
  add.href = add.dataset.url + (namespace ? `?namespace=${encodeURIComponent(namespace)}` : "");
  const search = document.getElementById("q");
  if (search && document.activeElement !== search) search.value = searched();
  document.getElementById("density")?.setAttribute("aria-pressed", String(root.dataset.density === "compact"));
  toolbarSize.disconnect();
  const toolbar = document.getElementById("toolbar");
  if (toolbar) toolbarSize.observe(toolbar);
}

// The head of the table stands below the toolbar. The height is set on the head alone, and after the layout: a variable
// of the whole list would let the browser compute the style of every row again.
const toolbarSize = new ResizeObserver(([{ target }]) => {
  document.querySelector("#registries thead")?.style.setProperty("--toolbar-height", `${target.offsetHeight}px`);
});

// New, changed or restored rows: highlighted, and the first one in sight.
function flash(uids) {
  const rows = uids.map((uid) => document.getElementById(`r-${uid}`)).filter(Boolean);
  for (const row of rows) row.classList.add("fresh");
  rows[0]?.scrollIntoView({ block: "nearest" });
}

if (list) {
  document.getElementById("list-state").setAttribute("data-quiet", "");
  align();
  window.setInterval(pulse, Number(list.dataset.pulseEvery));
  window.setInterval(readOn, 1000);
  document.addEventListener("htmx:beforeRequest", number);
  document.addEventListener("htmx:beforeSwap", judge);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target === list) align();
  });
  document.addEventListener("registries-changed", refresh);
  document.addEventListener("registry-tested", refreshStrip);
  document.addEventListener("registry-saved", (event) => {
    document.addEventListener("htmx:afterSettle", () => flash(event.detail.uids ?? [event.detail.uid]), { once: true });
  });
  list.addEventListener("click", (event) => {
    const clears = event.target.closest("[data-clears]")?.dataset.clears;
    if (clears === "q") document.getElementById("q").value = "";
    if (event.target.closest("#density")) {
      root.dataset.density = root.dataset.density === "compact" ? "" : "compact";
      window.localStorage.setItem("density", root.dataset.density);
      align();
    }
  });
  // The first letter of a search adds a history entry, the next ones replace it. The server decides by the name of
  // the search box, which htmx does not send for a form.
  document.addEventListener("htmx:configRequest", (event) => {
    const { headers, triggeringEvent } = event.detail;
    const further = new URLSearchParams(window.location.search).has("q");
    if (further && triggeringEvent?.target?.id === "q") headers["HX-Trigger-Name"] = "q";
  });
  namespaceMenu();
  keepNoticesOpen();
}

// New notices take the place of old ones: what the reader unfolded stays so.
function keepNoticesOpen() {
  let open = false;
  document.addEventListener("toggle", ({ target }) => { if (target.id === "notices-fold") open = target.open; }, true);
  document.addEventListener("htmx:load", () => {
    const fold = document.getElementById("notices-fold");
    if (fold && open) fold.open = true;
  });
}

function namespaceMenu() {
  const menu = document.getElementById("namespace-menu");
  const find = document.getElementById("namespace-find");
  const options = document.getElementById("namespace-options");
  let timer = 0;
  const load = () => {
    const query = new URLSearchParams({ current: window.location.search, find: find.value });
    return window.htmx.ajax("GET", `${find.dataset.url}?${query}`, { target: options, swap: "innerHTML" });
  };
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    find.value = "";
    load().then(() => {
      place(menu, document.getElementById("namespace-button"));
      options.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    });
    find.focus();
  });
  find.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, 150);
  });
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") options.querySelector("a")?.click();
  });
  options.addEventListener("click", (event) => {
    if (event.target.closest("a")) menu.hidePopover();
  });
}
