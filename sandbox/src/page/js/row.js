// Rows of buttons and menus below a message, and what happens when one is used.

import { announce } from "./announcer.js";
import { desk } from "./desk.js";
import { outward } from "./markdown.js";
import { node } from "./node.js";

const STYLES = { 1: "primary", 2: "", 3: "success", 4: "danger" };
/** Components that were used and not answered yet, by message and custom id. */
const pending = new Set();
/** Messages of which a component failed, with the edit that it belonged to. */
const failed = new Map();
const FAILED = "This interaction failed";

/** The element for a message's rows; `redraw` shows the message anew. */
export function rowsNode(message, redraw) {
  const use = async (customId, act) => {
    const key = `${message.id} ${customId}`;
    if (pending.has(key)) return;
    pending.add(key);
    failed.delete(message.id);
    redraw();
    const answer = await act();
    pending.delete(key);
    if (answer.error) {
      failed.set(message.id, message.edited);
      announce(FAILED);
    }
    redraw();
  };
  const part = (component) => (component.type === 3 ? menu(message, component, use) : button(message, component, use));
  return node(
    "div",
    { class: "rows" },
    message.components.map((row) => node("div", { class: "row" }, row.components.map(part))),
    failed.has(message.id) && failed.get(message.id) === message.edited && node("p", { class: "wrong" }, FAILED),
  );
}

function label({ emoji, label: words }) {
  return [emoji?.name, words].filter(Boolean).join(" ");
}

function button(message, component, use) {
  if (component.style === 5) {
    const link = outward(component.url, label(component));
    link.className = "button out";
    return link;
  }
  const id = component.custom_id;
  const busy = pending.has(`${message.id} ${id}`);
  return node(
    "button",
    {
      type: "button",
      class: `button ${STYLES[component.style] ?? ""}${busy ? " busy" : ""}`,
      "data-key": id,
      disabled: component.disabled,
      "aria-busy": busy && "true",
      onclick: () => use(id, () => desk.press(message.id, id)),
    },
    label(component),
  );
}

function menu(message, component, use) {
  const id = component.custom_id;
  const words = component.placeholder ?? "Make a selection";
  const change = (event) => event.target.value && use(id, () => desk.choose(message.id, id, [event.target.value]));
  return node(
    "select",
    { class: "menu", "data-key": id, "aria-label": words, disabled: component.disabled, onchange: change },
    node("option", { value: "" }, words),
    component.options.map((option) => node("option", { value: option.value, selected: option.default }, option.label)),
  );
}
