// The panel's switches: what can go wrong at DigitalOcean, and the bot's life.

import { announce } from "./announcer.js";
import { desk } from "./desk.js";
import { fill, node, part } from "./node.js";
import { state, watch } from "./state.js";

const WORDS = {
  starting: ["Starting", "It opens its database and logs in."],
  running: ["Running", "Killing it is like pulling the plug: no goodbye, no tidying up."],
  killed: ["Killed", "Its database remembers what it was doing."],
  failed: ["It ended", ""],
};

/** Kills or starts the bot. */
export async function order(what) {
  await desk.order(what);
}

/** Shows the switches from now on. */
export function showSwitches() {
  watch(["switches"], () => {
    fill(part("switches"), state.switches.map(switchButton));
  });
  watch(["bot", "online"], () => {
    const { bot, online } = state;
    if (!bot) {
      fill(part("bot"), node("p", {}, "It runs elsewhere."));
      return;
    }
    const coming = bot.state === "starting" || (bot.state === "running" && !online);
    const [word, hint] = WORDS[coming ? "starting" : bot.state];
    const dead = bot.state === "killed" || bot.state === "failed";
    const kill = node("button", { type: "button", class: "button danger", id: "kill", "data-key": "bot", onclick: () => order("kill") }, "Kill the bot");
    const start = node("button", { type: "button", class: "button success", id: "start", "data-key": "bot", onclick: () => order("start") }, "Start it again");
    const lamp = node("span", { class: !dead && !coming ? "lamp on" : "lamp", "aria-hidden": "true" });
    fill(part("bot"), node("div", { class: "bot" }, lamp, node("p", {}, node("strong", {}, word), bot.why ?? hint), dead ? start : kill));
  });
  let before;
  watch(["bot"], () => {
    if (before && before !== state.bot?.state) announce(`The bot: ${WORDS[state.bot.state][0]}`);
    before = state.bot?.state;
  });
}

function switchButton({ key, label, hint, on }) {
  return node(
    "button",
    {
      type: "button",
      class: "switch",
      role: "switch",
      "aria-checked": String(on),
      "data-switch": key,
      "data-key": key,
      onclick: () => desk.throwSwitch(key, !on),
    },
    node("strong", {}, label),
    node("small", {}, hint),
  );
}
