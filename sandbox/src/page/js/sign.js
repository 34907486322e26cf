// Signs that fonts may lack, drawn by the page itself. The letter stays in the text, for whoever listens or copies.

import { node } from "./node.js";

const SVG = "http://www.w3.org/2000/svg";

/** What each sign looks like, in a box of 24, and its colour. */
const SIGNS = {
  "✅": ["good", "M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zm5 13.4 8-8-1.6-1.6-6.4 6.4-2.9-2.9-1.6 1.6z"],
  "❌": ["bad", "M6.2 4 12 9.8 17.8 4 20 6.2 14.2 12l5.8 5.8-2.2 2.2-5.8-5.8L6.2 20 4 17.8 9.8 12 4 6.2z"],
  "⚠": ["warn", "M12 2.5 23 21.5H1zm-1.2 6.5v6h2.4V9zm0 8v2.4h2.4V17z"],
  "⏭": ["calm", "M3 5l8 7-8 7zm8 0 8 7-8 7zm8.5 0H22v14h-2.500z"],
  "🔄": ["busy", "M12 4a8 8 0 0 1 7.4 5H22l-4 4.5-4-4.500h2.700A5.5 5.5 0 0 0 6.9 10H4.300A8 8 0 0 1 12 4zm0 16a8 8 0 0 1-7.4-5H2l4-4.5 4 4.500H7.300a5.5 5.5 0 0 0 9.8-1h2.600A8 8 0 0 1 12 20z"],
  "▫": ["calm", "M8 8h8v8H8zm1.6 1.600v4.800h4.800V9.600z"],
  "📦": ["warm", "M12 2 22 6.500v11L12 22 2 17.500v-11zm0 2.400L6 7l6 2.700L18 7zM4 8.800v7.400l7 3.200v-7.400zm16 0-7 3.200v7.400l7-3.200z"],
  "🛟": ["bad", "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm0 6a4 4 0 1 0 0 8 4 4 0 0 0 0-8z"],
  "❓": ["warn", "M12 3c3.3 0 5.5 2 5.5 4.8 0 2.2-1.2 3.3-2.5 4.3-1.1.9-1.5 1.4-1.5 2.600h-3c0-2.4 1-3.5 2.3-4.5 1-.8 1.6-1.3 1.6-2.3 0-1.2-.9-2-2.4-2-1.6 0-2.6.9-2.7 2.600h-3C6.4 5.2 8.6 3 12 3zm-1.7 14.500h3.300V21h-3.300z"],
  "❗": ["bad", "M10.3 3h3.400l-.5 11.500h-2.400zM10.3 17.500h3.400V21h-3.400z"],
  "🖥": ["busy", "M3 4h18v12h-7.500v2H17v2H7v-2h3.500v-2H3zm2 2v8h14V6z"],
  "🔔": ["warn", "M12 2.500a6 6 0 0 1 6 6V14l2.5 3v1.500h-17V17L6 14V8.500a6 6 0 0 1 6-6zM9.5 20h5a2.5 2.5 0 0 1-5 0z"],
  "👁": ["calm", "M12 5c5 0 9 4 11 7-2 3-6 7-11 7S3 15 1 12c2-3 6-7 11-7zm0 2.500a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zm0 2.500a2 2 0 1 1 0 4 2 2 0 0 1 0-4z"],
  "📌": ["bad", "M9 2h6l-.8 6 3.8 3.500V14h-5l-1 8-1-8H6v-2.500L9.8 8z"],
  "▰": ["busy", "M7 6h16l-6 12H1z"],
  "▱": ["calm", "M7 6h16l-6 12H1zm1.2 2-4 8h11.600l4-8z"],
  send: ["ink", "M3 3.5 22 12 3 20.5 5.5 13H13v-2H5.500z"],
  bot: ["ink", "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm0 3a7 7 0 0 0-7 7h7z"],
};
const FOUND = /^(?:✅|❌|⚠|⏭|🔄|▫|📦|🛟|❓|❗|🖥|🔔|👁|📌|▰|▱)\u{fe0f}?/u;

/** A sign by its name or letter. */
export function sign(name) {
  const [tone, path] = SIGNS[name];
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  shape.setAttribute("fill-rule", "evenodd");
  svg.append(shape);
  return node("span", { class: `sign-drawn ${tone}` }, svg);
}

/** A text without any other marks, with its signs drawn. */
export function withSigns(text) {
  const made = [];
  let plain = "";
  for (let at = 0; at < text.length; ) {
    const found = signIn(text.slice(at));
    plain += found ? "" : text[at];
    if (found) {
      made.push(plain, found.made);
      plain = "";
    }
    at += found?.length ?? 1;
  }
  return [...made, plain].filter((part) => part !== "");
}

/** What a text begins with, if that is a sign: its node, and how long it is. */
export function signIn(rest) {
  const letter = FOUND.exec(rest)?.[0];
  if (!letter) return null;
  const drawn = sign(letter.replace("\u{fe0f}", ""));
  drawn.append(node("span", { class: "unseen" }, letter));
  return { made: drawn, length: letter.length };
}
