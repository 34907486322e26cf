// Who sits at this window and where: the people and Channels to choose from, and everybody's avatar.

import { tell } from "./announcer.js";
import { fill, node, part } from "./node.js";
import { sign } from "./sign.js";
import { nameOf, state, watch } from "./state.js";

const TINTS = 5;

/** A round picture with an initial, the same for a person wherever it stands. */
export function avatar(user, size = "") {
  const name = nameOf(user);
  const bot = state.names?.users[user]?.bot;
  const places = state.place?.seats.findIndex((seat) => seat.id === user) ?? -1;
  const tint = bot ? "tint-bot" : `tint-${(places < 0 ? name.length : places) % TINTS}`;
  return node("span", { class: `avatar ${size} ${tint}`, "aria-hidden": "true" }, bot ? sign("bot") : name[0]);
}

/** Shows seats and Channels, and tells `change` what was chosen. */
export function showPlaces(change) {
  watch(["place", "names"], () => {
    const { guild, seats, me, channels, channel } = state.place;
    part("guild").textContent = guild.name;
    const own = channels.find((place) => place.id === channel);
    part("title").textContent = own.name;
    document.title = `#${own.name} · ${guild.name}`;
    fill(part("channels"), channels.map((place) => channelItem(place, place.id === channel, change)));
    fill(part("seats"), seats.map((seat) => seatButton(seat, seat.id === me, change)));
  });
  let seated;
  watch(["place"], () => {
    const seat = state.place.seats.find(({ id }) => id === state.place.me);
    if (seated !== undefined && seated !== seat.id) tell(`You are ${seat.name} now, ${seat.roles[0] ?? "Guest"}.`);
    seated = seat.id;
  });
  watch(["online", "place", "names", "presence"], () => {
    const { bot } = state.place;
    const presence = node("span", { class: state.online ? "presence online" : "presence" }, avatar(bot, "small"));
    const words = node("span", { class: "unseen" }, state.online ? "(online)" : "(offline)");
    const activity = state.online ? state.presence : "";
    const named = node("span", { class: "who" }, node("span", {}, nameOf(bot)), words, node("small", {}, activity || "\u00a0"));
    fill(part("app"), presence, named);
  });
}

function channelItem(place, current, change) {
  const go = () => change({ channel: place.name });
  return node("li", {}, node("button", { type: "button", "data-key": place.name, "aria-current": current && "page", onclick: go }, place.name));
}

function seatButton(seat, current, change) {
  const role = seat.roles[0] ?? "Guest";
  return node(
    "button",
    {
      type: "button",
      class: "seat",
      "aria-pressed": current ? "true" : "false",
      "data-key": seat.name,
      title: `${seat.name}, ${role}`,
      onclick: () => change({ seat: seat.name }),
    },
    avatar(seat.id, "small"),
    node("span", { class: "who" }, node("strong", {}, seat.name), " ", node("small", {}, role)),
  );
}
