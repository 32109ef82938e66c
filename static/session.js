// A session that ended in the middle of something: log in again on top of it, and nothing typed is lost.
const dialog = document.getElementById("session");
const body = document.getElementById("session-body");
const account = document.querySelector("[popovertarget=account-menu] .wide-only")?.textContent.trim();
let asked = "";

document.addEventListener("session-ended", () => {
  if (!dialog || dialog.open) return;
  asked = account || "";
  window.htmx.ajax("GET", body.dataset.url, { target: "#session-body", swap: "innerHTML" }).then(() => {
    if (!dialog.open) dialog.showModal();
    body.querySelector("[autofocus]")?.focus();
  });
});

body?.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "post") asked = event.detail.parameters.get?.("username") ?? asked;
});

document.addEventListener("signed-in", (event) => {
  dialog.close();
  body.replaceChildren();
  // Somebody else logged in: what stands on the page is not theirs. Who, on a cluster, only the server knows.
  if ((event.detail?.person ?? asked) !== account) window.location.reload();
});
