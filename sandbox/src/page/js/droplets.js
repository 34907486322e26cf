// The panel's Droplets: power, what is done to them, and their Snapshots.

import { moment } from "./moment.js";
import { fill, node, part, reveal } from "./node.js";
import { sign } from "./sign.js";
import { state, watch } from "./state.js";

const SIGNS = { completed: "✅", errored: "❌" };
/** What each Droplet's power was, to show that it changed. */
const powers = new Map();
/** Which lists of Snapshots somebody folded or unfolded. */
const folds = new Map();

/** Shows the account from now on. */
export function showDroplets() {
  watch(["droplets"], ({ reloaded }) => {
    if (reloaded) powers.clear();
    fill(part("droplets"), state.droplets.map(card));
  });
}

function card(droplet) {
  const { id, name, power, region, disk, actions } = droplet;
  const changed = powers.has(id) && powers.get(id) !== power;
  powers.set(id, power);
  const element = node(
    "li",
    { class: changed ? "droplet changed" : "droplet", "data-droplet": name },
    node(
      "header",
      {},
      node("span", { class: power === "on" ? "lamp on" : "lamp", "aria-hidden": "true" }),
      node("h4", {}, name),
      node("p", { class: "facts" }, `${region} · ${disk} GB`),
      node("span", { class: `power ${power}` }, power === "on" ? "On" : power === "off" ? "Off" : power),
    ),
    actions.length > 0 && node("ul", { class: "actions" }, actions.map(action)),
    snapshots(droplet),
  );
  if (changed) {
    setTimeout(() => element.classList.remove("changed"), 1200);
    // What happens is to be seen, but nothing moves away under a hand that is about to press it.
    if (!part("panel").matches(":hover, :focus-within")) requestAnimationFrame(() => reveal(element, "nearest"));
  }
  return element;
}

function action({ kind, state: progress, started, ended }) {
  return node(
    "li",
    { class: `action ${progress}` },
    node("span", { class: "sign", "aria-hidden": "true" }, progress in SIGNS && sign(SIGNS[progress])),
    node("span", {}, kind.replaceAll("_", " "), node("span", { class: "unseen" }, ` ${progress}`), progress === "errored" && " failed"),
    moment(Math.round((ended ?? started) / 1000), "R"),
  );
}

/** Folded where nothing was done in this demo, until somebody says otherwise. */
function snapshots({ id, actions, snapshots: list }) {
  if (list.length === 0) return null;
  const words = list.length === 1 ? "1 Snapshot" : `${list.length} Snapshots`;
  const details = node(
    "details",
    { class: "snapshots", open: folds.get(id) ?? actions.length > 0 },
    node("summary", { "data-key": id }, words),
    list.map(({ name, gigabytes, listed }) =>
      node(
        "div",
        { class: "snapshot" },
        node("span", { class: "name" }, name),
        node("span", { class: "size" }, listed ? `${gigabytes.toFixed(1)} GB` : "not listed yet"),
      ),
    ),
  );
  details.firstChild.addEventListener("click", () => folds.set(id, !details.open));
  return details;
}
