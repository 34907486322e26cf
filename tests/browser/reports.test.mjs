// Long messages, as they stand on a desk and on a phone: a group's run, a schedule's review, costs and what is left over. Run by ./run.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { choose, isOn, pings, scene, titled } from "./scene.mjs";
import { barriers, keep } from "./window.mjs";

const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** Sends a command. What an option suggests is chosen, and all else is typed. */
async function run(page, command, { chosen = {}, typed = {} } = {}) {
  await page.locator("#composer-text").fill(`/${command} `);
  for (const [option, letters] of Object.entries(chosen)) {
    await page.locator(`[data-option=${option}]`).focus();
    await choose(page, letters);
  }
  for (const [option, words] of Object.entries(typed)) {
    await page.keyboard.type(option);
    await page.keyboard.press("Enter");
    await page.locator(`[data-option=${option}]`).fill(words);
  }
  await page.keyboard.press("Enter");
}

/** Looks at the newest message on a desk and on a phone: all of it can be used, and nothing is wider than the window. */
async function look(page, name) {
  for (const size of [PHONE, DESK]) {
    await page.setViewportSize(size);
    // An edit may replace the message at any moment, so this does not wait until it stands still.
    await page.locator(".message").last().evaluate((message) => message.scrollIntoView({ block: "nearest" }));
    assert.deepEqual(await barriers(page), []);
    await keep(page, `${name}-${size.width}-dark`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  }
}

/** How many dates the newest embed has, and how many of them are broken in two. */
const dates = (page) =>
  page.evaluate(() => {
    const shown = [...[...document.querySelectorAll(".embed-text")].at(-1).querySelectorAll("time")];
    return { count: shown.length, broken: shown.filter((date) => date.getClientRects().length > 1).length };
  });

describe("on a desk and on a phone", { concurrency: 2 }, () => {
  scene("a group is taken, and everybody sees how far it is", async (open) => {
    const page = await open({ seat: "rae" });
    const ada = await open({ seat: "ada", ...PHONE });
    await run(page, "snapshot take-group", { chosen: { tag: "game" }, typed: { gap: "0s" } });
    await titled(page, "Take Snapshots of all Droplets with the tag game now?");
    await look(page, "group-question");
    await page.getByRole("button", { name: "Take them" }).click();
    await ada.locator(".message", { hasText: "0 of 2" }).waitFor();
    await ada.locator(".message", { hasText: "1 of 2" }).waitFor();
    await look(ada, "group");
    await pings(page).waitFor();
    await titled(page, "✅ Snapshots of tag:game");
    await look(page, "group-over");
    await isOn(page, "valheim");
  });

  scene("costs, what is left over, and the review of a schedule", async (open) => {
    const page = await open({ seat: "rae" });
    await run(page, "snapshot cost");
    await titled(page, "What Snapshots cost");
    await look(page, "costs");
    await run(page, "snapshot orphans");
    await titled(page, "What may be left over");
    await look(page, "orphans");
    await run(page, "schedule add", { chosen: { what: "web-1", every: "day" } });
    await titled(page, "Take Snapshots of web-1");
    await look(page, "review");
    await page.setViewportSize(PHONE);
    // Five runs, and when the review closes.
    assert.deepEqual(await dates(page), { count: 6, broken: 0 });
  });
});
