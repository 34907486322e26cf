// The list above the composer: commands, options or values, chosen by arrows and Enter, by Tab, or with the mouse.

import { fill, node, part } from "./node.js";

/** One list, which serves whichever field has the focus. */
export class Suggestions {
  constructor() {
    this.box = part("suggestions");
    this.items = [];
    this.active = -1;
    // Pressing on the list must not take the focus out of the field.
    this.box.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  /** Opens for a field: items are {label, detail, from, value}; `pick` hears which one was chosen. */
  show(field, { title, items, note, pick, preselect = true }) {
    if (this.field !== field) this.release();
    this.field = field;
    this.items = items;
    this.pick = pick;
    this.active = preselect && items.length > 0 ? 0 : -1;
    this.list = node("ul", { role: "listbox", id: "suggestion-list", "aria-label": "Suggestions" }, items.map((item, at) => this.option(item, at)));
    fill(
      this.box,
      title && node("p", { class: "suggestions-title" }, title),
      items.length > 0 && this.list,
      note && node("p", { class: "suggestions-note", role: "status" }, note),
    );
    this.box.hidden = !title && !note && items.length === 0;
    field.setAttribute("aria-expanded", String(items.length > 0));
    if (items.length > 0) field.setAttribute("aria-controls", "suggestion-list");
    else field.removeAttribute("aria-controls");
    this.mark();
  }

  hide() {
    this.release();
    this.box.hidden = true;
    this.items = [];
    this.active = -1;
  }

  /** Whether it took this key. */
  takes(event) {
    if (this.box.hidden) return false;
    const { length } = this.items;
    switch (event.key) {
      case "ArrowDown":
        return length > 0 && this.move((this.active + 1) % length);
      case "ArrowUp":
        return length > 0 && this.move((this.active <= 0 ? length : this.active) - 1);
      case "Enter":
        return this.choose(this.active);
      case "Tab":
        return !event.shiftKey && this.choose(this.active);
      case "Escape":
        this.hide();
        return true;
      default:
        return false;
    }
  }

  option(item, at) {
    return node(
      "li",
      {
        class: "suggestion",
        role: "option",
        id: `suggestion-${at}`,
        "aria-selected": "false",
        onclick: () => this.choose(at),
        // A mouse that moves marks what it is on; one that only lies there marks nothing.
        onpointermove: (event) => event.pointerType === "mouse" && this.hover(at),
      },
      node(
        "span",
        { class: "suggestion-words" },
        node("span", { class: "suggestion-label" }, item.label),
        item.detail && node("span", { class: "suggestion-detail" }, item.detail),
      ),
      item.from && node("span", { class: "suggestion-from" }, item.from),
    );
  }

  move(to) {
    this.active = to;
    this.mark()?.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** The list does not scroll under the mouse: that would lead it from one option to the next. */
  hover(at) {
    if (this.active === at) return;
    this.active = at;
    this.mark();
  }

  choose(at) {
    const item = this.items[at];
    if (!item) return false;
    const { pick } = this;
    this.hide();
    pick(item);
    return true;
  }

  mark() {
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === this.active)));
    const active = this.list.children[this.active];
    if (active) this.field.setAttribute("aria-activedescendant", active.id);
    else this.field.removeAttribute("aria-activedescendant");
    return active;
  }

  release() {
    for (const name of ["aria-activedescendant", "aria-controls"]) this.field?.removeAttribute(name);
    this.field?.setAttribute("aria-expanded", "false");
    this.field = undefined;
  }
}
