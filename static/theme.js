// Runs before the first paint: the theme (a cookie, or the system's) and the density of rows. No flash.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const choice = root.dataset.theme;
    root.dataset.bsTheme = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
  };
  dark.addEventListener("change", apply);
  document.addEventListener("theme-chosen", apply);
  apply();
  try {
    root.dataset.density = window.localStorage.getItem("density") || "";
  } catch {
    // Storage may be blocked; the usual density will do.
  }
})();
