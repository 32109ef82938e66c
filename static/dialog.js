// The dialog: opens with the content of a link, keeps the focus inside, asks before it discards input.
import { keepFocus } from "./focus.js";
import { isLeaving, isPlain } from "./sending.js";

const dialog = document.getElementById("dialog");
const body = document.getElementById("dialog-body");
// A plain link shows the same content as a page.
const isPage = body?.classList.contains("dialog-page");
const discard = document.getElementById("discard");
const RETURN = "focus-returns-to";
let opener = "";
let link = "";
let opening = false;
// What had the focus when the dialog asked whether to discard.
let typing = null;
let clean = "";
let shown = null;
// What about() said last.
let seen = "";

function form() {
  return body.querySelector("form[data-dirty-check]");
}

function content() {
  const watched = form();
  if (!watched) return "";
  const data = new FormData(watched);
  for (const name of ["csrfmiddlewaretoken", "another"]) data.delete(name);
  return JSON.stringify([...data.entries()]);
}

function dirty() {
  return Boolean(form()) && (form().dataset.dirty === "true" || content() !== clean);
}

function close() {
  discard.hidden = true;
  seen = "";
  body.replaceChildren();
  if (dialog.open) dialog.close();
  // The opener's row may have been replaced; its button has the same id.
  if (opener) document.querySelector(opener)?.focus();
  keepFocus();
}

function goOn() {
  discard.hidden = true;
  (typing?.isConnected && body.contains(typing) ? typing : body.querySelector("input:not([type=hidden])"))?.focus();
}

export function askToClose() {
  // What is shown only once has one way out.
  const exit = body.querySelector("[data-only-exit]");
  if (exit) {
    exit.focus();
    return;
  }
  if (dirty()) {
    typing = document.activeElement;
    discard.hidden = false;
    document.getElementById("discard-no").focus();
  } else {
    close();
  }
}

// Where a page is drawn anew, the reader stays at the same place.
function remember(page, target) {
  const top = page === window.location.pathname ? window.scrollY : null;
  sessionStorage.setItem(RETURN, JSON.stringify([page, target, top]));
}

function comeBack() {
  const [page, target, top] = JSON.parse(sessionStorage.getItem(RETURN) || "[]");
  sessionStorage.removeItem(RETURN);
  if (page !== window.location.pathname || document.querySelector("#error-summary, [autofocus]")) return;
  const is = CSS.escape(target);
  const same = document.querySelector(`#main :is(a[data-dialog][href="${is}"], form[action="${is}"] button)`);
  if (top !== null) window.scrollTo({ top, behavior: "instant" });
  (same || document.getElementById("main")).focus({ preventScroll: top !== null });
}

// The focus returns to `back`, a selector, or to the source. Until the content is there, further presses do nothing:
// a second answer would take the place of what was typed by then, and a second run would begin.
export function openDialog(url, { source, back, method = "GET", values } = {}) {
  if (opening) return;
  opening = true;
  opener = back || (source?.id ? `#${CSS.escape(source.id)}` : "");
  link = source?.getAttribute("href") || "";
  source?.setAttribute("aria-busy", "true");
  const end = () => {
    opening = false;
    source?.removeAttribute("aria-busy");
  };
  window.htmx.ajax(method, url, { source: "#dialog-body", target: "#dialog-body", swap: "innerHTML", values }).then(end, end);
}

// Focuses the first field where it is in sight. Otherwise the title: people read what is deleted before they confirm it.
function begin(isNew) {
  const first = body.querySelector("[autofocus]") || body.querySelector("input:not([type=hidden]), select, textarea, button.btn-primary, a.btn");
  const chosen = first?.type === "radio" && body.querySelector(`[name="${first.name}"]:checked`);
  const field = chosen || first;
  const scroller = body.querySelector(".dialog-content");
  if (isNew) scroller?.scrollTo({ top: 0, behavior: "instant" });
  if (isNew && isPage) window.scrollTo({ top: 0, behavior: "instant" });
  if (!field) return;
  field.focus({ preventScroll: true });
  const end = scroller?.contains(field) ? scroller.getBoundingClientRect().bottom : window.innerHeight;
  const title = body.querySelector("#dialog-title");
  if (!title || field.getBoundingClientRect().bottom <= Math.min(end, window.innerHeight)) return;
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
}

// Which content this is. A poll shows the same one again.
function about() {
  return `${body.firstElementChild?.id} ${body.querySelector("#dialog-title")?.textContent}`;
}

function fresh() {
  const wrong = body.querySelector("#error-summary, .field-wrong :is(input:not([type=hidden]), textarea, select)");
  const isNew = about() !== seen;
  seen = about();
  if (wrong) wrong.focus();
  else if (isNew || !body.contains(document.activeElement)) begin(isNew);
  for (const field of body.querySelectorAll(".field-wrong input, .field-wrong textarea, .field-wrong select")) {
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", `${field.id}_error`);
  }
  check();
}

// Typing in a field removes its error.
function forgive(field) {
  const around = field.closest(".field-wrong");
  if (!around) return;
  around.classList.remove("field-wrong");
  around.querySelector(".field-error")?.remove();
  field.classList.remove("is-invalid");
  field.removeAttribute("aria-invalid");
}

// The typed text and the one that somebody else saved change places, so that neither is lost.
function swap(clash) {
  const input = document.getElementById(clash.dataset.for);
  const text = clash.querySelector(".clash-text");
  [input.value, text.dataset.text] = [text.dataset.text, input.value];
  text.textContent = text.dataset.text || "—";
  for (const whose of clash.querySelectorAll(".clash-whose")) whose.hidden = !whose.hidden;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

// A field that narrows a list of choices. It is not part of the form. A checked choice stays in sight.
function narrow(field) {
  const wanted = field.value.trim().toLowerCase();
  for (const choice of body.querySelectorAll(`${field.dataset.filters} .choice`)) {
    const box = choice.querySelector("input");
    choice.hidden = box.disabled || (!choice.textContent.toLowerCase().includes(wanted) && !box.checked);
  }
}

// Delete buttons need the typed name or number; a save button needs a change.
function check() {
  for (const input of body.querySelectorAll("[data-confirms]")) {
    body.querySelector(input.dataset.confirms).disabled = input.value.trim() !== input.dataset.expects;
  }
  for (const button of body.querySelectorAll("[data-needs-change]")) button.disabled = !dirty();
}

if (dialog) {
  // The answer to a poll of a dialog that was closed meanwhile does not open it again.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    if (target === body && !isPage && !dialog.open && !requestConfig.elt.isConnected) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== body || !body.children.length) return;
    // A refused request settles too, and leaves the form as it is: what was typed stays unsaved.
    if (form() && form() === shown) return;
    shown = form();
    const again = dialog.open || isPage;
    if (!again) dialog.showModal();
    if (!again || !body.querySelector("#error-summary")) {
      if (form()?.dataset.dirty !== "true") clean = content();
    }
    fresh();
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (discard.hidden) askToClose();
    else goOn();
  });
  dialog.addEventListener("keydown", (event) => {
    // Chromium closes on a second Esc even if `cancel` was prevented; this keeps it open.
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (discard.hidden) askToClose();
    else goOn();
  });
  body.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-filters]")) event.preventDefault();
  });
  body.addEventListener("input", (event) => {
    if (event.target.matches("[data-filters]")) narrow(event.target);
    forgive(event.target);
    check();
  });
  body.addEventListener("change", check);
  body.addEventListener("click", (event) => {
    const clash = event.target.closest("[data-swap]")?.closest(".clash");
    if (clash) swap(clash);
  });
  document.addEventListener("dialog-close", close);
  document.getElementById("discard-yes").addEventListener("click", close);
  document.getElementById("discard-no").addEventListener("click", goOn);
  // A success that loads a page: there the focus returns to the link that opened the dialog, or to the form.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const leads = dialog.open && event.detail.xhr.getResponseHeader("HX-Redirect");
    if (leads) remember(new URL(leads, window.location.href).pathname, link);
  });
  document.addEventListener("submit", ({ target: form }) => {
    if (isPlain(form)) remember(window.location.pathname, form.getAttribute("action"));
  });
  window.addEventListener("beforeunload", (event) => {
    if ((dialog.open || isPage) && dirty() && !isLeaving()) event.preventDefault();
  });
  comeBack();
}

document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-dialog-close]");
  if (closer) {
    // A link to the current page only closes the dialog.
    const elsewhere = closer.href && new URL(closer.href).pathname !== window.location.pathname;
    if (dialog?.open && !elsewhere) {
      event.preventDefault();
      askToClose();
    } else if (!closer.href) {
      window.location.assign(document.querySelector(".brand").href);
    }
    return;
  }
  const opens = event.target.closest("a[data-dialog], #add-button");
  if (!opens || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  // A menu closes below the dialog. The focus comes back to its button.
  const menu = opens.closest(":popover-open");
  openDialog(opens.href, { source: menu ? document.querySelector(`[popovertarget=${menu.id}]`) : opens });
});

if (isPage) {
  shown = form();
  clean = content();
  seen = about();
  check();
  if (body.querySelector("[autofocus]") && !body.querySelector("#error-summary, .field-wrong")) begin(true);
}
