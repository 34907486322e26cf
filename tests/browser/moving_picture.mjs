// The frames of the README's moving picture, written into the folder that is named. Prints, for img2webp, how long each stays and
// where it is. Run by ./moving_picture.

import { join } from "node:path";

import { card, isOff, isOn, pings, take, titled } from "./person.mjs";
import { openBrowser, openWindow, ready, startDemo } from "./window.mjs";

const [folder] = process.argv.slice(2);
const demo = await startDemo();
const chromium = await openBrowser();
const { page, context } = await openWindow(chromium.browser, demo.url, { width: 1280, height: 720 });

let count = 0;
/** Keeps what is to be seen now, for so many milliseconds of the picture. */
async function frame(milliseconds) {
  count += 1;
  const path = join(folder, `${String(count).padStart(3, "0")}.png`);
  await page.screenshot({ path });
  console.log(`-d ${milliseconds} ${path}`);
}

/** Keeps what changes until something has happened. */
async function until(happened, milliseconds = 400) {
  let over = false;
  const end = happened.then(() => (over = true));
  while (!over) {
    await frame(milliseconds);
    await Promise.race([end, page.waitForTimeout(milliseconds)]);
  }
}

await ready(page);
await frame(1_500);
await page.keyboard.press("/");
await frame(700);
await page.keyboard.press("Escape");
await page.keyboard.press("ControlOrMeta+A");
await page.keyboard.press("Delete");
await take(page, "minecraft");
await until(isOff(page, "minecraft"));
await frame(1_500);
await page.locator("#kill").click();
await page.locator("#start").waitFor();
await frame(3_000);
await page.locator("#start").click();
await until(Promise.all([pings(page).waitFor(), isOn(page, "minecraft"), titled(page, "ready")]));
await card(page, "minecraft").scrollIntoViewIfNeeded();
await page.locator("#tour", { hasText: /It came back/ }).waitFor();
await frame(5_000);

await context.close();
await chromium.close();
await demo.stop();
