/** The template for browsers: built by Vite and by esbuild, it trains in Chromium, also on a graphics card. Skipped where Chromium is not installed; `.ci/run` installs it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build as bundle } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeProject } from "../src/cli/new/project.ts";
import { executablePath, type Served, serve, softwareCard, startChromium } from "./chromium.ts";
import { visit } from "./pages.ts";

describe.skipIf(executablePath === undefined)("a page that trains", () => {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-page-"));
  const project = join(folder, "page");
  let browser: Browser;
  const servers: Served[] = [];

  beforeAll(async () => {
    makeProject(project, "browser");
    mkdirSync(join(project, "node_modules"));
    symlinkSync(resolve("."), join(project, "node_modules/sardonyx"));
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser.close();
    for (const { close } of servers) close();
    rmSync(folder, { recursive: true });
  });

  /** The address of a folder, served as any server does it: not isolated. */
  async function addressOf(dist: string): Promise<string> {
    const served = await serve(dist, {});
    servers.push(served);
    return served.address;
  }

  /** Opens the page and lets it train. */
  async function start(address: string): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(address);
    await page.click("#train");
    return page;
  }

  /** What a page says once it has trained. */
  async function said(page: Page): Promise<string> {
    await expect.poll(() => page.textContent("#state"), { timeout: 120_000 }).toMatch(/Trained\.|: [a-z]/);
    await expect.poll(() => page.isEnabled("#train"), { timeout: 120_000 }).toBe(true);
    return (await page.textContent("#state")) ?? "";
  }
  const rightOf = (text: string) => Number(/([\d.]+) % right\. Trained\./.exec(text)?.[1]);
  const epochOf = (text: string | null) => Number(/^Epoch (\d+)/.exec(text ?? "")?.[1] ?? 0);

  test("built by Vite, without a setting", async () => {
    await build({ root: project, logLevel: "error" });
    const page = await start(await addressOf(join(project, "dist")));
    expect(rightOf(await said(page))).toBeGreaterThan(90);
    await page.close();
  });

  test("built by esbuild; what is stopped goes on at the next click", async () => {
    const dist = join(project, "plain");
    // esbuild leaves addresses as they are.
    const main = readFileSync(join(project, "main.ts"), "utf8").replaceAll("./worker.ts", "./worker.js");
    writeFileSync(join(project, "esbuild.ts"), main);
    const entryPoints = { main: join(project, "esbuild.ts"), worker: join(project, "worker.ts") };
    await bundle({ entryPoints, bundle: true, format: "esm", outdir: dist, logLevel: "error" });
    const html = readFileSync(join(project, "index.html"), "utf8").replace("./main.ts", "./main.js");
    writeFileSync(join(dist, "index.html"), html);
    const page = await start(await addressOf(dist));
    await expect.poll(async () => epochOf(await page.textContent("#state")), { timeout: 60_000 }).toBeGreaterThan(1);
    await page.click("#stop");
    const stopped = await said(page);
    expect(epochOf(stopped)).toBeLessThan(60);
    await page.evaluate(() => {
      const state = document.querySelector("#state");
      // What is said first of what goes on.
      new MutationObserver((_, observer) => {
        document.title = state?.textContent ?? "";
        observer.disconnect();
      }).observe(state ?? document, { childList: true });
    });
    await page.click("#train");
    const done = await said(page);
    expect(epochOf(await page.title())).toBe(epochOf(stopped) + 1);
    expect([epochOf(done), rightOf(done) > 90]).toEqual([60, true]);
    await page.close();
  });

  /** What a program that leaves it in the title computes in a page of a browser. */
  async function computed(program: string, more: readonly string[] = []): Promise<unknown> {
    const dist = join(project, "card");
    writeFileSync(join(project, "card.ts"), program);
    await bundle({
      entryPoints: [join(project, "card.ts")],
      bundle: true,
      format: "esm",
      outdir: dist,
      logLevel: "error",
    });
    writeFileSync(join(dist, "index.html"), '<!doctype html><script type="module" src="./card.js"></script>');
    const own = await startChromium(more);
    try {
      return (await visit(own, await addressOf(dist))).result;
    } finally {
      await own.close();
    }
  }

  test("on a graphics card, as on WebAssembly", async () => {
    const program = `
      import { adam, conv2d, crossEntropy, dense, flatten, maxPool2d, pageDevice, sequential, Tensor, Trainer } from "sardonyx/web";
      const images = new Tensor("float32", [4, 1, 8, 8], Float32Array.from({ length: 256 }, (_, i) => Math.sin(i)));
      const batch = { x: images, y: new Tensor("int32", [4], Int32Array.of(0, 1, 2, 1)) };
      async function losses(device) {
        const model = sequential([conv2d(4, 3, { activation: "relu" }), maxPool2d(2), flatten(), dense(3)]);
        const options = { loss: crossEntropy(), optimizer: adam({ learningRate: 0.01 }) };
        const trainer = new Trainer(model, { ...options, training: { clipNorm: 1, compile: { device } } });
        const found = [];
        for (let i = 0; i < 4; i++) found.push((await trainer.step(batch)).loss);
        await trainer.sync();
        found.push(...model.parameters().get("layers.0.bias").value.toNumbers());
        await trainer.release();
        return found;
      }
      document.title = JSON.stringify({ there: await losses("webgpu"), here: await losses("wasm"), devices: [await pageDevice(), await pageDevice({ software: true })] });
    `;
    const { there, here, devices } = (await computed(program, softwareCard)) as {
      there: number[];
      here: number[];
      devices: string[];
    };
    // Software is taken only where it is asked for.
    expect(devices).toEqual(["wasm", "webgpu"]);
    expect(here[3]).toBeLessThan(here[0] as number);
    for (const [i, expected] of here.entries()) expect(there[i]).toBeCloseTo(expected, 4);
  }, 240_000);

  test("in float16 on WebAssembly nearly as in float32; a card without it is told", async () => {
    const program = `
      import { adam, crossEntropy, dense, sequential, Tensor, Trainer } from "sardonyx/web";
      const x = new Tensor("float32", [4, 8], Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)));
      const batch = { x, y: new Tensor("int32", [4], Int32Array.of(0, 1, 2, 1)) };
      async function losses(training) {
        const model = sequential([dense(8, { activation: "tanh" }), dense(3)]);
        const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: adam({ learningRate: 0.01 }), training });
        const found = [];
        for (let i = 0; i < 4; i++) found.push((await trainer.step(batch)).loss);
        await trainer.release();
        return found;
      }
      const [narrow, wide] = [await losses({ precision: "float16" }), await losses({})];
      const card = losses({ precision: "float16", compile: { device: "webgpu" } });
      document.title = JSON.stringify({ narrow, wide, refused: await card.then(String, (error) => error.message) });
    `;
    const { narrow, wide, refused } = (await computed(program, softwareCard)) as {
      narrow: number[];
      wide: number[];
      refused: string;
    };
    expect(narrow).not.toEqual(wide);
    for (const [i, expected] of wide.entries()) expect(narrow[i]).toBeCloseTo(expected, 2);
    expect(refused).toContain('the one of device "webgpu" has none; compute in float32');
  }, 240_000);

  test("without a card the page is told what to do", async () => {
    const program = `
      import { jit, ops, tensor } from "sardonyx/web";
      const failed = await jit((x) => ops.add(x, 1), { device: "webgpu" })(tensor([1])).catch((error) => error.message);
      document.title = JSON.stringify(failed);
    `;
    expect(await computed(program)).toMatch(/device "webgpu" .*compute on "wasm"/);
  }, 240_000);
});
