// Loads all modules, and handles what concerns every request. Each module starts itself.
import "./add.js";
import "./card.js";
import "./details.js";
import "./failures.js";
import "./focus.js";
import "./form-problem.js";
import "./frame.js";
import "./keys.js";
import "./list.js";
import "./login-command.js";
import { hasBar, isUnanswered } from "./offline.js";
import "./password.js";
import "./row-menu.js";
import "./selection.js";
import "./sending.js";
import { showToast } from "./toast.js";
import "./dialog.js";
import "./session.js";

const words = document.getElementById("words").dataset;

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

// Read the CSRF token for each request: a new log-in, also in another tab, changes it. Replace the token in the
// form as well, because Django checks that one first.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "get") return;
  event.detail.headers["X-CSRFToken"] = cookie("csrftoken");
  delete event.detail.parameters.csrfmiddlewaretoken;
});

// A dialog says which notices of runs the list shows: its answer brings newer ones along.
document.addEventListener("htmx:configRequest", ({ detail: { elt, headers } }) => {
  const shown = document.getElementById("run-notices")?.dataset.version;
  if (shown && elt.closest("#dialog-body")) headers["X-Notices"] = shown;
});

// A change may have been made. Something that only reads has changed nothing, and where the bar of offline.js says that
// the server is away, nothing more need be said.
function tellUnanswered({ requestConfig, xhr }) {
  const reads = requestConfig?.verb === "get";
  if (reads && hasBar && xhr.status !== 503) return;
  showToast({ text: reads ? words.unanswered : words.offline, kind: "bad" });
}

// Show a toast for an error without a message, and for an unreachable server; none for a part that the page fetches by itself.
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const says = (xhr.getResponseHeader("HX-Trigger") || "").match(/"(toast|form-problem|page-tells)"/);
  if (xhr.status === 401 || says) return;
  if (isUnanswered(xhr.status)) tellUnanswered(event.detail);
  else showToast({ text: words.failed, kind: "bad" });
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (!event.detail.elt?.closest?.("[data-quiet]")) tellUnanswered(event.detail);
  });
}

// What is under way is asked for again and again. If one answer fails to come, also because the session ended, the next
// one is asked for all the same.
const AGAIN = 4000;
function askAgain({ detail: { elt, xhr } }) {
  const url = elt.matches?.("[hx-trigger*='load delay']") && elt.getAttribute("hx-get");
  if (!url || !(isUnanswered(xhr.status) || xhr.status === 401)) return;
  setTimeout(() => {
    if (elt.isConnected) window.htmx.ajax("GET", url, { source: elt }).catch(() => {});
  }, AGAIN);
}
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, askAgain);

// Links in an error summary focus the field.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-focus]");
  if (!link) return;
  event.preventDefault();
  document.getElementById(link.dataset.focus)?.focus();
});
