// Says aloud what is new, for people who do not look at the screen.

import { part } from "./node.js";

/** How long something stays in sight that is shown for a moment, in milliseconds. */
const SHOWN = 4000;

let queue = [];
let speaking = false;
let hiding;

/** Lets a screen reader say this, after what it is saying. */
export function announce(words) {
  queue = [...queue.slice(-4), words.slice(0, 300)];
  if (!speaking) next();
}

/** Says this to everybody: aloud, and for a moment in sight. */
export function tell(words) {
  announce(words);
  part("toast").textContent = words;
  part("toast").hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (part("toast").hidden = true), SHOWN);
}

function next() {
  const words = queue.shift();
  speaking = words !== undefined;
  if (!speaking) return;
  part("announcer").textContent = words;
  setTimeout(next, 900);
}
