// The page itself: safe with any name, whole on a phone, closed to other sites. Run by ./run.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { describe, test } from "node:test";

import { card, isOff, offered, pings, scene, take, titled } from "./scene.mjs";
import { barriers, binary, frameJumps, jumps, keep, startDemo } from "./window.mjs";

describe("the page", { concurrency: 2 }, () => {
  const hostile = ['<img src=x onerror="document.title=1">', "**a** `b` @everyone <@1>", "</script><b>x"];
  scene(
    "shows hostile names as text, wherever they stand",
    async (open) => {
      const page = await open();
      for (const name of hostile) await page.locator(".droplet h4", { hasText: name }).waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("snapshot take ");
      await page.keyboard.type("<img");
      await offered(page).first().filter({ hasText: "<img src=x" }).waitFor();
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

  scene("has everything on a phone, and nothing sticks out", async (open) => {
    for (const colours of ["dark", "light"]) {
      const page = await open({ width: 390, height: 780, colours });
      await keep(page, `welcome-390-${colours}`);
      assert.deepEqual(await jumps(page), []);
      // One row stands above the messages, as high as a finger needs.
      assert.ok((await page.locator("#scroll").boundingBox()).y <= 50);
      assert.deepEqual(await barriers(page), []);
      const wide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      const focused = () => page.evaluate(() => document.activeElement.id);
      assert.equal(await wide(), false);
      await page.locator("#panel-toggle").press("Enter");
      await card(page, "web-1").waitFor();
      assert.equal(await focused(), "panel-close");
      assert.deepEqual(await barriers(page), []);
      await keep(page, `panel-390-${colours}`);
      await page.keyboard.press("Escape");
      await page.locator("#panel").waitFor({ state: "hidden" });
      assert.equal(await focused(), "panel-toggle");
      assert.equal(await wide(), false);
    }
  });

  // Each with a demo of its own: a take that ends while the next window opens would move what that shows.
  for (const [width, height, droplet] of [[768, 1024, "web-1"], [820, 1180, "web-2"]]) {
    scene(`is whole on a tablet of ${width} px, with the panel at hand, and takes a Snapshot there`, async (open) => {
      const page = await open({ width, height, colours: width === 768 ? "dark" : "light" });
      const wide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.deepEqual(await jumps(page), []);
      assert.equal(await wide(), false);
      assert.deepEqual(await barriers(page), []);
      await take(page, droplet);
      await titled(page, "offline until");
      await page.locator("#panel-toggle").press("Enter");
      await isOff(page, droplet);
      await keep(page, `panel-${width}`);
      assert.deepEqual(await barriers(page), []);
      await page.keyboard.press("Escape");
      await page.locator("#panel").waitFor({ state: "hidden" });
      await pings(page).last().filter({ hasText: "is ready" }).waitFor();
      await keep(page, `ready-${width}`);
      assert.equal(await wide(), false);
      assert.deepEqual(await frameJumps(page), []);
    });
  }

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
