// Some things to try, for somebody who is here for the first time.

import { announce } from "./announcer.js";
import { desk } from "./desk.js";
import { fill, node, part } from "./node.js";
import { state, watch } from "./state.js";
import { order } from "./switches.js";

const OVER = "tour-over";

/** Shows the suggestions above this composer; `sit` takes another seat. */
export function showTour(composer, sit) {
  const done = new Set();
  let wanted;
  /** When killing the bot was suggested, and whose Droplet was off then. */
  let since;
  let victim;
  /** What to do as soon as this window is somebody else's. */
  let seated;
  const begin = (name, path = "snapshot take", options = []) => {
    done.add(name);
    composer.begin(path, options);
    show();
  };
  const putBack = () => {
    const droplet = state.droplets.find(({ snapshots }) => snapshots.length > 0)?.name;
    begin("restore", "snapshot restore", droplet ? [["droplet", droplet]] : []);
  };
  const suggestions = [
    ["take", "Take a snapshot", () => begin("take")],
    [
      "restore",
      "Put one back",
      () => {
        const restorer = state.place.seats.find(({ roles }) => roles.includes("Restorer"));
        if (!restorer || restorer.id === state.place.me) {
          putBack();
          return;
        }
        seated = putBack;
        sit({ seat: restorer.name });
      },
    ],
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
        since = Date.now();
        begin("kill");
      },
    ],
  ];
  const over = () => {
    sessionStorage.setItem(OVER, "yes");
    part("tour").hidden = true;
    composer.focus();
  };
  const act = (words, label, kind, what) => {
    part("tour").className = "tour now";
    const press = () => {
      order(what);
      if (what === "start") composer.focus();
    };
    const now = node("button", { type: "button", class: `button ${kind}`, "data-key": "act", onclick: press }, label);
    fill(part("tour"), node("p", {}, words), now);
    announce(words);
  };
  /** A Droplet that the bot turned off: the moment to kill it. */
  const isDown = ({ power, actions }) =>
    power === "off" && actions.some(({ kind, started }) => /^(shutdown|power_off)$/.test(kind) && started >= since);
  let shown;
  const show = () => {
    if (wanted === "kill") victim = state.droplets?.find(isDown)?.name;
    const off = state.droplets?.find(({ name, power }) => name === victim && power === "off")?.name;
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
          node("button", { type: "button", class: done.has(name) ? "try done" : "try", "data-key": name, onclick: go }, label),
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
  watch(["place"], () => {
    const next = seated;
    seated = undefined;
    next?.();
  });
}
