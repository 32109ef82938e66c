// Opens a log-in dialog when the session ended, so that no input is lost.
import { leave } from "./sending.js";

const dialog = document.getElementById("session");
const body = document.getElementById("session-body");
const account = document.querySelector("[popovertarget=account-menu] .wide-only")?.textContent.trim();
let asked = "";
let opening = false;

document.addEventListener("session-ended", () => {
  // Several requests may fail at once: load the form only once.
  if (!dialog || dialog.open || opening) return;
  asked = account || "";
  opening = true;
  const asking = window.htmx.ajax("GET", body.dataset.url, { target: "#session-body", swap: "innerHTML" });
  asking
    .then(() => {
      if (!dialog.open) dialog.showModal();
      body.querySelector("[autofocus]")?.focus();
    })
    .finally(() => {
      opening = false;
    });
});

// The words beside a file field would be those of the browser's language.
document.addEventListener("change", ({ target }) => {
  const name = target.type === "file" && document.getElementById(`${target.id}_name`);
  if (name) name.textContent = target.files[0]?.name ?? "";
});

body?.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "post") asked = event.detail.parameters.get?.("username") ?? asked;
});

document.addEventListener("signed-in", (event) => {
  dialog.close();
  body.replaceChildren();
  // Another person logged in: drop the page. On a cluster only the server knows the person.
  if ((event.detail?.person ?? asked) === account) return;
  leave();
  window.location.reload();
});
