// The page's behaviour. Each module owns one thing and starts itself; this one owns what concerns all requests.
import "./add.js";
import "./card.js";
import "./details.js";
import "./focus.js";
import "./frame.js";
import "./list.js";
import "./row-menu.js";
import "./selection.js";
import { showToast } from "./toast.js";
import "./dialog.js";
import "./session.js";

const words = document.getElementById("words").dataset;

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

// The token is read when it is needed: logging in again, here or in another tab, changes it. The one in the form
// is older then, and Django would look at it first.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "get") return;
  event.detail.headers["X-CSRFToken"] = cookie("csrftoken");
  delete event.detail.parameters.csrfmiddlewaretoken;
});

// A server that says nothing about its error, or cannot be reached, is still worth a word.
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const says = (xhr.getResponseHeader("HX-Trigger") || "").includes("toast");
  if (xhr.status !== 401 && !says) showToast({ text: words.failed, kind: "bad" });
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    if (!event.detail.elt?.closest?.("[data-quiet]")) showToast({ text: words.offline, kind: "bad" });
  });
}

// Links to fields in a summary of errors put the focus there.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-focus]");
  if (!link) return;
  event.preventDefault();
  document.getElementById(link.dataset.focus)?.focus();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});
