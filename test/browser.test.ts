/**
 * Reports in a real browser: pages without errors whose graph opens and closes, charts that Mermaid renders within GitHub's
 * limits. Skipped where Chromium is not installed; `.ci/run` installs it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspect, mermaidOf, moduleNetwork } from "../src/analyze/index.ts";
import { presetOf, presets } from "../src/models/index.ts";
import { adam } from "../src/train/optimizers/index.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const flags =
  "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const folder = mkdtempSync(join(tmpdir(), "sardonyx-browser-"));

/** What GitHub sets for the charts that it draws. */
const limits = { maxTextSize: 50_000, maxEdges: 500 };

function inspected(name: string) {
  const { source, inputs, build } = presetOf(name);
  const network = moduleNetwork({ name, source, model: build(), inputs });
  return inspect(network, { optimizer: adam(), precision: "float32" });
}

describe.skipIf(executablePath === undefined)("in Chromium", () => {
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: flags.split(" ") });
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith("file:") && !request.url().startsWith("data:"))
        errors.push(`asks for ${request.url()}`);
    });
  });
  afterAll(() => browser.close());

  async function show(name: string): Promise<void> {
    const path = join(folder, `${name}.html`);
    const program = fileURLToPath(new URL("../bin/sardonyx.mjs", import.meta.url));
    const args = [program, "inspect", name, "--format", "html", "--out", path];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    await page.goto(pathToFileURL(path).href);
  }

  test("a page shows the network, by itself", async () => {
    await show("resnet50");
    expect(await page.title()).toBe("resnet50");
    const text = await page.locator("main").innerText();
    for (const expected of ["25,557,032", "weighted layers deep", "65,536"]) expect(text).toContain(expected);
    expect(await page.locator("figure svg, section > svg").count()).toBeGreaterThanOrEqual(2);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(errors).toEqual([]);
  });

  test("a block opens by a click and by the keyboard, and closes again", async () => {
    await show("resnet50");
    await page.locator("#close-all").click();
    const boxes = page.locator("#explorer .box");
    const closed = await boxes.count();
    expect(closed).toBeLessThan(16);
    await page.locator('[aria-label="open layer1"]').click();
    const opened = await boxes.count();
    expect(opened).toBeGreaterThan(closed);
    await page.locator('[aria-label="open layer1.0"]').press("Enter");
    expect(await boxes.count()).toBeGreaterThan(opened);
    await page.locator('[aria-label="close layer1"]').press("Enter");
    expect(await boxes.count()).toBe(closed);
    await page.locator("#open-all").click();
    expect(await boxes.count()).toBeGreaterThan(150);
    expect(errors).toEqual([]);
  });

  test("each definition of depth lights up what it counts, and its path", async () => {
    await show("resnet50");
    await page.locator("#open-all").click();
    const light = async (name: RegExp) => {
      const option = page.locator("#sense option").filter({ hasText: name });
      await page.getByLabel("Light up").selectOption((await option.getAttribute("value")) ?? "");
      const number = (selector: string) => page.locator(`#explorer ${selector}`).count();
      return [await number(".box.counted"), await number(".box.passed"), await number(".edge.lit")];
    };
    // Its depth in each sense, docs/depth.md: what counts on the way through is one box each.
    const [weighted, passed = 0, edges = 0] = await light(/^Weighted layers .*: 50$/);
    expect(weighted).toBe(50);
    expect(edges).toBe(50 + passed - 1);
    expect((await light(/^Credit-assignment path: 117$/))[0]).toBe(117);
    expect(await light(/^Layers with parameters: 107$/)).toEqual([107, 0, 0]);
    expect((await light(/^Shortest path: 6$/))[0]).toBe(6);
    expect(await page.locator("#lit").innerText()).toMatch(/^6 of \d+ boxes count, on a path of \d+$/);
    // A closed block is lit where something in it is.
    await page.locator("#close-all").click();
    expect(await page.locator(".box.counted").count()).toBeGreaterThan(3);
    await page.getByLabel("Light up").selectOption("");
    expect(await page.locator(".counted, .unlit").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("the graph moves with the pointer and zooms with the wheel", async () => {
    await show("lenet5");
    const plane = page.locator("#explorer svg > g");
    const before = await plane.getAttribute("transform");
    await page.locator("#explorer").scrollIntoViewIfNeeded();
    const area = (await page.locator("#explorer").boundingBox()) ?? { x: 0, y: 0 };
    await page.mouse.move(area.x + 20, area.y + 200);
    await page.mouse.down();
    await page.mouse.move(area.x + 70, area.y + 230);
    await page.mouse.up();
    const moved = await plane.getAttribute("transform");
    expect(moved).not.toBe(before);
    await page.mouse.wheel(0, 200);
    await expect.poll(() => plane.getAttribute("transform")).not.toBe(moved);
    expect(errors).toEqual([]);
  });

  test("a page on a phone is no wider than it", async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await show("bert_base_uncased");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.setViewportSize({ width: 1200, height: 900 });
    expect(errors).toEqual([]);
  });

  test("Mermaid renders the chart of every preset", { timeout: 180_000 }, async () => {
    await page.goto(pathToFileURL(join(fileURLToPath(new URL("fixtures", import.meta.url)), "blank.html")).href);
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve("@mermaid-js/tiny/dist/mermaid.tiny.js") });
    for (const name of Object.keys(presets)) {
      const chart = mermaidOf(inspected(name));
      expect(chart.length, name).toBeLessThan(limits.maxTextSize);
      const svg = await page.evaluate(
        async ({ text, settings }) => {
          const { mermaid } = globalThis as unknown as {
            mermaid: { initialize(options: object): void; render(id: string, text: string): Promise<{ svg: string }> };
          };
          mermaid.initialize({ startOnLoad: false, securityLevel: "strict", ...settings });
          return (await mermaid.render("chart", text)).svg;
        },
        { text: chart, settings: limits },
      );
      expect(svg, name).toContain("<svg");
      expect(svg, name).not.toContain("Syntax error");
    }
    expect(errors).toEqual([]);
  });
});
