// The demo as a visitor meets it, in a real browser. Run by ./run.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";

import { PATIENCE, binary, keep, openBrowser, openWindow, ready, startDemo } from "./window.mjs";

let chromium;

before(async () => {
  chromium = await openBrowser();
});

after(() => chromium.close());

/** Plays a scene in a demo of its own; whatever the browser complained about fails it. */
function scene(name, play, ...extra) {
  test(name, { timeout: 3 * PATIENCE }, async () => {
    const demo = await startDemo(...extra);
    const windows = [];
    const open = async (options) => {
      const opened = await openWindow(chromium.browser, demo.url, options);
      windows.push(opened);
      await ready(opened.page);
      return opened.page;
    };
    try {
      await play(open, demo);
      for (const { problems } of windows) assert.deepEqual(problems, []);
    } finally {
      await Promise.all(windows.map(({ context }) => context.close()));
      assert.equal(await demo.stop(), 0);
    }
  });
}

const card = (page, name) => page.locator(`[data-droplet="${name}"]`);
const isOn = (page, name) => card(page, name).locator(".power.on").waitFor();
const isOff = (page, name) => card(page, name).locator(".power.off").waitFor();
const snapshots = (page, name) => card(page, name).locator(".snapshot");
const pings = (page) => page.locator(".message.pings-me");
const titled = (page, words) => page.locator(".embed-title", { hasText: words }).waitFor();

/** Asks for a Snapshot with the keyboard alone. */
async function take(page, name) {
  await page.keyboard.press("/");
  await page.locator("[role=option]", { hasText: "/snapshot take" }).waitFor();
  await page.keyboard.type("take");
  await page.keyboard.press("Enter");
  await page.keyboard.type(name);
  await page.locator("[role=option]").first().filter({ hasText: name }).waitFor();
  await page.keyboard.press("Enter");
  assert.ok((await page.locator("[data-option=droplet]").inputValue()).startsWith(name));
  await page.keyboard.press("Enter");
}

describe("a visitor", () => {
  scene("takes a Snapshot with the keyboard alone, and watches it", async (open) => {
    const page = await open();
    const light = await open({ colours: "light" });
    const phone = await open({ width: 390, height: 780 });
    await keep(page, "welcome-1280-dark");
    await page.keyboard.press("/");
    await keep(page, "commands-1280-dark");
    await page.keyboard.press("Escape");
    await page.locator("#composer-text").fill("");
    await page.locator("#scroll").focus();
    await take(page, "web-1");
    await isOff(page, "web-1");
    await titled(page, "expect downtime");
    await page.locator(".embed-text", { hasText: "Taking the Snapshot" }).waitFor();
    await keep(page, "progress-1280-dark");
    await keep(phone, "progress-390-dark");
    await pings(page).waitFor();
    await isOn(page, "web-1");
    await titled(page, "ready");
    assert.equal(await snapshots(page, "web-1").count(), 1);
    assert.equal(await pings(page).count(), 1);
    assert.match(await pings(page).innerText(), /@ada Snapshot web-1-\S+ of web-1 is ready: 4\.2 GB/);
    // What an answer quotes is as new as what it answers.
    await pings(page).locator(".context", { hasText: "ready" }).waitFor();
    await keep(page, "ready-1280-dark");
    await keep(light, "ready-1280-light");
  });

  scene("without the right is refused, and nobody else sees it", async (open) => {
    const gus = await open({ seat: "gus", width: 390, height: 780, colours: "light" });
    const ada = await open({ seat: "ada" });
    const refusal = gus.locator(".message.private");
    await gus.keyboard.press("/");
    await gus.keyboard.type("snapshot take ");
    await gus.keyboard.type("web-1");
    // Whoever may see nothing is offered nothing.
    await gus.getByText("No options match your search.").waitFor();
    await gus.keyboard.press("Enter");
    await refusal.waitFor();
    assert.match(await refusal.innerText(), /You need one of the roles @Operator, @Restorer/);
    await keep(gus, "refused-390-light");
    assert.equal(await ada.locator(".message").count(), 0);
    assert.equal(await card(ada, "web-1").locator(".action").count(), 0);
    await refusal.getByText("Dismiss message").click();
    await refusal.waitFor({ state: "detached" });
  });

  scene("lets a snapshot fail, and sees the Droplet come back on", async (open) => {
    const page = await open({ colours: "light" });
    const fails = page.locator("[data-switch=snapshot_errs]");
    await fails.focus();
    await page.keyboard.press("Space");
    await page.locator("[data-switch=snapshot_errs][aria-checked=true]").waitFor();
    await take(page, "valheim");
    await isOff(page, "valheim");
    await pings(page).waitFor();
    await isOn(page, "valheim");
    await titled(page, "failed");
    assert.match(await pings(page).innerText(), /failed/);
    assert.equal(await snapshots(page, "valheim").count(), 0);
    assert.equal(await fails.getAttribute("aria-checked"), "false");
    await keep(page, "failed-1280-light");
  });

  scene("is asked about a shutdown that hangs, and presses a button", async (open) => {
    const page = await open();
    await page.locator("[data-switch=shutdown_hangs]").click();
    await page.locator("[data-switch=shutdown_hangs][aria-checked=true]").waitFor();
    await page.locator("#scroll").focus();
    await take(page, "web-2");
    const force = page.getByRole("button", { name: "Force power off" });
    await force.waitFor();
    await keep(page, "question-1280-dark");
    await force.click();
    await isOff(page, "web-2");
    await pings(page).waitFor();
    await isOn(page, "web-2");
    assert.equal(await snapshots(page, "web-2").count(), 1);
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
    await page.keyboard.press("/");
    await page.keyboard.type("snapshot status ");
    await page.keyboard.press("Enter");
    await page.locator(".message.failed", { hasText: "The application did not respond" }).waitFor();
    await page.locator("#start").click();
    await pings(page).waitFor();
    await isOn(page, "minecraft");
    await titled(page, "ready");
    assert.equal(await snapshots(page, "minecraft").count(), 3);
    assert.equal(await pings(page).count(), 1);
  });

  const hostile = ['<img src=x onerror="document.title=1">', "**a** `b` @everyone <@1>", "</script><b>x"];
  scene(
    "meets hostile names as text, wherever they stand",
    async (open) => {
      const page = await open();
      for (const name of hostile) await page.locator(".droplet h4", { hasText: name }).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("snapshot take ");
      await page.keyboard.type("<img");
      const offered = page.locator("[role=option]").first();
      await offered.filter({ hasText: "<img src=x" }).waitFor();
      await page.keyboard.press("Enter");
      await page.keyboard.press("Enter");
      await pings(page).waitFor();
      assert.match(await pings(page).innerText(), /<img src=x onerror=/);
      await page.keyboard.type("<i>hello</i> [x](javascript:alert(1)) **bold");
      await page.keyboard.press("Enter");
      await page.locator(".message", { hasText: "<i>hello</i> [x](javascript:alert(1)) **bold" }).waitFor();
      await keep(page, "hostile-1280-dark");
      assert.equal(await page.locator("img, .messages i, .messages script, a[href^=javascript]").count(), 0);
      assert.match(await page.title(), /#ops/);
    },
    ...hostile.flatMap((name) => ["--droplet", name]),
  );

  scene("finds everything on a phone, and nothing sticks out", async (open) => {
    for (const colours of ["dark", "light"]) {
      const page = await open({ width: 390, height: 780, colours });
      await keep(page, `welcome-390-${colours}`);
      const wide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(await wide(), false);
      await page.locator("#panel-toggle").focus();
      await page.keyboard.press("Enter");
      await card(page, "web-1").waitFor();
      await page.waitForFunction(() => document.getElementById("panel").getAnimations().length === 0);
      await keep(page, `panel-390-${colours}`);
      await page.keyboard.press("Escape");
      assert.equal(await page.evaluate(() => document.activeElement.id), "panel-toggle");
      assert.equal(await wide(), false);
    }
  });

  scene("sits in another seat, and talks", async (open) => {
    const page = await open();
    const other = await open({ seat: "rae" });
    await page.locator("#seats button", { hasText: "gus" }).click();
    await page.waitForURL(/seat=gus/);
    await page.locator("#composer-text").fill("hello **there** <@1>");
    await page.keyboard.press("Enter");
    const heard = other.locator(".message", { hasText: "hello there" });
    await heard.waitFor();
    assert.equal(await heard.locator("strong", { hasText: "there" }).count(), 1);
    assert.match(await heard.innerText(), /gus/);
  });
});

describe("the page", () => {
  scene("answers to its own address and its own pages alone", async (open, { url }) => {
    const { port } = new URL(url);
    const status = (path, options) =>
      new Promise((done, failed) => {
        const asked = request({ host: "127.0.0.1", port, path, ...options }, (answer) => {
          answer.resume();
          done(answer.statusCode);
        });
        asked.on("error", failed);
        asked.end(options.body);
      });
    const order = { method: "POST", body: '{"order":"kill"}' };
    const json = { "content-type": "application/json" };
    assert.equal(await status("/", { headers: { host: "rebound.example" } }), 403);
    assert.equal(await status("/act/bot", { ...order, headers: json }), 403);
    assert.equal(await status("/act/bot", { ...order, headers: { ...json, origin: "http://elsewhere.example" } }), 403);
    assert.equal(await status("/live", { headers: { upgrade: "websocket", connection: "upgrade", origin: "null" } }), 403);
    const page = await open();
    assert.equal(await page.locator("#kill").count(), 1);
  });

  test("says which port is in use", async () => {
    const demo = await startDemo();
    const address = new URL(demo.url).host;
    const second = spawn(binary, ["demo", "--no-open", "--addr", address]);
    let said = "";
    second.stderr.on("data", (text) => (said += text));
    const [code] = await once(second, "exit");
    assert.equal(code, 1);
    assert.match(said, /port \d+ is in use/);
    await demo.stop();
  });
});
