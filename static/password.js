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
