// While the server does not answer: a bar with the time of the data, and nothing that writes can be pressed.
const bar = document.getElementById("offline");
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

function answered() {
  answeredAt = new Date();
  if (bar.hidden) return;
  bar.hidden = true;
  go();
  document.dispatchEvent(new Event("registries-changed"));
}

if (bar) {
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, target, elt } = event.detail;
    // What a page asks by itself says whether the server is there; a single 503 of a button does not.
    const own = ["list-state", "details-state"].includes(elt.id) || target?.id === "list";
    if (isUnanswered(xhr.status)) {
      if (own || xhr.status !== 503) lost();
    } else answered();
  });
  window.addEventListener("offline", lost);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("a[aria-disabled=true]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}
