// Time that runs fast: a week of a schedule in about a minute. Run by ./run.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { card, isOn, listen, pings, scene, snapshots, take, titled } from "./scene.mjs";
import { barriers, frameJumps, keep } from "./window.mjs";

const A_WEEK = { timeout: 120_000 };

describe("a week in a minute", { concurrency: 2 }, () => {
  scene("brings a Snapshot each night, says what goes a day before, and lets it go", async (open) => {
    const page = await open();
    const phone = await open({ width: 390, height: 780, colours: "light" });
    const heard = await listen(page);
    const face = page.locator("#clock .clock-face");
    const before = await face.innerText();
    await page.locator("#tour").getByRole("button", { name: "A week in a minute" }).press("Enter");
    const living = page.locator(".message", { hasText: "Schedule of minecraft" }).last();
    await living.filter({ hasText: "No Snapshot yet" }).waitFor();
    await face.filter({ hasNotText: before }).waitFor();
    await living.filter({ hasText: "taken" }).waitFor();
    await keep(page, "week-1280-dark");
    await keep(phone, "week-390-light");
    await living.filter({ hasText: "Will be deleted in" }).waitFor(A_WEEK);
    await keep(page, "week-notice-1280-dark");
    await page.locator("#tour", { hasText: /7 days went by: 7 Snapshots taken, [34] deleted, no ping\./ }).waitFor(A_WEEK);
    await isOn(page, "minecraft");
    const named = await snapshots(page, "minecraft").locator(".name").allInnerTexts();
    assert.ok(["minecraft-before-1.21", "minecraft-spawn-finished"].every((name) => named.includes(name)), named.join(" "));
    assert.ok(heard.some((words) => words.startsWith("7 days went by")), heard.join("\n"));
    await keep(page, "week-over-1280-dark");
    await keep(phone, "week-over-390-light");
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(await frameJumps(page), []);
  });

  scene("ends when somebody does something, and what they do goes as ever", async (open) => {
    const page = await open();
    const week = page.locator("#week");
    await week.press("Enter");
    await week.filter({ hasText: "Stop" }).waitFor();
    await card(page, "minecraft").locator(".action").first().waitFor();
    await take(page, "web-1");
    await week.filter({ hasText: "A week in a minute" }).waitFor();
    await page.locator("#toast", { hasText: "its own pace again" }).waitFor();
    await pings(page).waitFor();
    await isOn(page, "web-1");
    await titled(page, "ready");
    assert.match(await pings(page).innerText(), /Snapshot web-1-\S+ of web-1 is ready/);
    await week.press("Enter");
    await week.filter({ hasText: "Stop" }).waitFor();
    await week.press("Enter");
    await week.filter({ hasText: "A week in a minute" }).waitFor();
  });
});
