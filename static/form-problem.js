// An error of a whole form: it has expired, or is too large. It stands on top of the form, which keeps what was typed.
import { showToast } from "./toast.js";

const template = document.getElementById("form-problem");

document.addEventListener("form-problem", (event) => {
  const { text } = event.detail;
  const form = event.target.closest?.("form");
  const place = form?.querySelector(".dialog-content") ?? (form?.querySelector(".form-control") ? form : null);
  // A button alone has lost nothing.
  if (!place) {
    showToast({ text, kind: "bad" });
    return;
  }
  const summary = template.content.firstElementChild.cloneNode(true);
  summary.querySelector("p").textContent = text;
  form.querySelector("#error-summary")?.remove();
  place.prepend(summary);
  summary.focus();
});
