// The composer: plain text until a slash, then a command's form.

import { fail, note } from "./channel.js";
import { desk } from "./desk.js";
import { Form } from "./form.js";
import { ways } from "./markdown.js";
import { fill, node, part } from "./node.js";
import { sign } from "./sign.js";
import { nameOf, state, watch } from "./state.js";
import { Suggestions } from "./suggestions.js";

/** The one composer of the window. */
export class Composer {
  constructor() {
    this.suggestions = new Suggestions();
    this.text = node("input", {
      id: "composer-text",
      class: "plain",
      type: "text",
      role: "combobox",
      "aria-expanded": "false",
      "aria-autocomplete": "list",
      autocomplete: "off",
      autocapitalize: "off",
      enterkeyhint: "send",
      maxlength: "2000",
    });
    this.text.addEventListener("input", () => this.read());
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("focus", () => this.read());
    this.text.addEventListener("blur", () => this.suggestions.hide());
    part("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.form ? this.form.send() : this.say();
    });
    part("composer").addEventListener("pointerdown", (event) => {
      if (event.target !== part("composer") && !event.target.classList.contains("command")) return;
      event.preventDefault();
      this.focus();
    });
    watch(["place"], () => {
      const { channels, channel } = state.place;
      const name = channels.find((known) => known.id === channel).name;
      this.text.placeholder = `Message #${name}, or type /`;
      this.text.setAttribute("aria-label", `Message #${name}`);
    });
    watch(["commands"], () => document.activeElement === this.text && this.read());
    ways.command = (path) => this.begin(path);
    this.showText();
  }

  /** Begins a command, with some of its options filled in. */
  begin(path, options = []) {
    const command = state.commands?.find((known) => known.path === path);
    if (!command) {
      fail("This command is not offered here.");
      return;
    }
    this.form = new Form(command, this.suggestions, { done: (form) => this.run(form), leave: () => this.showText(true) });
    options.forEach(([name, text]) => this.form.set(name, text));
    const cancel = node("button", { type: "button", class: "cancel", onclick: () => this.showText(true) }, "Cancel");
    fill(part("composer"), this.form.element, cancel, sendButton());
    this.form.focus();
  }

  /** Runs a command at once. */
  order(path, options) {
    this.begin(path, options);
    this.form?.send();
  }

  /** Back to plain text. */
  showText(focus = false) {
    this.form = undefined;
    this.suggestions.hide();
    this.text.value = "";
    fill(part("composer"), this.text, sendButton());
    if (focus) this.text.focus();
  }

  /** Puts the cursor where something is to be typed. */
  focus() {
    (this.form ?? this.text).focus();
  }

  /** As if a slash had been typed into the composer. */
  slash() {
    if (this.form) {
      this.form.focus();
      return;
    }
    this.text.value = "/";
    this.text.focus();
    this.read();
  }

  read() {
    const { value } = this.text;
    if (!value.startsWith("/")) {
      this.suggestions.hide();
      return;
    }
    const commands = state.commands ?? [];
    const typed = value.slice(1).toLowerCase();
    const whole = commands.find(({ path }) => typed.startsWith(`${path} `));
    if (whole) {
      this.begin(whole.path, optionsIn(value.slice(whole.path.length + 2), whole));
      return;
    }
    const fitting = commands.filter(({ path }) => path.includes(typed.trim()));
    this.suggestions.show(this.text, {
      title: fitting.length > 0 ? "Commands" : undefined,
      items: fitting.map(({ path, description }) => ({
        label: `/${path}`,
        detail: description,
        from: nameOf(state.place.bot),
        path,
      })),
      note: fitting.length > 0 ? undefined : nothing(commands),
      pick: ({ path }) => this.begin(path),
    });
  }

  key(event) {
    // What a person is still composing, as in Japanese, is no order yet.
    if (event.isComposing) return;
    if (this.suggestions.takes(event)) {
      event.preventDefault();
    } else if (event.key === "ArrowUp" && this.text.value === "" && this.last) {
      event.preventDefault();
      this.begin(this.last.path, this.last.options);
    }
  }

  async say() {
    const content = this.text.value.trim();
    if (content === "" || content.startsWith("/")) return;
    this.text.value = "";
    const answer = await desk.say(content);
    if (answer.error) fail(answer.error);
  }

  async run(form) {
    const { path } = form.command;
    const options = form.values();
    const shown = form.pills.map(({ option, input }) => [option.name, input.value]);
    this.last = { path, options: shown };
    this.showText(true);
    const occasion = { user: state.place.me, command: path };
    const remove = note({ sending: true, occasion });
    const answer = await desk.run(path, options);
    remove();
    if (!answer.error) return;
    if (answer.option && !this.form && this.text.value === "") {
      this.begin(path, shown);
      this.form.complain(answer.error, answer.option);
    } else {
      fail(answer.error, occasion);
    }
  }
}

function sendButton() {
  return node("button", { type: "submit", class: "send", "aria-label": "Send" }, sign("send"));
}

function nothing(commands) {
  return commands.length === 0 ? "No commands yet: the bot has not registered any." : "No command matches what you typed.";
}

/** The options in a line that was pasted whole: a value lasts until the next option's name. */
function optionsIn(line, command) {
  const options = [];
  for (const word of line.split(" ")) {
    const [name, ...value] = word.split(":");
    const known = value.length > 0 && command.options.some((option) => option.name === name);
    if (known) options.push([name, value.join(":")]);
    else if (options.length > 0) options.at(-1)[1] += ` ${word}`;
  }
  return options;
}
