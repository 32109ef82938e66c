// A session that ended in the middle of something: log in again on top of it, and nothing typed is lost.
const dialog = document.getElementById("session");
const body = document.getElementById("session-body");
const account = document.querySelector("[popovertarget=account-menu] .wide-only")?.textContent.trim();
let asked = "";
let opening = false;

document.addEventListener("session-ended", () => {
  // Several requests may notice it at once; the form must not be fetched again while somebody types into it.
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

body?.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "post") asked = event.detail.parameters.get?.("username") ?? asked;
});

document.addEventListener("signed-in", (event) => {
  dialog.close();
  body.replaceChildren();
  // Somebody else logged in: what stands on the page is not theirs. Who, on a cluster, only the server knows.
  if ((event.detail?.person ?? asked) !== account) window.location.reload();
});
