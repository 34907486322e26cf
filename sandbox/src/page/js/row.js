// Rows of buttons and menus below a message, and what happens when one is used.

import { announce } from "./announcer.js";
import { desk } from "./desk.js";
import { outward } from "./markdown.js";
import { openModal } from "./modal.js";
import { node } from "./node.js";

const STYLES = { 1: "primary", 2: "", 3: "success", 4: "danger" };
/** Components that were used and not answered yet, by message and custom id. */
const pending = new Set();
/** Messages of which a component failed, with the edit that it belonged to. */
const failed = new Map();
const FAILED = "This interaction failed";

/** The element for a message's rows; `redraw` shows the message again. */
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
    if (answer.form) openModal(answer.form);
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
  const multiple = component.max_values > 1;
  const chosen = (select) => [...select.selectedOptions].map((option) => option.value).filter(Boolean);
  const change = ({ target }) => {
    const values = chosen(target);
    if (multiple || values.length > 0) use(id, () => desk.choose(message.id, id, values));
  };
  // Arrows in a closed menu would choose at once what they pass; they open it instead.
  const open = (event) => {
    if (multiple || !["ArrowDown", "ArrowUp"].includes(event.key) || !event.target.showPicker) return;
    event.preventDefault();
    event.target.showPicker();
  };
  const shown = ({ label: called, description }) => [called, description].filter(Boolean).join(" — ");
  return node(
    "select",
    {
      class: "menu",
      "data-key": id,
      "aria-label": words,
      disabled: component.disabled,
      multiple,
      onchange: change,
      onkeydown: open,
    },
    !multiple && node("option", { value: "" }, words),
    component.options.map((option) => node("option", { value: option.value, selected: option.default }, shown(option))),
  );
}
