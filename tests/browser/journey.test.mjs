// One way through all that the bot does, by buttons and menus; and what stands on a small screen. Run by ./run.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { begin, card, isOn, pings, scene, snapshots, titled } from "./scene.mjs";
import { barriers, keep } from "./window.mjs";

const SEEDS = ["web-1=web-1-before-upgrade", "web-1=web-1-after-upgrade", "web-2=web-2-before-upgrade", "valheim=valheim-mistlands",
  "valheim=valheim-plains", "factorio-1=factorio-1-rocket-launched", "factorio-1=factorio-1-before-mods"];

/** Presses the newest button that is called so. */
const press = (page, name) => page.locator(".message").getByRole("button", { name }).last().click();
const pinged = (page, words) => pings(page).filter({ hasText: words }).waitFor();

/** Chooses from the newest menu what begins with these letters. */
async function pick(page, letters) {
  const menu = page.locator("select.menu").last();
  const option = menu.locator("option", { hasText: letters }).first();
  await option.waitFor({ state: "attached" });
  await menu.selectOption(await option.getAttribute("value"));
}

describe("a visitor who never types a second command", { concurrency: 2 }, () => {
  scene("takes, restores, undoes, launches and deletes by buttons and menus", async (open) => {
    const page = await open({ seat: "rae" });
    await begin(page, "panel");
    await page.keyboard.press("Enter");
    await press(page, "Take…");
    await pick(page, "web-1");
    await press(page, "Shut down and take");
    await pinged(page, /Snapshot web-1-\S+ of web-1 is ready/);
    await isOn(page, "web-1");

    await press(page, "Restore…");
    await titled(page, "Restore web-1 from web-1-");
    await press(page, /^Restore$/);
    await pinged(page, /web-1 is restored from Snapshot web-1-/);
    await isOn(page, "web-1");

    await press(page, /^Undo/);
    await titled(page, "Undo the restore of web-1?");
    await press(page, /^Undo$/);
    await pings(page).nth(2).waitFor();
    await isOn(page, "web-1");
    await keep(page, "journey-undone-1280-dark");

    await press(page, "List");
    await titled(page, "Snapshots of web-1");
    await pick(page, "web-1");
    await press(page, "Launch…");
    await page.getByRole("dialog").getByRole("textbox").fill("web-9");
    await page.getByRole("dialog").getByRole("button", { name: "Submit" }).click();
    await press(page, /^Launch – /);
    await isOn(page, "web-9");
    await pinged(page, /web-9/);

    const before = await snapshots(page, "web-1").count();
    await press(page, "Delete…");
    await titled(page, "for good?");
    await press(page, /^Delete$/);
    await pinged(page, /Snapshot \S+ is deleted/);
    assert.equal(await snapshots(page, "web-1").count(), before - 1);
    await keep(page, "journey-end-1280-dark");
    assert.deepEqual(await barriers(page), []);
  });

  scene(
    "reads eleven Snapshots of seven Droplets on a phone: nothing is cut, and nothing scrolls sideways",
    async (open) => {
      const page = await open({ width: 390, height: 780 });
      await begin(page, "list");
      await page.keyboard.press("Enter");
      await titled(page, "All Snapshots");
      const list = page.locator(".embed", { hasText: "All Snapshots" });
      await list.filter({ hasText: "11 Snapshots" }).waitFor();
      assert.equal(await card(page, "factorio-1").count(), 1);
      const text = list.locator(".embed-text");
      const size = () => text.evaluate((node) => [node.scrollWidth - node.clientWidth, document.documentElement.scrollWidth - innerWidth]);
      assert.deepEqual(await size(), [0, 0]);
      // A Droplet has one line, and a Snapshot two at most, where its name is long.
      const heads = await text.locator("strong").evaluateAll((all) => all.map((head) => head.getClientRects().length));
      assert.deepEqual([...new Set(heads)], [1]);
      const lines = await text.evaluate((node) => Math.round(node.getBoundingClientRect().height / parseFloat(getComputedStyle(node).lineHeight)));
      const written = (await text.innerText()).split("\n").filter(Boolean).length;
      await keep(page, "list-of-eleven-390-dark");
      assert.ok(lines <= written + 5, `${written} lines stand in ${lines}`);
      await text.scrollIntoViewIfNeeded();
      await text.evaluate((node) => node.scrollIntoView({ block: "start" }));
      await keep(page, "list-of-eleven-top-390-dark");
    },
    ...SEEDS.flatMap((seed) => ["--snapshot", seed]),
  );

  scene("sees what Snapshots cost, as a picture with words for it", async (open) => {
    const page = await open();
    await begin(page, "cost");
    await page.keyboard.press("Enter");
    const picture = page.locator(".picture img");
    await picture.waitFor();
    assert.ok(await picture.evaluate((image) => image.complete && image.naturalWidth > 0));
    const alt = await picture.getAttribute("alt");
    assert.match(alt, /so far \$/);
    await page.locator(".picture summary").press("Enter");
    await page.locator(".picture details p", { hasText: alt.slice(0, 40) }).waitFor();
    await keep(page, "cost-1280-dark");
    assert.deepEqual(await barriers(page), []);
  });
});
