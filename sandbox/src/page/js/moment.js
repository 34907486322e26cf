// Moments as Discord shows them; relative ones count by themselves.

import { node } from "./node.js";
import { present, watch } from "./state.js";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const STEPS = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];
const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

/** "12 seconds ago", "in 3 minutes", "now". */
function distance(unix) {
  const seconds = Math.round(unix - present() / 1000);
  if (seconds === 0) return "now";
  const [unit, length] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return relative.format(Math.trunc(seconds / length), unit);
}

/** The element for `<t:unix:style>`. */
export function moment(unix, style = "f") {
  const at = new Date(unix * 1000);
  const full = at.toLocaleString("en", STYLES.F);
  if (style !== "R") {
    return node("time", { datetime: at.toISOString(), title: full }, at.toLocaleString("en", STYLES[style] ?? STYLES.f));
  }
  return node("time", { class: "counting", datetime: at.toISOString(), title: full, "data-since": unix }, distance(unix));
}

/** The clock time above a message. */
export function clockTime(millis) {
  const at = new Date(millis);
  const today = at.toDateString() === new Date(present()).toDateString();
  const words = at.toLocaleString("en", today ? STYLES.t : { dateStyle: "short", timeStyle: "short" });
  return node("time", { datetime: at.toISOString(), title: at.toLocaleString("en", STYLES.F) }, words);
}

/** Lets every relative moment on the page count. */
export function count() {
  const show = () => {
    for (const element of document.querySelectorAll("time[data-since]")) {
      const words = distance(Number(element.dataset.since));
      if (element.textContent !== words) element.textContent = words;
    }
  };
  setInterval(show, 1000);
  watch(["clock"], show);
}
