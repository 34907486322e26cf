// The clock that bot, Discord and DigitalOcean share: what it shows, and the week that passes in a minute.

import { tell } from "./announcer.js";
import { desk } from "./desk.js";
import { fill, node, part } from "./node.js";
import { count } from "./proof.js";
import { present, state, watch } from "./state.js";

const DAY = 24 * 60 * 60 * 1000;
const FORM = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const words = new Intl.DateTimeFormat("en-GB", FORM);

/** An element that shows the clock for as long as it is on the page. */
export const clockFace = () => node("strong", { class: "clock-face", "data-clock": "" }, words.format(present()));

/** Shows the clock in the panel from now on. The button stays the same one, so that it can be pressed while time flies. */
export function showClock() {
  const button = node("button", { type: "button", class: "button", id: "week", onclick: () => desk.time(state.clock.fast ? "stop" : "week") });
  fill(part("clock"), node("p", {}, clockFace()), button);
  const show = () => {
    for (const face of document.querySelectorAll("[data-clock]")) face.textContent = words.format(present());
  };
  setInterval(show, 1000);
  watch(["clock"], () => {
    part("clock-part").hidden = !state.clock;
    button.textContent = state.clock?.fast ? "Stop" : "A week in a minute";
    show();
  });
}

/** Tells what a week brought, or as much of it as passed. */
export function watchForWeek(proven) {
  let week;
  const snapshots = () => new Set(state.droplets.flatMap((droplet) => droplet.snapshots.map(({ id }) => id)));
  const pings = () => [...state.messages.values()].filter((message) => message.pings?.length > 0).length;
  watch(["clock", "droplets"], () => {
    if (!state.clock || !state.droplets) return;
    const there = snapshots();
    if (state.clock.fast) week ??= { since: present(), before: there, seen: new Set(), pings: pings() };
    if (!week) return;
    there.forEach((id) => week.seen.add(id));
    if (state.clock.fast) return;
    const { since, before, seen } = week;
    const taken = [...seen].filter((id) => !before.has(id)).length;
    const deleted = [...seen].filter((id) => !there.has(id)).length;
    const days = Math.round((present() - since) / DAY);
    const told = count(pings() - week.pings, "ping");
    week = undefined;
    if (days < 7) tell("The clock goes at its own pace again.");
    if (days > 0) proven(`${count(days, "day")} went by: ${count(taken, "Snapshot")} taken, ${deleted} deleted, ${told}.`);
  });
}
