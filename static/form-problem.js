// An error of a whole form: it has expired, or is too large. It stands on top of the form, which keeps what was typed.
// One that is too large says so at its longest text, too.
import { showToast } from "./toast.js";

const template = document.getElementById("form-problem");
const number = (n) => n.toLocaleString(document.documentElement.lang);

document.addEventListener("form-problem", (event) => {
  const { text, limited, unlimited } = event.detail;
  const form = event.target.closest?.("form");
  const place = form?.querySelector(".dialog-content") ?? (form?.querySelector(".form-control") ? form : null);
  // A button alone has lost nothing.
  if (!place) {
    showToast({ text, kind: "bad" });
    return;
  }
  const summary = template.content.firstElementChild.cloneNode(true);
  const where = summary.querySelector(".form-problem-field");
  summary.querySelector(".form-problem-text").textContent = text;
  const field = limited && longestOf(form);
  if (field) {
    const pattern = field.maxLength > 0 ? limited : unlimited;
    const said = pattern.replace("{size}", number(field.value.length)).replace("{limit}", number(field.maxLength));
    errorAt(field, said);
    const link = where.querySelector("a");
    link.textContent = field.labels[0].firstChild.textContent.trim();
    link.href = `#${field.id}`;
    link.dataset.focus = field.id;
    where.querySelector(".form-problem-size").textContent = said;
  } else where.remove();
  form.querySelector("#error-summary")?.remove();
  place.prepend(summary);
  summary.focus();
});

function longestOf(form) {
  const fields = [...form.querySelectorAll(".field .form-control")].filter((it) => it.labels[0] && it.value);
  return fields.sort((a, b) => b.value.length - a.value.length)[0];
}

// As help_text_and_errors.html has an error.
function errorAt(field, text) {
  const id = `${field.id}_error`;
  document.getElementById(id)?.remove();
  const error = document.createElement("div");
  error.id = id;
  error.className = "field-error";
  error.append(document.createElement("p"));
  error.firstChild.textContent = text;
  (field.closest(".password-field") ?? field).after(error);
  field.classList.add("is-invalid");
  field.setAttribute("aria-invalid", "true");
  const described = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((it) => it && it !== id);
  field.setAttribute("aria-describedby", [id, ...described].join(" "));
}
