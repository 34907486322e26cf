// One message: who said it to whom and when, its text, files, embeds and buttons.

import { attachmentNode } from "./attachment.js";
import { embedNode } from "./embed.js";
import { blocks, ways } from "./markdown.js";
import { clockTime } from "./moment.js";
import { node } from "./node.js";
import { rowsNode } from "./row.js";
import { sign, withSigns } from "./sign.js";
import { avatar } from "./seat.js";
import { nameOf, state } from "./state.js";

/** The element for a message; `acts` are what can be done with it: redraw, dismiss. */
export function messageNode(message, follows, acts) {
  const mine = message.pings?.includes(state.place.me);
  const kinds = [
    "message",
    follows && "follows",
    mine && "pings-me",
    message.ephemeral && "private",
    message.failed && "failed",
  ];
  return node(
    "li",
    { class: kinds.filter(Boolean).join(" "), "data-message": message.id },
    context(message),
    avatar(message.author),
    node("div", { class: "body" }, byline(message), body(message, acts), aside(message, acts)),
  );
}

/** What stands above: the command it answers, or the message it replies to. */
function context({ occasion, reply }) {
  if (occasion?.command) {
    const used = node("button", { type: "button", onclick: () => ways.command(occasion.command) }, `used /${occasion.command}`);
    return node("div", { class: "context" }, avatar(occasion.user, "tiny"), who(occasion.user), used);
  }
  if (!reply) return null;
  const answered = state.messages.get(reply);
  if (!answered) return node("div", { class: "context" }, node("em", {}, "Original message was deleted"));
  const jump = node("button", { type: "button", onclick: () => ways.message(reply, state.place.channel) }, withSigns(excerpt(answered)));
  return node("div", { class: "context" }, avatar(answered.author, "tiny"), who(answered.author), jump);
}

const who = (user) => node("span", { class: "name" }, nameOf(user));

/** A message in a line, without marks. */
function excerpt({ content, embeds }) {
  const text = content || embeds[0]?.title || "Click to see the message";
  return node("span", {}, blocks(text)).textContent;
}

function byline({ author, at }) {
  const bot = state.names.users[author]?.bot;
  return node(
    "div",
    { class: "byline" },
    node("strong", {}, nameOf(author)),
    bot && node("span", { class: "badge", title: "An app" }, "APP"),
    clockTime(at),
  );
}

function body(message, acts) {
  if (message.sending) return node("p", { class: "thinking" }, "Sending command…");
  if (message.loading) return node("p", { class: "thinking" }, `${nameOf(message.author)} is thinking…`);
  const text = node("div", { class: "text" }, blocks(message.content));
  if (message.edited && message.embeds.length === 0) text.lastChild?.append(node("span", { class: "edited" }, "(edited)"));
  return [
    message.content && text,
    message.attachments?.map(attachmentNode),
    message.embeds.map(embedNode),
    message.components.length > 0 && rowsNode(message, acts.redraw),
  ].flat();
}

/** What stands below: for whose eyes it is, and who was pinged. */
function aside(message, acts) {
  if (message.ephemeral) {
    const dismiss = node("button", { type: "button", onclick: acts.dismiss }, "Dismiss message");
    return node("p", { class: "aside" }, sign("👁"), "Only you can see this ·", dismiss);
  }
  if (!message.pings?.length) return null;
  const pinged = message.pings.map((user) => (user === state.place.me ? "You were" : `${nameOf(user)} was`));
  return node("p", { class: "aside" }, sign("🔔"), `${pinged.join(", ")} pinged`);
}
