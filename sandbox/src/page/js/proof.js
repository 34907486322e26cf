// What was proven: somebody killed the bot, or let something go wrong, while a Droplet was off because of it, and it came back.

import { state, watch } from "./state.js";

const FAULTS = {
  snapshot_errs: "DigitalOcean failed the Snapshot",
  shutdown_hangs: "The shutdown got stuck",
  answers_lost: "Answers got lost",
  down: "DigitalOcean was down",
};

/** Tells what was proven, as a sentence or two, whenever something was. */
export function watchForProof(tell) {
  /** What was there when a Droplet went off, by its name. */
  const trials = new Map();
  const powers = new Map();
  let killed;

  const pings = () => [...state.messages.values()].filter((message) => message.pings?.length > 0).length;
  const faults = () => (state.switches ?? []).filter(({ on }) => on).map(({ key }) => key);
  const isKilled = () => state.bot?.state === "killed";

  const look = () => {
    for (const { name, power, snapshots } of state.droplets ?? []) {
      if (powers.get(name) === "on" && power === "off") {
        trials.set(name, { snapshots: snapshots.length, pings: pings(), faults: new Set(faults()), dead: 0 });
      }
      powers.set(name, power);
    }
    for (const trial of trials.values()) {
      faults().forEach((key) => trial.faults.add(key));
      trial.wasKilled ||= isKilled();
    }
    conclude();
  };

  const conclude = () => {
    for (const [name, trial] of trials) {
      const droplet = state.droplets.find((known) => known.name === name);
      if (!droplet) trials.delete(name);
      // It is over once it is on again and somebody was told.
      if (droplet?.power !== "on" || pings() <= trial.pings || isKilled()) continue;
      trials.delete(name);
      const words = sentence(droplet, trial);
      if (words) tell(words);
    }
  };

  const sentence = ({ name, snapshots }, trial) => {
    const taken = count(snapshots.length - trial.snapshots, "Snapshot");
    const told = count(pings() - trial.pings, "ping");
    const called = `\`${name}\``;
    const how = `${called} is on, ${taken}, ${told}`;
    if (trial.wasKilled) return `The bot was dead for ${trial.dead} s with ${called} off. It came back: ${how}.`;
    const [fault] = trial.faults;
    return fault ? `${FAULTS[fault] ?? "Something went wrong"} with ${called} off. It came through: ${how}.` : undefined;
  };

  watch(["bot"], () => {
    if (isKilled()) killed ??= Date.now();
    else if (killed && state.bot?.state === "running") {
      const dead = Math.max(1, Math.round((Date.now() - killed) / 1000));
      killed = undefined;
      for (const trial of trials.values()) trial.dead += trial.wasKilled ? dead : 0;
    }
    look();
  });
  watch(["droplets", "messages", "switches"], ({ anew }) => {
    // Another seat sees other messages.
    if (anew) for (const trial of trials.values()) trial.pings = Math.min(trial.pings, pings());
    look();
  });
}

function count(number, what) {
  if (number <= 0) return `no ${what}`;
  return number === 1 ? `one ${what}` : `${number} ${what}s`;
}
