// The dialog for a new password: a verdict belongs to the password that was tested.
document.addEventListener("input", (event) => {
  if (event.target.id !== "id_password" || event.target.form?.id !== "password-form") return;
  document.getElementById("verdict").replaceChildren();
});
