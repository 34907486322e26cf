// Light or dark: as the system has it, until somebody chooses here.

import { part } from "./node.js";

const KEY = "theme";
const system = matchMedia("(prefers-color-scheme: light)");

/** Sets the theme, and lets the button change it. */
export function showTheme() {
  let chosen = localStorage.getItem(KEY);
  const show = () => {
    const theme = chosen ?? (system.matches ? "light" : "dark");
    document.documentElement.dataset.theme = theme;
    part("theme").textContent = theme === "light" ? "Dark" : "Light";
    part("theme").setAttribute("aria-label", theme === "light" ? "Use dark colours" : "Use light colours");
  };
  part("theme").addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "light" ? "dark" : "light";
    localStorage.setItem(KEY, chosen);
    show();
  });
  system.addEventListener("change", show);
  show();
}
