// What goes wrong when somebody throws the panel's switches or kills the bot, and how it ends. Run by ./run.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { card, isOff, isOn, pings, scene, snapshots, take, throwSwitch, titled } from "./scene.mjs";
import { barriers, frameJumps, keep } from "./window.mjs";

describe("a visitor who makes trouble", { concurrency: 3 }, () => {
  scene("lets a snapshot fail, and sees the Droplet come back on", async (open) => {
    const page = await open({ colours: "light" });
    await throwSwitch(page, "snapshot_errs");
    await take(page, "valheim");
    await isOff(page, "valheim");
    await pings(page).waitFor();
    await isOn(page, "valheim");
    await titled(page, "failed");
    assert.match(await pings(page).innerText(), /failed/);
    assert.equal(await snapshots(page, "valheim").count(), 0);
    assert.equal(await page.locator("[data-switch=snapshot_errs]").getAttribute("aria-checked"), "false");
    await keep(page, "failed-1280-light");
    assert.deepEqual(await barriers(page), []);
  });

  scene("is asked about a shutdown that hangs, and presses a button", async (open) => {
    const page = await open();
    await throwSwitch(page, "shutdown_hangs");
    await take(page, "web-2");
    const force = page.getByRole("button", { name: "Force power off" });
    await force.waitFor();
    await keep(page, "question-1280-dark");
    await force.click();
    await isOff(page, "web-2");
    // The question pinged first.
    await pings(page).nth(1).waitFor();
    await isOn(page, "web-2");
    assert.equal(await snapshots(page, "web-2").count(), 1);
  });

  scene("lets answers get lost, and finds exactly one Snapshot", async (open) => {
    const page = await open();
    await throwSwitch(page, "answers_lost");
    await take(page, "web-1");
    await isOff(page, "web-1");
    await pings(page).waitFor();
    await isOn(page, "web-1");
    await titled(page, "ready");
    const done = await card(page, "web-1").locator(".action").allInnerTexts();
    assert.deepEqual(done.map((words) => /power on|[a-z]{4,}/.exec(words)[0]), ["power on", "snapshot", "shutdown"]);
    assert.equal(await snapshots(page, "web-1").count(), 1);
    assert.equal(await pings(page).count(), 1);
    await keep(page, "lost-1280-dark");
  });

  scene("takes DigitalOcean down midway, and the Droplet comes back on when it is up", async (open) => {
    const page = await open();
    await take(page, "web-1");
    await isOff(page, "web-1");
    await throwSwitch(page, "down");
    await page.locator(".embed-text", { hasText: "DigitalOcean isn't responding" }).waitFor();
    await keep(page, "down-1280-dark");
    await throwSwitch(page, "down", false);
    await pings(page).waitFor();
    await isOn(page, "web-1");
    await titled(page, "ready");
  });

  scene("kills the bot in the middle, and it ends well", async (open) => {
    const page = await open();
    const phone = await open({ width: 390, height: 780, colours: "light" });
    await phone.getByRole("button", { name: "Kill the bot midway" }).click();
    await phone.keyboard.type("minecraft");
    await phone.locator("[role=option]").first().filter({ hasText: "minecraft" }).click();
    await phone.locator(".send").click();
    await isOff(page, "minecraft");
    await phone.locator("#tour").getByRole("button", { name: "Kill the bot" }).click();
    await page.locator("#start").waitFor();
    await keep(phone, "killed-390-light");
    await keep(page, "killed-1280-dark");
    assert.deepEqual(await barriers(phone), []);
    await page.locator(".message").getByRole("button", { name: "Cancel" }).press("Enter");
    await page.keyboard.press("/");
    await page.keyboard.type("snapshot status ");
    await page.keyboard.press("Enter");
    await page.locator(".message", { hasText: "Sending command…" }).waitFor();
    await page.locator(".message .wrong", { hasText: "This interaction failed" }).waitFor();
    await page.locator(".message.failed", { hasText: "The application did not respond" }).waitFor();
    await page.locator("#start").press("Enter");
    await page.locator("#kill:focus").waitFor();
    await pings(page).waitFor();
    await isOn(page, "minecraft");
    await titled(page, "ready");
    assert.equal(await page.locator(".message .wrong").count(), 0);
    assert.equal(await snapshots(page, "minecraft").count(), 3);
    assert.equal(await pings(page).count(), 1);
    const proof = /The bot was dead for \d+ s with minecraft off\. It came back: minecraft is on, one Snapshot, one ping\./;
    await page.locator("#tour", { hasText: proof }).waitFor();
    await keep(page, "revived-1280-dark");
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(await frameJumps(page), []);
  });
});
