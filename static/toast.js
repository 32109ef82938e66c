// Toasts, for five seconds; errors longer; those with a button or a next step half a minute. They are on the top layer,
// above dialogs.
const STEP = 60; // characters: a longer text says what to do next
const region = document.getElementById("toasts");
const template = document.getElementById("toast-template");

function raise() {
  // Show it again to bring it above a dialog.
  if (region.matches(":popover-open")) region.hidePopover();
  if (region.children.length) region.showPopover();
}

function dismissLater(item, milliseconds) {
  let timer = setTimeout(() => remove(item), milliseconds);
  for (const name of ["pointerenter", "focusin"]) item.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) {
    item.addEventListener(name, () => {
      clearTimeout(timer);
      timer = setTimeout(() => remove(item), 2000);
    });
  }
}

function remove(item) {
  item.remove();
  if (!region.children.length && region.matches(":popover-open")) region.hidePopover();
}

// The audit log has the button as well, for whoever is slower.
function offerUndo(item, url) {
  const button = item.querySelector(".toast-undo");
  button.hidden = !url;
  button.addEventListener("click", () => {
    remove(item);
    window.htmx.ajax("POST", url, { source: "body", target: "body", swap: "none" });
  });
}

export function showToast({ text, kind = "ok", href = "", undo = "" }) {
  const item = template.content.firstElementChild.cloneNode(true);
  item.classList.add(`toast-${kind}`);
  item.querySelector(".toast-text").textContent = text;
  const link = item.querySelector(".toast-link");
  link.hidden = !href;
  if (href) link.href = href;
  offerUndo(item, undo);
  item.querySelector(".toast-close").addEventListener("click", () => remove(item));
  for (const old of [...region.children]) {
    // The outcome of a test takes the place of what was said of the same registry before.
    const same = href && old.querySelector(".toast-link").getAttribute("href") === href;
    if (same || old.querySelector(".toast-text")?.textContent === text) old.remove();
  }
  region.append(item);
  raise();
  dismissLater(item, undo || text.length > STEP ? 30000 : kind === "ok" ? 5000 : 12000);
}

document.addEventListener("toast", (event) => showToast(event.detail));

for (const message of region.querySelectorAll("[data-toast]")) {
  const text = message.textContent;
  message.remove();
  showToast({ text, undo: message.dataset.undo });
}
