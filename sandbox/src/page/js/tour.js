// Some things to try, for somebody who is here for the first time.

import { announce } from "./announcer.js";
import { clockFace, watchForWeek } from "./clock.js";
import { desk } from "./desk.js";
import { inline } from "./markdown.js";
import { fill, node, part } from "./node.js";
import { watchForProof } from "./proof.js";
import { sign } from "./sign.js";
import { present, state, watch } from "./state.js";
import { order } from "./switches.js";

const OVER = "tour-over";

const FIRST = "minecraft";

/** Shows the one thing to do first, under the Channel's name. Its place is there before it can be pressed. */
export function showFirst(composer) {
  let isDone = false;
  const show = () => {
    const place = part("first");
    if (!place) return;
    const isOffered = state.commands?.some(({ path }) => path === "snapshot take");
    const press = () => {
      isDone = true;
      composer.order("snapshot take", [["droplet", FIRST]]);
      show();
    };
    const words = ["Take a Snapshot of ", node("code", {}, FIRST)];
    const kind = isDone ? "button" : "button primary";
    fill(place, node("button", { type: "button", class: kind, "data-key": "first", disabled: !isOffered, onclick: press }, words));
  };
  watch(["place", "commands"], show);
}

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
    ["take", "Take another", () => begin("take")],
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
        since = present();
        begin("kill");
      },
    ],
    [
      "week",
      "A week in a minute",
      () => {
        done.add("week");
        desk.time("week");
        show();
      },
    ],
  ];
  const over = () => {
    sessionStorage.setItem(OVER, "yes");
    part("tour").hidden = true;
    composer.focus();
  };
  const act = (words, label, kind, press) => {
    part("tour").className = "tour now";
    const now = node("button", { type: "button", class: `button ${kind}`, "data-key": "act", onclick: press }, label);
    const said = node("p", {}, words);
    fill(part("tour"), said, now);
    announce(said.textContent);
  };
  const start = () => {
    order("start");
    composer.focus();
  };
  /** A Droplet that the bot turned off: the moment to kill it. */
  const isDown = ({ power, actions }) =>
    power === "off" && actions.some(({ kind, started }) => /^(shutdown|power_off)$/.test(kind) && started >= since);
  let shown;
  let proof;
  const prove = (words) => {
    proof = words;
    show();
  };
  watchForProof(prove);
  watchForWeek(prove);
  const show = () => {
    if (wanted === "kill") victim = state.droplets?.find(isDown)?.name;
    const off = state.droplets?.find(({ name, power }) => name === victim && power === "off")?.name;
    const asked = wanted === "start" ? "start" : wanted === "kill" && off ? "kill" : "list";
    const flies = state.clock?.fast ? "week" : proof ? "proof" : "list";
    const mode = asked === "list" ? flies : asked;
    const key = `${mode} ${off} ${proof} ${[...done]} ${Boolean(state.commands?.length)}`;
    if (key === shown) return;
    shown = key;
    if (mode === "kill") {
      act(`${off} is off now. Kill the bot and see whether it comes back.`, "Kill the bot", "danger", () => order("kill"));
    } else if (mode === "start") {
      act(`The bot is dead${off ? `, and ${off} is off` : ""}.`, "Start it again", "success", start);
    } else if (mode === "week") {
      const words = ["Hours fly by until the bot has something to do: ", clockFace()];
      act(words, "Stop", "", () => desk.time("stop"));
    } else if (mode === "proof") {
      const go = () => {
        proof = undefined;
        show();
      };
      part("tour").className = "tour now proved";
      fill(part("tour"), node("p", {}, sign("✅"), " ", inline(proof)), node("button", { type: "button", class: "button", "data-key": "proof", onclick: go }, "Good"));
      announce(proof.replaceAll("`", ""));
    } else {
      part("tour").className = "tour";
      fill(
        part("tour"),
        suggestions.filter(([name]) => name !== "week" || state.clock).map(([name, label, go]) =>
          node("button", { type: "button", class: done.has(name) ? "try done" : "try", "data-key": name, onclick: go }, label),
        ),
        node("button", { type: "button", class: "end", onclick: over }, "Hide"),
      );
    }
    // Its place is kept until the bot has its commands.
    part("tour").classList.toggle("coming", !state.commands?.length);
    part("tour").hidden = mode !== "proof" && sessionStorage.getItem(OVER) !== null;
  };
  watch(["bot"], () => {
    if (wanted === "kill" && state.bot?.state === "killed") wanted = "start";
    if (wanted === "start" && state.bot?.state !== "killed") wanted = undefined;
    show();
  });
  watch(["droplets", "commands", "clock"], show);
  watch(["place"], () => {
    const next = seated;
    seated = undefined;
    next?.();
  });
}
