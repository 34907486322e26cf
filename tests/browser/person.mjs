// What a person does and sees in a window of the demo.

import assert from "node:assert/strict";

export const card = (page, name) => page.locator(`[data-droplet="${name}"]`);
export const isOn = (page, name) => card(page, name).locator(".power.on").waitFor();
export const isOff = (page, name) => card(page, name).locator(".power.off").waitFor();
export const snapshots = (page, name) => card(page, name).locator(".snapshot");
export const pings = (page) => page.locator(".message.pings-me");
export const titled = (page, words) => page.locator(".embed-title", { hasText: words }).waitFor();
export const offered = (page) => page.locator("[role=option]");
export const marked = (page) => page.locator("[role=option][aria-selected=true]");

/** Begins a command with the keyboard alone, by what the list marks for a part of its name. */
export async function begin(page, name) {
  // Not `/snapshot take-group` for `take`.
  const command = { hasText: new RegExp(`/snapshot ${name}(?!-)`) };
  await page.keyboard.press("/");
  await offered(page).filter(command).waitFor();
  await page.keyboard.type(name);
  await marked(page).filter(command).waitFor();
  await page.keyboard.press("Enter");
}

/** Chooses what is offered first for these letters. */
export async function choose(page, letters) {
  await page.keyboard.type(letters);
  await marked(page).filter({ hasText: letters }).waitFor();
  await page.keyboard.press("Enter");
}

/** Asks for a Snapshot with the keyboard alone. */
export async function take(page, name) {
  await begin(page, "take");
  await choose(page, name);
  assert.ok((await page.locator("[data-option=droplet]").inputValue()).startsWith(name));
  await page.keyboard.press("Enter");
}

/** Throws a switch of the panel, with the keyboard alone. */
export async function throwSwitch(page, key, on = true) {
  await page.locator(`[data-switch=${key}]`).focus();
  await page.keyboard.press("Space");
  await page.locator(`[data-switch=${key}][aria-checked=${on}]:focus`).waitFor();
}

/** Presses Shift+Tab until a button of this name has the focus, and then the button. */
export async function walkBackTo(page, name) {
  const focused = page.locator("button:focus");
  const isCalled = (words) => (name instanceof RegExp ? name.test(words) : words === name);
  for (let steps = 0; steps < 80; steps += 1) {
    await page.keyboard.press("Shift+Tab");
    if ((await focused.count()) > 0 && isCalled(await focused.innerText())) {
      await page.keyboard.press("Enter");
      return;
    }
  }
  assert.fail(`no way back to ${name}`);
}

/** Presses Shift+Tab until a menu has the focus. */
export async function walkBackToMenu(page) {
  const focused = page.locator("select:focus");
  for (let steps = 0; steps < 80 && (await focused.count()) === 0; steps += 1) await page.keyboard.press("Shift+Tab");
  assert.equal(await focused.count(), 1, "no way back to a menu");
}

/** Everything that is said aloud from now on. */
export async function listen(page) {
  const heard = [];
  await page.exposeFunction("hear", (words) => heard.push(words));
  await page.evaluate(() => {
    const voice = document.getElementById("announcer");
    new MutationObserver(() => globalThis.hear(voice.textContent)).observe(voice, { childList: true });
  });
  return heard;
}
