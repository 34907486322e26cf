// Everything by keyboard alone: menus, forms, questions, switches; and that nothing moves under a hand. Run by ./run.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { begin, card, isOff, isOn, pings, scene, snapshots, take, throwSwitch, titled, walkBackTo, walkBackToMenu } from "./scene.mjs";
import { barriers, frameJumps, keep } from "./window.mjs";

describe("a visitor with nothing but a keyboard", { concurrency: 2 }, () => {
  scene("chooses from the list's menu, launches by a form, and deletes", async (open) => {
    const page = await open({ seat: "rae" });
    await begin(page, "list");
    await page.keyboard.press("Enter");
    await titled(page, "All Snapshots");
    await walkBackToMenu(page);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Launch…" }).waitFor();
    await walkBackTo(page, "Launch…");
    const form = page.getByRole("dialog");
    await form.waitFor();
    await page.keyboard.press("Escape");
    await form.waitFor({ state: "detached" });
    // The form gives the focus back to what opened it.
    await page.locator("button:focus", { hasText: "Launch…" }).waitFor();
    await page.keyboard.press("Enter");
    await form.waitFor();
    await page.keyboard.type("web-9");
    await page.keyboard.press("Enter");
    await titled(page, "Launch web-9 from");
    await walkBackTo(page, /^Launch – /);
    await isOn(page, "web-9");
    await pings(page).filter({ hasText: "web-9" }).waitFor();
    await walkBackTo(page, "Delete…");
    await titled(page, "for good?");
    await walkBackTo(page, "Delete");
    await pings(page).filter({ hasText: "is deleted" }).waitFor();
    assert.deepEqual(await frameJumps(page), []);
  });

  scene("answers the question of a stuck shutdown, and reads what was proven", async (open) => {
    const page = await open();
    await throwSwitch(page, "shutdown_hangs");
    await take(page, "web-2");
    await page.getByRole("button", { name: "Force power off" }).waitFor();
    await walkBackTo(page, "Force power off");
    await isOff(page, "web-2");
    await pings(page).nth(1).waitFor();
    await isOn(page, "web-2");
    const proof = /The shutdown of web-2 got stuck\. It came through: web-2 is on, one Snapshot, 2 pings\./;
    await page.locator("#tour", { hasText: proof }).waitFor();
    await keep(page, "proof-of-a-fault-1280-dark");
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(await frameJumps(page), []);
    await walkBackTo(page, "Good");
    await page.locator("#tour .try").first().waitFor();
  });

  scene("throws every switch and back, kills the bot and starts it", async (open) => {
    const page = await open();
    for (const key of ["snapshot_errs", "shutdown_hangs", "answers_lost", "down"]) {
      await throwSwitch(page, key);
      await throwSwitch(page, key, false);
    }
    await page.locator("#kill").press("Enter");
    await page.locator("#start:focus").press("Enter");
    await page.locator("#kill:focus").waitFor();
    assert.deepEqual(await frameJumps(page), []);
  });

  scene("reads what was proven of a Snapshot that failed, and of an outage", async (open) => {
    const page = await open();
    const proven = (words) => page.locator("#tour", { hasText: words }).waitFor();
    await throwSwitch(page, "snapshot_errs");
    await take(page, "valheim");
    await proven(/DigitalOcean failed the Snapshot of valheim\. It came through: valheim is on, no Snapshot, one ping\./);
    await take(page, "web-1");
    await isOff(page, "web-1");
    await throwSwitch(page, "down");
    await page.locator(".embed-text", { hasText: "DigitalOcean isn't responding" }).waitFor();
    await throwSwitch(page, "down", false);
    await proven(/DigitalOcean was down with web-1 off\. It came through: web-1 is on, one Snapshot, one ping\./);
    assert.equal(await snapshots(page, "web-1").count(), 1);
    assert.equal(await card(page, "web-1").locator(".power.on").count(), 1);
    assert.deepEqual(await frameJumps(page), []);
  });
});
