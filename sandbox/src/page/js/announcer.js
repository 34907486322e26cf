// Says aloud what is new, for people who do not look at the screen.

import { part } from "./node.js";

let queue = [];
let speaking = false;

/** Lets a screen reader say this, after what it is saying. */
export function announce(words) {
  queue = [...queue.slice(-4), words.slice(0, 300)];
  if (!speaking) next();
}

function next() {
  const words = queue.shift();
  speaking = words !== undefined;
  if (!speaking) return;
  part("announcer").textContent = words;
  setTimeout(next, 900);
}
