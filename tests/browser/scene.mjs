// A scene: a demo of its own, and windows that look at it. What a person does in them stands in person.mjs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { PATIENCE, openBrowser, openWindow, ready, startDemo } from "./window.mjs";

export * from "./person.mjs";

/** How many messages stand in #ops when somebody comes. */
export const SAID_BEFORE = 3;

let chromium;

before(async () => {
  chromium = await openBrowser();
});

after(() => chromium.close());

/** Plays a scene; whatever the browser complained about fails it, and so does a demo that ends untidily. */
export function scene(name, play, ...extra) {
  test(name, { timeout: 4 * PATIENCE }, async () => {
    const demo = await startDemo(...extra);
    const windows = [];
    const open = async (options) => {
      const opened = await openWindow(chromium.browser, demo.url, options);
      windows.push(opened);
      await ready(opened.page);
      return opened.page;
    };
    let ended;
    try {
      await play(open, demo);
      for (const { problems } of windows) assert.deepEqual(problems, []);
    } finally {
      await Promise.all(windows.map(({ context }) => context.close()));
      ended = await demo.stop();
    }
    assert.deepEqual(ended, { code: 0, left: [] });
  });
}
