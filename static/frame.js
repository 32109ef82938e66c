// Navigation on narrow screens, top bar menus, theme, copy buttons, demo accounts.
import { place, walk } from "./popover.js";
import { showToast } from "./toast.js";

const root = document.documentElement;
const words = document.getElementById("words").dataset;
const toggle = document.getElementById("nav-toggle");
const navigation = document.getElementById("navigation");
const YEAR = 365 * 24 * 3600;

function open(yes) {
  navigation.classList.toggle("open", yes);
  toggle.setAttribute("aria-expanded", String(yes));
}

if (toggle && navigation) {
  toggle.addEventListener("click", () => {
    open(!navigation.classList.contains("open"));
    if (navigation.classList.contains("open")) navigation.querySelector("a")?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && navigation.classList.contains("open")) {
      open(false);
      toggle.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!navigation.contains(event.target) && !toggle.contains(event.target)) open(false);
  });
}

for (const button of document.querySelectorAll("[popovertarget]")) {
  const menu = document.getElementById(button.getAttribute("popovertarget"));
  if (!menu) continue;
  // "toggle" comes a moment after the menu is shown: out of sight until then.
  menu.addEventListener("beforetoggle", (event) => {
    if (event.newState === "open") menu.style.left = "-100vw";
  });
  menu.addEventListener("toggle", (event) => {
    const shown = event.newState === "open";
    button.setAttribute("aria-expanded", String(shown));
    if (!shown) return;
    place(menu, button, { align: button.closest(".topbar-end") ? "end" : "start" });
    if (menu.getAttribute("role") === "menu") menu.querySelector(".menu-item")?.focus();
  });
  menu.addEventListener("keydown", (event) => walk(menu, event, ".menu-item, .btn"));
}

// Filters change the URL after the page load: switch the language for the current URL.
document.getElementById("language-form")?.addEventListener("submit", (event) => {
  event.target.elements.next.value = window.location.pathname + window.location.search;
});

document.getElementById("theme-menu")?.addEventListener("click", (event) => {
  const item = event.target.closest("[data-theme-choice]");
  if (!item) return;
  root.dataset.theme = item.dataset.themeChoice;
  const secure = window.location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${root.dataset.theme}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
  document.dispatchEvent(new Event("theme-chosen"));
  for (const other of item.parentElement.children) {
    other.setAttribute("aria-checked", String(other === item));
  }
  item.parentElement.hidePopover();
});

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Browsers have no clipboard API without HTTPS; the older command still works.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return undefined;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await copy(button.dataset.copy);
  showToast({ text: words.copied });
});

document.addEventListener("click", (event) => {
  const account = event.target.closest("[data-demo]");
  if (!account) return;
  document.getElementById("id_login_username").value = account.dataset.demo;
  document.getElementById("id_login_password").value = "demo";
  document.querySelector(".login-button").focus();
});
