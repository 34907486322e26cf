// What was proven: somebody killed the bot, or let something go wrong, while it worked on a Droplet, and it ended well.

import { present, state, watch } from "./state.js";

const FAULTS = {
  snapshot_errs: (droplet) => `DigitalOcean failed the Snapshot of ${droplet}`,
  shutdown_hangs: (droplet) => `The shutdown of ${droplet} got stuck`,
  answers_lost: (droplet) => `Answers got lost with ${droplet} off`,
  down: (droplet) => `DigitalOcean was down with ${droplet} off`,
};
/** What can be pressed only while something runs. */
const FOR_NOW = /^(Cancel|Leave it off|Force power off)/;

/** Tells what was proven, as a sentence or two, whenever something was. */
export function watchForProof(tell) {
  /** What was there when a Droplet was told to shut down, by its name. */
  const trials = new Map();
  let killed;
  /** The faults that were in force a moment ago: one that happens once is gone when it shows. */
  let before = [];

  const pings = () => [...state.messages.values()].filter((message) => message.pings?.length > 0).length;
  const faults = () => (state.switches ?? []).filter(({ on }) => on).map(({ key }) => key);
  const isKilled = () => state.bot?.state === "killed";
  const buttons = ({ components }) => components.flatMap((row) => row.components);
  const isAtRest = () =>
    ![...state.messages.values()].some((message) => buttons(message).some(({ label, disabled }) => !disabled && FOR_NOW.test(label)));

  const look = () => {
    for (const { name, power, snapshots, actions } of state.droplets ?? []) {
      const begun = actions.find(({ kind, state: progress }) => kind === "shutdown" && progress === "in-progress");
      if (begun && trials.get(name)?.action !== begun.id) {
        trials.set(name, { action: begun.id, snapshots: snapshots.length, pings: pings(), faults: new Set(before), dead: 0 });
      }
      const trial = trials.get(name);
      if (!trial || (power === "on" && !begun)) continue;
      faults().forEach((key) => trial.faults.add(key));
      trial.wasKilled ||= isKilled();
    }
    before = faults();
    conclude();
  };

  const conclude = () => {
    for (const [name, trial] of trials) {
      const droplet = state.droplets.find((known) => known.name === name);
      if (!droplet) trials.delete(name);
      // It is over once it is on again and somebody was told.
      if (droplet?.power !== "on" || pings() <= trial.pings || isKilled() || !isAtRest()) continue;
      trials.delete(name);
      const words = sentence(droplet, trial);
      if (words) tell(words);
    }
  };

  const sentence = ({ name, snapshots }, trial) => {
    const called = `\`${name}\``;
    const how = `${called} is on, ${count(snapshots.length - trial.snapshots, "Snapshot")}, ${count(pings() - trial.pings, "ping")}`;
    if (trial.wasKilled) return `The bot was dead for ${trial.dead} s with ${called} off. It came back: ${how}.`;
    const [fault] = trial.faults;
    return fault && `${FAULTS[fault](called)}. It came through: ${how}.`;
  };

  watch(["bot"], () => {
    if (isKilled()) killed ??= present();
    else if (killed && state.bot?.state === "running") {
      const dead = Math.max(1, Math.round((present() - killed) / 1000));
      killed = undefined;
      for (const trial of trials.values()) trial.dead += trial.wasKilled ? dead : 0;
    }
    look();
  });
  watch(["droplets", "messages", "switches"], ({ reloaded }) => {
    // Another seat sees other messages.
    if (reloaded) for (const trial of trials.values()) trial.pings = Math.min(trial.pings, pings());
    look();
  });
}

/** "no Snapshot", "one Snapshot", "2 Snapshots". */
export function count(number, what) {
  if (number <= 0) return `no ${what}`;
  return number === 1 ? `one ${what}` : `${number} ${what}s`;
}
