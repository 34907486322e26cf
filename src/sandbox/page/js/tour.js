// Three things to try, for somebody who is here for the first time.

import { desk } from "./desk.js";
import { fill, node, part } from "./node.js";
import { state, watch } from "./state.js";
import { order } from "./switches.js";

const OVER = "tour-over";

/** Shows the suggestions above this composer. */
export function showTour(composer) {
  const done = new Set();
  let wanted;
  const begin = (name) => {
    done.add(name);
    composer.begin("snapshot take");
    show();
  };
  const suggestions = [
    ["take", "Take a snapshot", () => begin("take")],
    [
      "fail",
      "Let one fail",
      async () => {
        await desk.throwSwitch("snapshot_errs", true);
        begin("fail");
      },
    ],
    [
      "kill",
      "Kill the bot midway",
      () => {
        wanted = "kill";
        begin("kill");
      },
    ],
  ];
  const over = () => {
    sessionStorage.setItem(OVER, "yes");
    part("tour").hidden = true;
  };
  const act = (words, label, kind, what) => {
    part("tour").className = "tour now";
    const now = node("button", { type: "button", class: `button ${kind}`, onclick: () => order(what) }, label);
    fill(part("tour"), node("p", {}, words), now);
  };
  /** A Droplet that is off although it was on: the moment to kill the bot. */
  const victim = () => state.droplets?.find(({ power, actions }) => power === "off" && actions.length > 0)?.name;
  let shown;
  const show = () => {
    const off = victim();
    const mode = wanted === "start" ? "start" : wanted === "kill" && off ? "kill" : "list";
    const key = `${mode} ${off} ${[...done]} ${Boolean(state.commands?.length)}`;
    if (key === shown) return;
    shown = key;
    if (mode === "kill") {
      act(`${off} is off now. Kill the bot and see whether it comes back.`, "Kill the bot", "danger", "kill");
    } else if (mode === "start") {
      act(`The bot is dead${off ? `, and ${off} is off` : ""}.`, "Start it again", "success", "start");
    } else {
      part("tour").className = "tour";
      fill(
        part("tour"),
        node("p", {}, "Try this:"),
        suggestions.map(([name, label, go]) =>
          node("button", { type: "button", class: done.has(name) ? "try done" : "try", onclick: go }, label),
        ),
        node("button", { type: "button", class: "end", onclick: over }, "Hide"),
      );
    }
    part("tour").hidden = sessionStorage.getItem(OVER) !== null || !state.commands?.length;
  };
  watch(["bot"], () => {
    if (wanted === "kill" && state.bot?.state === "killed") wanted = "start";
    if (wanted === "start" && state.bot?.state !== "killed") wanted = undefined;
    show();
  });
  watch(["droplets", "commands"], show);
}
