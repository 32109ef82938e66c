// A form is sent once, however often its button or Enter is pressed: not again while its answer is on the way, and not
// while the page loads that the answer leads to. For such an answer htmx keeps the mark of a request, and the button off.
const PATIENCE = 15_000; // milliseconds: a page that has not come by then may have been stopped
let left = -PATIENCE;

export function isLeaving() {
  return performance.now() - left < PATIENCE;
}

// Whether the browser sends the form, and no script.
export function isPlain(form) {
  return form.method === "post" && !form.hasAttribute("hx-post");
}

export function leave() {
  left = performance.now();
}

window.addEventListener("submit", (event) => {
  const { target: form } = event;
  if (form.method !== "post" || !(isLeaving() || form.matches(".htmx-request"))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
document.addEventListener("submit", (event) => {
  if (isPlain(event.target) && !event.defaultPrevented) leave();
});
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.getResponseHeader("HX-Redirect")) leave();
});
// The browser's copy of a page that was left would stay as it was then.
window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
