// What this window asks of the page: one verb for each thing that a person can do.

import { here } from "./state.js";

async function ask(verb, body, signal) {
  const address = new URL(`/act/${verb}`, location.href);
  const { seat, channel } = here();
  address.searchParams.set("seat", seat);
  address.searchParams.set("channel", channel);
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    return answer.ok ? await answer.json() : { error: "The demo could not do that." };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return { error: "The demo does not answer. Is it still running?" };
  }
}

export const desk = {
  say: (content) => ask("say", { content }),
  run: (path, options) => ask("command", { path, options }),
  suggest: (path, focused, partial, options, signal) =>
    ask("autocomplete", { path, focused, partial, options }, signal),
  press: (message, customId) => ask("press", { message, custom_id: customId }),
  choose: (message, customId, values) => ask("choose", { message, custom_id: customId, values }),
  submit: (customId, typed) => ask("submit", { custom_id: customId, typed }),
  throwSwitch: (key, on) => ask("switch", { switch: key, on }),
  order: (order) => ask("bot", { order }),
  time: (order) => ask("clock", { order }),
};
