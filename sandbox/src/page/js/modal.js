// A form that opens over the Channel, as a press may: its lines are filled in and sent, or it is closed and nothing happens.

import { announce } from "./announcer.js";
import { desk } from "./desk.js";
import { node } from "./node.js";

/** Opens the form that answered a press. The browser keeps the focus in it, and gives it back when it closes. */
export function openModal(form) {
  const title = node("h2", { id: "modal-title" }, form.title);
  const wrong = node("p", { class: "wrong", role: "alert" });
  const inputs = form.inputs.map((input) => {
    const field = node(input.long ? "textarea" : "input", {
      name: input.custom_id,
      placeholder: input.placeholder,
      maxlength: String(input.longest),
      required: input.required,
      autocomplete: "off",
    });
    field.value = input.value;
    return { field, label: node("label", {}, node("span", {}, input.label), field) };
  });
  const cancel = node("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Cancel");
  const submit = node("button", { type: "submit", class: "button primary" }, "Submit");
  const send = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    const answer = await desk.submit(form.custom_id, inputs.map(({ field }) => [field.name, field.value]));
    submit.disabled = false;
    if (answer.error) {
      wrong.textContent = answer.error;
      announce(answer.error);
    } else {
      dialog.close();
    }
  };
  const dialog = node(
    "dialog",
    { class: "modal", "aria-labelledby": "modal-title", onclose: () => dialog.remove() },
    node("form", { onsubmit: send }, title, inputs.map(({ label }) => label), wrong, node("div", { class: "row" }, submit, cancel)),
  );
  document.body.append(dialog);
  dialog.showModal();
  inputs[0]?.field.focus();
}
