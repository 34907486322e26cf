// The Channel: its messages in order, each drawn again when it changed, and the scroll that stays with the newest.

import { announce } from "./announcer.js";
import { messageNode } from "./message.js";
import { fill, focusedKey, node, part, refocus, reveal } from "./node.js";
import { nameOf, present, state, watch } from "./state.js";

const TOGETHER = 7 * 60 * 1000;
const NEAR = 80;

/** Messages of this window alone: what is being sent, and what failed. */
const own = new Map();
/** Messages that this window's person dismissed. */
const dismissed = new Set();
/** The elements, by message. */
const drawn = new Map();
let counted = 0;
/** The message that somebody wants to see, until it is there. */
let sought;

/** Puts a message of this window alone into the Channel; gives back what takes it out again. */
export function note(message) {
  counted += 1;
  const id = `own-${counted}`;
  const at = present();
  const base = { id, author: state.place.bot, at, content: "", embeds: [], components: [], ephemeral: true };
  own.set(id, { ...base, ...message });
  draw();
  scrollDown();
  return () => {
    own.delete(id);
    draw();
  };
}

/** A failure, as Discord's client shows it. */
export function fail(words, occasion) {
  note({ content: `❗ ${words}`, failed: true, occasion });
  announce(words);
}

/** Shows where a message is, now or as soon as its Channel is here. */
export function seek(id) {
  sought = id;
  const found = drawn.get(id)?.element;
  if (!found) return;
  sought = undefined;
  reveal(found, "center");
  found.classList.remove("found");
  // Read, so that what follows is a beginning, also the second time.
  void found.offsetWidth;
  found.classList.add("found");
}

/** Shows the Channel from now on. */
export function showChannel() {
  watch(["messages", "place", "names"], ({ put, gone, reloaded }) => {
    if (reloaded) {
      own.clear();
      drawn.clear();
      fill(part("messages"));
    }
    const before = new Set(drawn.keys());
    const titles = new Map(put.map(({ id }) => [id, drawn.get(id)?.element.querySelector(".embed-title")?.textContent]));
    const near = isNear();
    const changed = new Set([...put.map(({ id }) => id), ...gone]);
    for (const [id, known] of drawn) {
      // A reply quotes what it answers.
      known.stale = changed.has(id) || changed.has(state.messages.get(id)?.reply);
    }
    draw(!reloaded);
    if (reloaded || near) scrollDown();
    if (sought) seek(sought);
    const fresh = put.filter(({ id }) => !before.has(id));
    part("jump").hidden = part("jump").hidden && (reloaded || near || fresh.length === 0);
    if (!reloaded) put.forEach((message) => tell(message, !before.has(message.id), titles.get(message.id)));
  });
  watch(["place"], welcome);
  part("jump").addEventListener("click", scrollDown);
  part("scroll").addEventListener("scroll", () => {
    if (isNear()) part("jump").hidden = true;
  });
  new ResizeObserver(() => isPinned && scrollDown()).observe(part("scroll"));
}

let isPinned = true;

function isNear() {
  const { scrollHeight, scrollTop, clientHeight } = part("scroll");
  isPinned = scrollHeight - scrollTop - clientHeight < NEAR;
  return isPinned;
}

function scrollDown() {
  const scroll = part("scroll");
  scroll.scrollTop = scroll.scrollHeight;
  isPinned = true;
  part("jump").hidden = true;
}

/** All that this person sees, in order. */
function seen() {
  const all = [...state.messages.values(), ...own.values()].filter(({ id }) => !dismissed.has(id));
  return all.sort((a, b) => a.at - b.at || order(a, b));
}

function order(a, b) {
  if (own.has(a.id) || own.has(b.id)) return own.has(a.id) ? 1 : -1;
  return BigInt(a.id) < BigInt(b.id) ? -1 : 1;
}

function draw(animate = false) {
  const list = part("messages");
  const messages = seen();
  const there = new Set(messages.map(({ id }) => id));
  for (const [id, { element }] of drawn) {
    if (!there.has(id)) {
      element.remove();
      drawn.delete(id);
    }
  }
  messages.forEach((message, at) => {
    const follows = isFollowing(message, messages[at - 1]);
    const known = drawn.get(message.id);
    if (!known || known.stale || known.follows !== follows) place(message, follows, known, animate && !known);
    const { element } = drawn.get(message.id);
    if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
  });
}

function place(message, follows, known, fresh) {
  const key = focusedKey(known?.element);
  const acts = {
    redraw: () => {
      const known = drawn.get(message.id);
      if (known) place(state.messages.get(message.id) ?? message, known.follows, known);
    },
    dismiss: () => {
      dismissed.add(message.id);
      own.delete(message.id);
      draw();
    },
  };
  const element = messageNode(message, follows, acts);
  if (fresh) element.classList.add("fresh");
  known?.element.replaceWith(element);
  drawn.set(message.id, { element, follows });
  // A button that was pressed may be gone: the person stays in the Channel.
  if (key && !refocus(element, key)) part("scroll").focus({ preventScroll: true });
}

function isFollowing(message, before) {
  if (!before || message.occasion?.command || message.reply || message.ephemeral !== before.ephemeral) return false;
  if (before.failed || before.pings?.length > 0) return false;
  return before.author === message.author && message.at - before.at < TOGETHER;
}

/** Says a new message aloud, and of an edited one its new headline. */
function tell(message, isNew, title) {
  const element = drawn.get(message.id)?.element;
  if (!element || message.loading) return;
  const now = element.querySelector(".embed-title")?.textContent;
  if (isNew) {
    const parts = [...element.querySelectorAll(".text, .embed-title, .embed-text")].map((found) => found.textContent);
    announce(`${nameOf(message.author)}: ${parts.map((words) => words.replace(/[^.?!]$/, "$&.")).join(" ")}`);
  } else if (now && now !== title) {
    announce(now);
  }
}

function welcome() {
  const { channels, channel } = state.place;
  const name = channels.find((place) => place.id === channel).name;
  fill(
    part("welcome"),
    node("h2", {}, `Welcome to #${name}`),
    node(
      "p",
      {},
      "Tonight ",
      node("code", {}, "minecraft"),
      " gets an upgrade, and you keep a way back: the bot turns it off, takes a Snapshot and turns it on again, whatever goes wrong.",
    ),
    node("div", { class: "first", id: "first" }),
    node(
      "p",
      { class: "aside-words" },
      "The bot is the real one; Discord and DigitalOcean are simulated. Type ",
      node("kbd", {}, "/"),
      " for all it can do.",
    ),
  );
}
