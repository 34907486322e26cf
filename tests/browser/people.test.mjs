// What people do in the Channel: take, restore, be refused, mistype, talk. Run by ./run.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { SAID_BEFORE, begin, card, choose, isOff, isOn, listen, marked, offered, pings, scene, snapshots, take, titled, walkBackTo } from "./scene.mjs";
import { barriers, frameJumps, keep } from "./window.mjs";

describe("a visitor", { concurrency: 3 }, () => {
  scene("takes a Snapshot with the keyboard alone, and watches it", async (open) => {
    const page = await open();
    const heard = await listen(page);
    const light = await open({ colours: "light" });
    const phone = await open({ width: 390, height: 780 });
    await keep(page, "welcome-1280-dark");
    await page.keyboard.press("/");
    await keep(page, "commands-1280-dark");
    assert.deepEqual(await barriers(page), []);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Shift+Tab");
    await take(page, "web-1");
    await isOff(page, "web-1");
    await titled(page, "offline until");
    await page.locator(".embed-text", { hasText: "Taking the Snapshot — started" }).waitFor();
    await keep(page, "progress-1280-dark");
    await keep(phone, "progress-390-dark");
    const asked = page.locator(".embed-text time.counting").last();
    await asked.filter({ hasNotText: await asked.innerText() }).waitFor();
    await pings(page).waitFor();
    await isOn(page, "web-1");
    await titled(page, "ready");
    assert.equal(await snapshots(page, "web-1").count(), 1);
    assert.equal(await pings(page).count(), 1);
    assert.match(await pings(page).innerText(), /@ada\s+✅\s+Snapshot web-1-\S+ of web-1 is ready: 4\.2 GB/);
    // What an answer quotes is as new as what it answers.
    await pings(page).locator(".context", { hasText: "ready" }).waitFor();
    await keep(page, "ready-1280-dark");
    await keep(light, "ready-1280-light");
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(await barriers(light), []);
    assert.deepEqual(await frameJumps(page), []);
    assert.ok(heard.some((words) => /^snapshot-bot: @ada\s+✅\s*Snapshot web-1-\S+ of web-1 is ready/.test(words)), heard.join("\n"));
  });

  scene("puts a Snapshot back with the keyboard alone, and may undo it", async (open) => {
    const page = await open();
    await page.locator("#tour").getByText("Put one back").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/seat=rae/);
    await marked(page).filter({ hasText: "db-1-before-migration" }).waitFor();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await titled(page, "Restore db-1 from db-1-before-migration?");
    await keep(page, "restore-question-1280-dark");
    // What was tried is marked, and the row of suggestions is no wider for it.
    assert.equal(await page.locator("#tour").evaluate((row) => row.scrollWidth - row.clientWidth), 0);
    assert.deepEqual(await barriers(page), []);
    await walkBackTo(page, "Restore");
    await isOff(page, "db-1");
    await page.locator(".embed-text", { hasText: "✅ Safety Snapshot" }).waitFor();
    await pings(page).waitFor();
    await isOn(page, "db-1");
    await titled(page, "done");
    assert.match(await pings(page).innerText(), /@rae\s+✅\s+db-1 is restored from Snapshot db-1-before-migration/);
    assert.equal(await snapshots(page, "db-1").count(), 2);
    // The button that was pressed is gone; the person is still in the Channel.
    assert.equal(await page.evaluate(() => document.activeElement.id), "scroll");
    await pings(page).getByRole("button", { name: "Undo" }).press("Enter");
    await titled(page, "Undo the restore of db-1?");
    await keep(page, "undo-1280-dark");
    await page.getByRole("button", { name: "Never mind" }).press("Enter");
    await page.locator("#channels button", { hasText: "lounge" }).click();
    await page.locator("#title", { hasText: "lounge" }).waitFor();
    await page.locator("#composer-text").fill("/snapshot status ");
    await page.keyboard.press("Enter");
    // A link to a message leads into its Channel.
    await page.locator(".message .mention", { hasText: "#ops › message" }).click();
    await page.locator(".message.found .embed-title", { hasText: "Restore of db-1" }).waitFor();
  });

  scene("without the right is refused, and nobody else sees it", async (open) => {
    const gus = await open({ seat: "gus", width: 390, height: 780, colours: "light" });
    const ada = await open({ seat: "ada" });
    const refusal = gus.locator(".message.private", { hasText: "You need" });
    await gus.keyboard.press("/");
    await gus.keyboard.type("snapshot take ");
    await gus.keyboard.type("web-1");
    // The one thing that is offered says why there is nothing else.
    await offered(gus).filter({ hasText: "You need" }).waitFor();
    await gus.keyboard.press("Enter");
    await gus.keyboard.press("Enter");
    await refusal.waitFor();
    assert.match(await refusal.innerText(), /You need @Operator or @Restorer to take Snapshots/);
    await keep(gus, "refused-390-light");
    assert.deepEqual(await barriers(gus), []);
    assert.equal(await ada.locator(".message").count(), SAID_BEFORE);
    assert.equal(await card(ada, "web-1").locator(".action").count(), 0);
    await refusal.getByText("Dismiss message").click();
    await refusal.waitFor({ state: "detached" });
  });

  scene("is told what a command still needs, and what is no choice", async (open) => {
    const page = await open();
    const problem = page.locator(".problem");
    await begin(page, "take");
    await marked(page).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await problem.filter({ hasText: "This option is required. Specify a value." }).waitFor();
    await keep(page, "required-1280-dark");
    assert.deepEqual(await barriers(page), []);
    await choose(page, "web-1");
    await choose(page, "power");
    await page.keyboard.type("warm");
    await page.keyboard.press("Enter");
    await problem.filter({ hasText: "This is not a valid value: wanted one of the choices." }).waitFor();
    assert.equal(await page.locator("[data-option=power]:focus").getAttribute("aria-invalid"), "true");
    for (const _ of "warm") await page.keyboard.press("Backspace");
    await offered(page).filter({ hasText: "Keep running" }).hover();
    await marked(page).filter({ hasText: "Keep running" }).waitFor();
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("[data-option=power]").inputValue(), "Keep running (no downtime)");
    await page.locator("[data-option=power]").press("Escape");
    assert.equal(await page.locator(".message").count(), SAID_BEFORE);
  });

  scene("looks through the list on a phone, and launches and deletes by its buttons", async (open) => {
    const page = await open({ seat: "rae", width: 390, height: 780 });
    await page.locator("#composer-text").fill("/snapshot list ");
    await page.keyboard.press("Enter");
    await titled(page, "All Snapshots");
    await keep(page, "list-390-dark");
    assert.deepEqual(await barriers(page), []);
    await page.locator("select.menu").selectOption({ index: 1 });
    await page.getByRole("button", { name: "Launch…" }).click();
    const form = page.getByRole("dialog");
    await form.getByRole("textbox").fill("web-9");
    await keep(page, "launch-form-390-dark");
    assert.deepEqual(await barriers(page), []);
    await form.getByRole("textbox").press("Enter");
    await titled(page, "Launch web-9 from");
    await page.getByRole("button", { name: "Never mind" }).click();
    await page.locator(".message", { hasText: "OK, web-9 was not launched." }).waitFor();
    await page.getByRole("button", { name: "Delete…" }).click();
    await titled(page, "for good?");
    await keep(page, "delete-question-390-dark");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await pings(page).waitFor();
    assert.match(await pings(page).innerText(), /@rae\s+✅\s+Snapshot \S+ is deleted/);
  });

  scene("sits in another seat, and talks", async (open) => {
    const page = await open();
    const other = await open({ seat: "rae" });
    const gus = page.locator("#seats button", { hasText: "gus" });
    await gus.press("Enter");
    await page.waitForURL(/seat=gus/);
    await page.locator("#seats button:focus[aria-pressed=true]", { hasText: "gus" }).waitFor();
    await page.locator("#toast", { hasText: "You are gus now" }).waitFor();
    await page.locator("#composer-text").fill("hello **there** <@1>");
    await page.keyboard.press("Enter");
    const heard = other.locator(".message", { hasText: "hello there" });
    await heard.waitFor();
    assert.equal(await heard.locator("strong", { hasText: "there" }).count(), 1);
    assert.match(await heard.innerText(), /gus/);
  });
});
