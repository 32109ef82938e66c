// Password fields: each has a button that shows what was typed.
function show(button, revealed) {
  button.setAttribute("aria-pressed", String(revealed));
  document.getElementById(button.getAttribute("aria-controls")).type = revealed ? "text" : "password";
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveal]");
  if (button) show(button, button.getAttribute("aria-pressed") !== "true");
});

// Before it is sent: browsers remember what is typed in a text field, and a form that comes back keeps its password.
document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("[data-reveal]")) show(button, false);
}, true);

// A response replaces the button, but keeps a field with hx-preserve.
document.addEventListener("htmx:afterSettle", () => {
  for (const button of document.querySelectorAll("[data-reveal]")) {
    const { type } = document.getElementById(button.getAttribute("aria-controls"));
    button.setAttribute("aria-pressed", String(type === "text"));
  }
});

// The dialogs for a new password and for other values: a verdict belongs to the values that were tested.
document.addEventListener("input", (event) => {
  if (!["password-form", "correct-form"].includes(event.target.form?.id)) return;
  if (event.target.name === "copies") return;
  document.getElementById("verdict").replaceChildren();
});

// In a low window the verdict is below what is seen, here and in the dialog that adds a registry.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id === "verdict") document.querySelector("#verdict > :not([type=hidden])")?.scrollIntoView({ block: "nearest" });
});

// The other registries of the dialog for a new password: how many are chosen, beside the choice and on the button.
function countCopies() {
  const save = document.getElementById("password-save");
  if (!save?.dataset.many) return;
  const boxes = [...document.querySelectorAll("#copies input:enabled")];
  const n = boxes.filter((box) => box.checked).length;
  const line = document.getElementById("copies-chosen");
  const text = line.querySelector("[data-text]");
  line.hidden = boxes.length < 2;
  text.textContent = text.dataset.text.replace("{n}", n).replace("{total}", boxes.length);
  line.querySelector("[data-choose=all]").hidden = n === boxes.length;
  line.querySelector("[data-choose=none]").hidden = n === 0;
  save.dataset.one ??= save.textContent;
  save.textContent = n ? save.dataset.many.replace("{n}", n + 1) : save.dataset.one;
}

document.addEventListener("change", (event) => {
  if (event.target.name === "copies") countCopies();
});
document.addEventListener("click", (event) => {
  const choice = event.target.closest("#copies [data-choose]");
  if (!choice) return;
  for (const box of document.querySelectorAll("#copies input:enabled")) box.checked = choice.dataset.choose === "all";
  countCopies();
  if (choice.hidden) document.querySelector("#copies [data-choose]:not([hidden])").focus();
});
document.addEventListener("htmx:afterSettle", countCopies);
countCopies();
