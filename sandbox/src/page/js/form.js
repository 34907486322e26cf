// A command being filled in: its name, a pill for each option, and the values behind what the pills show.

import { desk } from "./desk.js";
import { node } from "./node.js";

const PATIENCE_BEFORE_ASKING = 120;
const BOOLEANS = [
  { name: "True", value: true },
  { name: "False", value: false },
];

/** The fields of one command; `done` is called when it is to be sent, `leave` when the person backs out. */
export class Form {
  constructor(command, suggestions, { done, leave }) {
    this.command = command;
    this.suggestions = suggestions;
    this.done = done;
    this.leave = leave;
    this.pills = [];
    this.problem = node("p", { class: "problem", role: "alert", hidden: true });
    this.more = field({ class: "more", "aria-label": "Further options" });
    this.more.addEventListener("focus", () => this.offerOptions());
    this.more.addEventListener("input", () => this.offerOptions());
    this.more.addEventListener("keydown", (event) => this.key(event, this.more));
    this.more.addEventListener("blur", () => this.suggestions.hide());
    this.element = node(
      "div",
      { class: "command", role: "group", "aria-label": `/${command.path}` },
      node("span", { class: "command-name" }, `/${command.path}`),
      this.more,
      this.problem,
    );
    command.options.filter((option) => option.required).forEach((option) => this.add(option));
    this.count();
  }

  /** Puts the cursor where something is to be typed. */
  focus() {
    const empty = this.pills.find((pill) => pill.option.required && pill.input.value === "");
    (empty?.input ?? this.last()).focus();
  }

  last() {
    return this.more.hidden ? (this.pills.at(-1)?.input ?? this.more) : this.more;
  }

  /** Fills an option by hand. */
  set(name, text) {
    const option = this.command.options.find((known) => known.name === name);
    if (!option) return;
    const pill = this.pills.find((known) => known.option === option) ?? this.add(option);
    put(pill, text, text);
  }

  /** What was filled in, as it is sent. */
  values() {
    return this.pills.filter(({ input }) => input.value !== "").map(({ option, value, input }) => [option.name, value ?? input.value]);
  }

  /** Says what is wrong, at an option if it is one's fault. */
  complain(words, name) {
    this.problem.textContent = words;
    this.problem.hidden = false;
    const pill = this.pills.find((known) => known.option.name === name);
    pill?.element.classList.add("wrong");
    pill?.input.setAttribute("aria-invalid", "true");
    (pill?.input ?? this.last()).focus();
  }

  send() {
    const missing = this.pills.find(({ option, input }) => option.required && input.value === "");
    if (missing) this.complain("This option is required. Specify a value.", missing.option.name);
    else this.done(this);
  }

  add(option) {
    const input = field({ "aria-label": `${option.name}: ${option.description}`, "data-option": option.name });
    const element = node("label", { class: "pill" }, node("span", { class: "pill-name" }, option.name), input);
    const pill = { option, input, element };
    input.addEventListener("focus", () => this.offerValues(pill));
    input.addEventListener("input", () => {
      pill.value = undefined;
      fit(input);
      this.forgive(pill);
      this.offerValues(pill, PATIENCE_BEFORE_ASKING);
    });
    input.addEventListener("keydown", (event) => this.key(event, input, pill));
    input.addEventListener("blur", () => {
      pill.asking?.abort();
      this.suggestions.hide();
    });
    fit(input);
    this.element.insertBefore(element, this.more);
    this.pills.push(pill);
    this.count();
    return pill;
  }

  remove(pill) {
    pill.element.remove();
    this.pills = this.pills.filter((known) => known !== pill);
    this.count();
    this.last().focus();
  }

  forgive(pill) {
    this.problem.hidden = true;
    pill.element.classList.remove("wrong");
    pill.input.removeAttribute("aria-invalid");
  }

  left() {
    return this.command.options.filter((option) => !this.pills.some((pill) => pill.option === option));
  }

  count() {
    const left = this.left().length;
    this.more.placeholder = left > 0 ? `+${left} optional` : "";
    this.more.hidden = left === 0 && this.pills.length > 0;
  }

  key(event, input, pill) {
    if (event.isComposing) return;
    if (this.suggestions.takes(event)) {
      event.preventDefault();
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.send();
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.leave();
    } else if (event.key === "Backspace" && input.value === "") {
      event.preventDefault();
      if (pill && !pill.option.required) this.remove(pill);
      else if (!pill && this.pills.length > 0) this.pills.at(-1).input.focus();
      else this.leave();
    }
  }

  offerOptions() {
    const typed = this.more.value.trim().toLowerCase();
    const fitting = this.left().filter((option) => option.name.includes(typed));
    this.suggestions.show(this.more, {
      title: fitting.length > 0 ? "Options" : undefined,
      items: fitting.map((option) => ({ label: option.name, detail: option.description, option })),
      preselect: typed !== "",
      pick: ({ option }) => {
        this.more.value = "";
        this.add(option).input.focus();
      },
    });
  }

  async offerValues(pill, pause = 0) {
    const { option, input } = pill;
    pill.asking?.abort();
    const typed = pill.value === undefined ? input.value : "";
    const pick = (choice) => {
      put(pill, choice.label, choice.value);
      this.forgive(pill);
      this.focus();
    };
    const show = (choices, note) =>
      this.suggestions.show(input, {
        title: [node("strong", {}, option.name), ` ${option.description}`],
        items: choices.map(({ name, value }) => ({ label: name, value })),
        note,
        pick,
        preselect: typed !== "" || option.required === true,
      });
    if (!option.autocomplete) {
      const fixed = option.type === 5 ? BOOLEANS : (option.choices ?? []);
      show(fixed.filter(({ name }) => name.toLowerCase().includes(typed.toLowerCase())));
      return;
    }
    const asking = new AbortController();
    pill.asking = asking;
    const slow = setTimeout(() => show([], "Loading options…"), pause + 350);
    try {
      await new Promise((go) => setTimeout(go, pause));
      if (asking.signal.aborted) return;
      const others = this.values().filter(([name]) => name !== option.name);
      const answer = await desk.suggest(this.command.path, option.name, typed, others, asking.signal);
      if (asking.signal.aborted) return;
      if (answer.error) show([], "Loading options failed");
      else show(answer.choices, answer.choices.length === 0 ? "No options match your search." : undefined);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    } finally {
      clearTimeout(slow);
    }
  }
}

function field(properties) {
  return node("input", {
    type: "text",
    role: "combobox",
    "aria-expanded": "false",
    "aria-autocomplete": "list",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "send",
    ...properties,
  });
}

function put(pill, text, value) {
  pill.input.value = text;
  pill.value = value;
  fit(pill.input);
}

/** As wide as what stands in it. */
function fit(input) {
  input.style.width = `${Math.max(input.value.length + 3, 7)}ch`;
}
