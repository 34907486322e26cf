// What this window knows: the sections that the page sends, and who wants to hear when one changes.

const watchers = [];

/** The sections by name, and the messages by id. */
export const state = { messages: new Map() };

/** Calls back whenever one of these sections changed. */
export function watch(names, callback) {
  watchers.push({ names, callback });
}

/** Takes in what changed; at first, and after a lost line, everything. */
export function take(change, reloaded) {
  const changed = new Set(Object.keys(change));
  const put = change.put ?? [];
  let gone = change.gone ?? [];
  if (reloaded) {
    const there = new Set(put.map((message) => message.id));
    gone = [...state.messages.keys()].filter((id) => !there.has(id));
  }
  for (const [name, section] of Object.entries(change)) {
    if (name !== "put" && name !== "gone") state[name] = section;
  }
  put.forEach((message) => state.messages.set(message.id, message));
  gone.forEach((id) => state.messages.delete(id));
  changed.delete("put");
  changed.delete("gone");
  if (put.length > 0 || gone.length > 0) changed.add("messages");
  const told = { put, gone, reloaded };
  for (const { names, callback } of watchers) {
    if (names.some((name) => changed.has(name))) callback(told);
  }
}

/** The present moment in milliseconds, by the clock that bot, Discord and DigitalOcean share. */
export const present = () => Date.now() + (state.clock?.ahead ?? 0);

/** A person's or the bot's name. */
export const nameOf = (user) => state.names?.users[user]?.name ?? "unknown-user";

/** This window's own name and Channel, as the address has them. */
export function here() {
  const { seats, me, channels, channel } = state.place;
  return {
    seat: seats.find((seat) => seat.id === me).name,
    channel: channels.find((place) => place.id === channel)?.name,
  };
}
