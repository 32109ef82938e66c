// While the server does not answer: a bar with the time of the data, and nothing that writes can be pressed. A search or
// filter that got no answer is sent again.
const bar = document.getElementById("offline");
const waits = document.getElementById("offline-search");
const AGAIN = 2000; // milliseconds
let again = 0;
const WRITES =
  "#add-button, #test-all, .row-test, #row-menu [data-needs], #selection-bar .selection-actions button[data-url], #details-page :is(a[data-dialog], [type=submit], #actions-more), dialog [type=submit]";
// What a proxy answers for a server that is away. The console itself answers 503 when it is busy.
const UNANSWERED = new Set([0, 502, 503, 504]);
export const hasBar = bar !== null;
const stopped = new Set();
let answeredAt = new Date();

export function isUnanswered(status) {
  return UNANSWERED.has(status);
}

function stop() {
  for (const it of document.querySelectorAll(WRITES)) {
    if (it.disabled || it.getAttribute("aria-disabled") === "true") continue;
    it.setAttribute("aria-disabled", "true");
    if (it.matches("button")) it.disabled = true;
    stopped.add(it);
  }
}

function go() {
  for (const it of stopped) {
    it.removeAttribute("aria-disabled");
    it.disabled = false;
  }
  stopped.clear();
}

function lost() {
  const told = bar.querySelector("[data-text]");
  const time = answeredAt.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });
  bar.hidden = false;
  told.textContent = told.dataset.text.replace("{time}", time);
  stop();
}

function search() {
  window.htmx.trigger("#toolbar", "submit");
}

function searchLater() {
  waits.hidden = false;
  clearTimeout(again);
  again = setTimeout(search, AGAIN);
}

function answered(isSearch) {
  answeredAt = new Date();
  if (bar.hidden) return;
  bar.hidden = true;
  go();
  const waited = !waits.hidden && !isSearch;
  waits.hidden = true;
  clearTimeout(again);
  if (waited) search();
  else if (!isSearch) document.dispatchEvent(new Event("registries-changed"));
}

if (bar) {
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, target, elt, requestConfig } = event.detail;
    // What a page asks by itself says whether the server is there; a single 503 of a button does not.
    const own = ["list-state", "details-state"].includes(elt.id) || target?.id === "list";
    const isSearch = requestConfig.headers["HX-Trigger"] === "toolbar"; // by then the answer may have replaced the form
    if (isUnanswered(xhr.status)) {
      if (own || xhr.status !== 503) lost();
      if (isSearch && !bar.hidden) searchLater();
    } else answered(isSearch);
  });
  window.addEventListener("offline", lost);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("a[aria-disabled=true]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}
