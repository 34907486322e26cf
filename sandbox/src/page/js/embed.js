// An embed: the coloured card below a message's text.

import { blocks, inline, outward } from "./markdown.js";
import { clockTime } from "./moment.js";
import { node } from "./node.js";

/** The element for an embed as Discord gives it. */
export function embedNode(embed) {
  const card = node(
    "article",
    { class: "embed" },
    embed.author?.name && node("p", { class: "embed-author" }, embed.author.name),
    embed.title && node("h3", { class: "embed-title" }, embed.url ? outward(embed.url, inline(embed.title)) : inline(embed.title)),
    embed.description && node("div", { class: "embed-text" }, blocks(embed.description)),
    embed.fields?.length > 0 && node("dl", { class: "fields" }, embed.fields.map(field)),
    foot(embed),
  );
  if (Number.isInteger(embed.color)) {
    card.style.setProperty("--colour", `#${embed.color.toString(16).padStart(6, "0")}`);
  }
  return card;
}

function field({ name, value, inline: beside }) {
  return node("div", { class: beside ? "field inline" : "field" }, node("dt", {}, inline(name)), node("dd", {}, blocks(value)));
}

function foot({ footer, timestamp }) {
  if (!footer?.text && !timestamp) return null;
  const time = timestamp && clockTime(Date.parse(timestamp));
  return node("p", { class: "embed-foot" }, footer?.text, footer?.text && time && " · ", time);
}
