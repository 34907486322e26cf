// A demo of its own for each test, and windows of a headless Chromium that look at it.

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const screenshots = join(root, "target", "screenshots");
/** What is tried; `run` says where it is. */
export const binary = process.env.BOT;

/** How long something may take that the page shows. */
export const PATIENCE = 45_000;

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A page that is put in its place comes from nowhere, and may not ask loopback.
  ...(process.env.PAGE_FROM_DISK ? ["--disable-features=LocalNetworkAccessChecks"] : []),
];

/** Starts `snapshot-bot demo` on a free port; stopping it tells how it ended, and what it left behind. */
export async function startDemo(...extra) {
  const scratch = await mkdtemp(join(tmpdir(), "snapshot-bot-browser-"));
  const demo = spawn(binary, ["demo", "--no-open", "--addr", "127.0.0.1:0", ...extra], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TMPDIR: scratch },
  });
  const ended = new Promise((done) => demo.once("exit", done));
  const lines = createInterface({ input: demo.stdout });
  const url = await new Promise((found, failed) => {
    lines.on("line", (line) => line.startsWith("http://") && found(line.trim()));
    demo.once("exit", (code) => failed(new Error(`the demo ended with ${code} before it was ready`)));
    demo.once("error", failed);
  });
  return {
    url,
    async stop() {
      demo.kill("SIGINT");
      const code = await ended;
      const left = await readdir(scratch);
      await rm(scratch, { recursive: true, force: true });
      return { code, left };
    },
  };
}

/** Opens a browser with nothing in it. */
export async function openBrowser() {
  const profile = await mkdtemp(join(tmpdir(), "snapshot-bot-browser-"));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: FLAGS,
    env: { ...process.env, HOME: profile },
  });
  return {
    browser,
    async close() {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** A window with a person in it; `problems` collects whatever the browser complains about. */
export async function openWindow(browser, url, { seat = "ada", width = 1280, height = 800, colours = "dark" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: colours, deviceScaleFactor: 1 });
  await context.addInitScript(watchShifts);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const problems = [];
  page.on("console", (said) => ["error", "warning"].includes(said.type()) && problems.push(said.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (asked) => {
    const { origin } = new URL(asked.url());
    if (origin !== new URL(url).origin) problems.push(`asked elsewhere: ${asked.url()}`);
  });
  if (process.env.PAGE_FROM_DISK) await serveFromDisk(page);
  await page.goto(`${url}?seat=${seat}`);
  await page.locator("#seats button[aria-pressed=true]").waitFor();
  return { page, problems, context };
}

/** Runs in the page: collects what jumps without anybody having touched anything. */
function watchShifts() {
  globalThis.shifts = [];
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources } of list.getEntries()) {
      const nodes = sources.map(({ node }) => (node instanceof Element ? node : node?.parentElement)).filter(Boolean);
      const moved = nodes.map((node) => node.id || node.className || node.nodeName);
      // Messages, Droplets and suggestions make room for what comes; all else stays where it is.
      const inFrame = nodes.some((node) => !node.closest("#scroll, #droplets, #suggestions"));
      if (!hadRecentInput) globalThis.shifts.push({ inFrame, words: `${value.toFixed(4)}: ${moved.join(", ")}` });
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** What has jumped in this window by itself so far. */
export const jumps = (page) => page.evaluate(() => globalThis.shifts.map(({ words }) => words));

/** The same without the lists of messages and Droplets, which make room for what comes. The page as a whole is never scrolled. */
export const frameJumps = (page) =>
  page.evaluate(() => {
    const { scrollHeight } = document.documentElement;
    const moved = globalThis.shifts.filter(({ inFrame }) => inFrame).map(({ words }) => words);
    return scrollHeight > innerHeight ? [...moved, `the page is ${scrollHeight - innerHeight} px too high`] : moved;
  });

/** While the page is being written: its files as they lie on the disk, not as they were embedded. */
async function serveFromDisk(page) {
  const folder = join(root, "sandbox/src/page");
  const kinds = { html: "text/html", js: "text/javascript", css: "text/css" };
  await page.route(/(\/|\.js|\.css)(\?.*)?$/, async (route) => {
    const { pathname } = new URL(route.request().url());
    const name = pathname === "/" ? "index.html" : pathname.endsWith(".css") ? join("css", pathname) : pathname;
    const contentType = kinds[name.split(".").pop()];
    await route.fulfill({ body: await readFile(join(folder, name)), contentType });
  });
}

/** Waits until the bot has registered its commands. */
export async function ready(page) {
  await page.locator("#tour").waitFor();
}

/** Waits until nothing is about to be somewhere else, or half transparent. */
const arrived = (page) =>
  page.waitForFunction(() => document.getAnimations().every(({ effect }) => effect.getTiming().iterations === Infinity));

/** Keeps what the window shows as a file of the CI run. */
export async function keep(page, name) {
  await mkdir(screenshots, { recursive: true });
  await arrived(page);
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

const axe = createRequire(import.meta.url)("axe-core").source;

/** What keeps people from reading or using what the window shows: contrast, names, landmarks. */
export async function barriers(page) {
  await arrived(page);
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"], rules: { "target-size": { enabled: true } } }));
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}
