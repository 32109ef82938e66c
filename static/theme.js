// Sets theme and row density before the first paint, so that the page does not flash.
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
    // Storage may be blocked: use the default density.
  }
})();
