// Discord's Markdown as far as bots use it, made into nodes. Whatever is not understood stays the text it was.

import { moment } from "./moment.js";
import { node } from "./node.js";
import { signIn } from "./sign.js";
import { nameOf, state } from "./state.js";

const SPANS = [
  { sign: "***", tags: ["strong", "em"] },
  { sign: "**", tags: ["strong"] },
  { sign: "__", tags: ["u"] },
  { sign: "~~", tags: ["s"] },
  { sign: "||", tags: ["span"] },
  { sign: "*", tags: ["em"] },
  { sign: "_", tags: ["em"], wordy: true },
];
const TAG = /^<(@&|@!?|#|t:|\/)([^<>\n]{1,100})>/;
const LINK = /^\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)/;
const ADDRESS = /^https?:\/\/[^\s<>)]+/;
const MESSAGE_LINK = /^https:\/\/discord\.com\/channels\/\d+\/(\d+)\/(\d+)/;

/** What a tag or a message link can do when it is pressed; the page's parts fill this in. */
export const ways = { command: () => {}, message: () => {} };

/** Nodes for a text with blocks: headings, lists, quotes, code. */
export function blocks(text) {
  const made = [];
  let plain = [];
  const flush = () => {
    if (plain.length > 0) made.push(node("div", { class: "lines" }, inline(plain.join("\n"))));
    plain = [];
  };
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    const heading = /^(#{1,3}) (.+)$/.exec(line);
    if (line.startsWith("```")) {
      const end = lines.findIndex((other, below) => below > at && other.includes("```"));
      const body = end < 0 ? lines.slice(at) : lines.slice(at, end + 1);
      flush();
      made.push(node("pre", {}, body.join("\n").replace(/^```(\w*\n)?/, "").replace(/\n?```.*$/, "")));
      at += body.length - 1;
    } else if (heading) {
      flush();
      made.push(node("h3", {}, inline(heading[2])));
    } else if (line.startsWith("-# ")) {
      flush();
      made.push(node("div", { class: "subtext" }, inline(line.slice(3))));
    } else if (line.startsWith("> ")) {
      flush();
      made.push(node("blockquote", {}, inline(line.slice(2))));
    } else if (/^[-*] /.test(line)) {
      flush();
      const item = node("li", {}, inline(line.slice(2)));
      const list = made.at(-1);
      if (list?.tagName === "UL") list.append(item);
      else made.push(node("ul", {}, item));
    } else {
      plain.push(line);
    }
  }
  flush();
  return made;
}

/** Nodes for a text within a line. */
export function inline(text) {
  const made = [];
  let plain = "";
  const put = (element) => {
    if (plain) made.push(plain);
    plain = "";
    made.push(element);
  };
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const found = escaped(rest) ?? code(rest) ?? signIn(rest) ?? tag(rest) ?? link(rest) ?? span(rest, text[at - 1]);
    if (!found) {
      plain += text[at];
      at += 1;
    } else if (typeof found.made === "string") {
      plain += found.made;
      at += found.length;
    } else {
      put(found.made);
      at += found.length;
    }
  }
  if (plain) made.push(plain);
  return made;
}

function escaped(rest) {
  return /^\\[^\w\s]/.test(rest) ? { made: rest[1], length: 2 } : null;
}

function code(rest) {
  const ticks = /^`+/.exec(rest)?.[0];
  if (!ticks) return null;
  const end = rest.indexOf(ticks, ticks.length);
  if (end < 0 || rest[end + ticks.length] === "`") return null;
  const inside = rest.slice(ticks.length, end);
  // Two ticks are padded by a space where the text itself begins or ends with one.
  return { made: node("code", {}, inside.replace(/^ (?=`)|(?<=`) $/g, "")), length: end + ticks.length };
}

function tag(rest) {
  const found = TAG.exec(rest);
  if (!found) return null;
  const [whole, kind, inside] = found;
  const made = tagged(kind, inside);
  return made && { made, length: whole.length };
}

function tagged(kind, inside) {
  const { roles = {}, channels = {} } = state.names ?? {};
  switch (kind) {
    case "@":
    case "@!":
      if (!/^\d+$/.test(inside)) return null;
      return node("span", { class: "mention" }, `@${nameOf(inside)}`);
    case "@&":
      return node("span", { class: "mention" }, `@${roles[inside] ?? "unknown-role"}`);
    case "#":
      return node("span", { class: "mention" }, `#${channels[inside] ?? "unknown"}`);
    case "/": {
      if (!/^[^:]+:\d+$/.test(inside)) return null;
      const path = inside.replace(/:\d+$/, "");
      return node("button", { type: "button", class: "mention", onclick: () => ways.command(path) }, `/${path}`);
    }
    default: {
      const [unix, style] = inside.split(":");
      return /^-?\d{1,12}$/.test(unix) ? moment(Number(unix), style) : null;
    }
  }
}

function link(rest) {
  const message = MESSAGE_LINK.exec(rest);
  if (message) {
    const [whole, channel, id] = message;
    const words = `#${state.names?.channels[channel] ?? "unknown"} › message`;
    const made = node("button", { type: "button", class: "mention", onclick: () => ways.message(id, channel) }, words);
    return { made, length: whole.length };
  }
  const masked = LINK.exec(rest);
  if (masked) return { made: outward(masked[2], inline(masked[1])), length: masked[0].length };
  const bare = ADDRESS.exec(rest);
  return bare && { made: outward(bare[0], bare[0]), length: bare[0].length };
}

/** A link that leaves the page, in a window of its own. */
export function outward(address, ...words) {
  return node("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...words);
}

function span(rest, before) {
  const kind = SPANS.find(({ sign }) => rest.startsWith(sign));
  if (!kind || (kind.wordy && /\w/.test(before ?? ""))) return null;
  const end = closing(rest, kind);
  if (end < 0) return null;
  const inside = inline(rest.slice(kind.sign.length, end));
  const made = kind.tags.reduceRight((children, name) => [node(name, {}, children)], inside);
  return { made: made[0], length: end + kind.sign.length };
}

/** Where a span ends; code and escapes inside do not end it. */
function closing(rest, { sign, wordy }) {
  for (let at = sign.length; at < rest.length; ) {
    const inner = rest.slice(at);
    const skipped = escaped(inner)?.length ?? code(inner)?.length ?? 0;
    if (skipped > 0) {
      at += skipped;
    } else if (inner.startsWith(sign) && at > sign.length && !(wordy && /\w/.test(inner[sign.length] ?? ""))) {
      return at;
    } else {
      at += 1;
    }
  }
  return -1;
}
