// Signs that fonts may lack, drawn by the page itself. The letter stays in the text, for people who listen to it or copy it.

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
  "🟢": ["good", "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16z"],
  "⚫": ["calm", "M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zm0 2.400a5.6 5.6 0 1 0 0 11.200 5.6 5.6 0 0 0 0-11.200z"],
  "🗓": ["busy", "M7 2h2.400v2.500h5.200V2H17v2.500h4V21H3V4.500h4zm12 7.500H5V19h14zM7 11.500h3v3H7zm4.500 0h3v3h-3z"],
  "🛑": ["bad", "M8 2.500h8L21.500 8v8L16 21.500H8L2.500 16V8z"],
  "🔎": ["busy", "M10 3a7 7 0 0 1 5.6 11.200l5.400 5.400-1.800 1.800-5.400-5.400A7 7 0 1 1 10 3zm0 2.400a4.6 4.6 0 1 0 0 9.200 4.6 4.6 0 0 0 0-9.200z"],
  "⛔": ["bad", "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zM6 10.400v3.200h12v-3.200z"],
  "➖": ["calm", "M4 10.500h16v3H4z"],
  "⏸": ["calm", "M6 4h4.500v16H6zm7.5 0H18v16h-4.500z"],
  "🗑": ["bad", "M9 2h6v2h5v2.400H4V4h5zM5.500 8h13l-1 14h-11zm3.700 2.500.4 9h1.600l-.3-9zm3.900 0-.3 9h1.600l.4-9z"],
  "⏳": ["warn", "M5 2h14v2.400h-1.500V7L13.600 12l3.900 5v2.600H19V22H5v-2.400h1.500V17l3.900-5-3.900-5V4.400H5z"],
  "🧹": ["warm", "M18.800 2.500l2 2L13.500 12l2 2-1.500 1.500L8.500 10 10 8.500l2 2zM7.500 11l5.500 5.500L9 22l-7-7z"],
  "✏": ["warm", "M16.500 2.500l5 5L8 21l-6 1 1-6zm0 3.400L5.200 17.200l-.5 2.100 2.100-.5L18.100 7.500z"],
  "ℹ": ["busy", "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm-1.300 8v7.500h2.600V10zm0-3.500v2.400h2.600V6.500z"],
  "▰": ["busy", "M7 6h16l-6 12H1z"],
  "▱": ["calm", "M7 6h16l-6 12H1zm1.2 2-4 8h11.600l4-8z"],
  send: ["ink", "M3 3.5 22 12 3 20.5 5.5 13H13v-2H5.500z"],
  bot: ["ink", "M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20zm0 3a7 7 0 0 0-7 7h7z"],
};
// Those with a name in Latin letters are the page's own, and stand in no text.
const LETTERS = Object.keys(SIGNS).filter((letter) => !/^[a-z]/.test(letter));
const FOUND = new RegExp(`^(?:${LETTERS.join("|")})\\u{fe0f}?`, "u");

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
