/**
 * The demo site in Chromium with WebGPU, by a graphics card made of software: the digits are trained, gone on with and read there, networks of
 * some depth trained, and a card that is lost leaves the rest to WebAssembly. Skipped where Chromium is not installed; `.ci/run` installs it.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors, Tensor } from "../src/index.ts";
import { executablePath, type Served, serve, softwareCard, startChromium } from "./chromium.ts";

describe.skipIf(executablePath === undefined)("the site on a graphics card", () => {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-site-"));
  let browser: Browser;
  let context: BrowserContext;
  let served: Served;
  const errors: string[] = [];

  /** So many of the digits: software is slow. */
  function fewDigits(train: number, held: number): Buffer {
    const { tensors } = decodeSafetensors(gunzipSync(readFileSync(join(folder, "digits.bin"))));
    const first = (name: string, count: number) => {
      const { dtype, shape, data } = tensors[name] as Tensor;
      const size = data.length / (shape[0] ?? 1);
      return new Tensor(dtype, [count, ...shape.slice(1)], data.slice(0, count * size) as typeof data);
    };
    return Buffer.from(
      encodeSafetensors({
        "train.x": first("train.x", train),
        "train.y": first("train.y", train),
        "test.x": first("test.x", held),
        "test.y": first("test.y", held),
      }),
    );
  }

  beforeAll(async () => {
    execFileSync(process.execPath, ["--import", "tsx", "site/build.ts", folder]);
    served = await serve(folder);
    browser = await startChromium(softwareCard);
    context = await browser.newContext({ locale: "en-GB" });
    const body = fewDigits(64, 50);
    await context.route("**/digits.bin", (route) => route.fulfill({ body }));
    context.on("weberror", (error) => errors.push(String(error.error())));
  });
  afterAll(async () => {
    await browser.close();
    served.close();
    rmSync(folder, { recursive: true });
  });

  async function open(name = "digits"): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${served.address}${name}.html`);
    return page;
  }
  const says = (page: Page, selector: string, words: RegExp) =>
    expect.poll(() => page.textContent(selector), { timeout: 200_000, interval: 50 }).toMatch(words);

  /** Chooses what computes, by the keys. */
  async function choose(page: Page, keys: string): Promise<void> {
    await page.focus("#device");
    await page.keyboard.press("Home");
    for (const key of keys) await page.keyboard.press(key === "v" ? "ArrowDown" : key);
  }

  test("digits: is trained there when the reader says so, goes on after a reload, and reads what is drawn", async () => {
    const page = await open();
    await says(page, "#on", /^The processor computes: WebGPU is there by software alone/);
    await choose(page, "v");
    expect(await page.inputValue("#device")).toBe("webgpu");
    await says(page, "#on", /^WebGPU computes, by software/);
    await page.click("#train");
    await says(page, "#result", /^After epoch 1, /);
    expect(await page.isDisabled("#device")).toBe(true);
    await page.click("#stop");
    await says(page, "#state", /^Stopped/);
    await page.reload();
    expect(await page.inputValue("#device")).toBe("webgpu");
    await says(page, "#state", /^Epochs trained on an earlier visit: [1-3]\./);
    // A stroke downwards.
    await page.focus("#pad");
    await page.keyboard.press(" ");
    for (let i = 0; i < 14; i++) await page.keyboard.press("ArrowDown");
    await says(page, "#answer", /^It is a \d /);
    await page.click("#train");
    await says(page, "#state", /^Epoch [2-4] of 4, batch /);
    await says(page, "#state", /^Trained\./);
    // Of 64 digits in 4 epochs; a tenth is right by chance.
    const [, right = 0] = /([\d.]+) % of the test/.exec((await page.textContent("#result")) ?? "") ?? [];
    expect(Number(right)).toBeGreaterThan(30);
    expect(await page.locator("#error").isHidden()).toBe(true);
    await page.click("#anew");
    // What was kept is gone then.
    await says(page, "#state", /^Not trained yet/);
    await page.close();
  }, 400_000);

  test("depth: computes there where the reader says so, and else says why not", async () => {
    const page = await open("depth");
    await choose(page, "");
    await says(page, "#on", /^The processor computes: so small a network/);
    await choose(page, "v");
    await page.fill("#depth", "1");
    await page.click("#train");
    await says(page, "#state", /: epoch 1 of 30, /);
    expect(await page.textContent("#on")).toMatch(/^WebGPU computes, by software/);
    await page.click("#stop");
    await says(page, "#state", /: trained, /);
    expect(await page.locator("#error").isHidden()).toBe(true);
    await page.close();
  }, 400_000);

  test("digits: a card that is lost in the middle leaves the rest to WebAssembly, from the last checkpoint on", async () => {
    const page = await open();
    await choose(page, "v");
    await page.click("#train");
    await says(page, "#result", /^After epoch 1, /);
    const session = await browser.newBrowserCDPSession();
    await session.send("Browser.crashGpuProcess");
    await says(page, "#on", /^The graphics card failed, and the processor goes on: .*graphics card/);
    await says(page, "#state", /^Trained\./);
    expect(await page.textContent("#result")).toMatch(/^After epoch 4, /);
    expect(await page.locator("#error").isHidden()).toBe(true);
    await page.close();
  }, 400_000);

  test("throws nothing", () => expect(errors).toEqual([]));
});
