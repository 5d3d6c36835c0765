/** The studio's page of a run: what is saved and sent of it, what its layers did, in Chromium. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runRecipe } from "../src/node.ts";
import { executablePath, startChromium } from "./chromium.ts";
import { openStudioPage, type StudioProcess, startStudio } from "./studio-process.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-studio-run-"));
const root = join(folder, "runs");
const evil = "<script>alert(1)</script><img src=x onerror=alert(1)>";

let studio: StudioProcess;
beforeAll(async () => {
  await runRecipe(
    "iris",
    { epochs: 4, seed: 5, watchLayers: 1, watchSamples: 2 },
    { out: join(root, "iris"), threads: 1 },
  );
  await runRecipe("iris", { epochs: 2, seed: 5 }, { out: join(root, "plain"), threads: 1 });
  const tiny = { epochs: 1, seed: 5, limit: 20, batchSize: 4, watchSamples: 1 };
  await runRecipe("gpt-char", tiny, { out: join(root, "gpt"), threads: 1 });
  cpSync(join(root, "iris"), join(root, "named"), { recursive: true });
  writeFileSync(join(root, "named/studio.json"), JSON.stringify({ name: evil, note: evil, tags: [evil.slice(0, 50)] }));
  studio = await startStudio(root, folder);
}, 120_000);
afterAll(async () => {
  studio?.child.kill("SIGKILL");
  await studio?.ended;
  rmSync(folder, { recursive: true, force: true });
});

const contentOf = async (download: Download): Promise<string> => readFileSync(await download.path(), "utf8");

describe.skipIf(executablePath === undefined)("the page of a run, in Chromium", () => {
  let browser: Browser;
  let page: Page;
  let wrong: string[] = [];
  beforeAll(async () => {
    browser = await startChromium();
    ({ page, wrong } = await openStudioPage(browser, studio));
    page.on("dialog", (dialog) => wrong.push(dialog.message()));
    await page.getByRole("row", { name: /iris/ }).first().waitFor();
  });
  afterAll(() => browser?.close());

  const openRun = async (id: string) => {
    await page.goto(new URL(`/#/run/${encodeURIComponent(id)}`, studio.url).href);
    await page.getByRole("region", { name: "loss · epochs", exact: true }).locator("canvas").waitFor();
  };
  const saved = async (press: () => Promise<void>): Promise<Download> => {
    const download = page.waitForEvent("download");
    await press();
    return download;
  };
  /** Opens a file that was saved, as whoever it is sent to does; addresses that it asks for. */
  const opened = async (html: string): Promise<{ readonly page: Page; readonly asked: readonly string[] }> => {
    const path = join(folder, "sent.html");
    writeFileSync(path, html);
    const own = await browser.newPage();
    const asked: string[] = [];
    own.on("request", (request) => asked.push(request.url()));
    own.on("dialog", (dialog) => wrong.push(dialog.message()));
    await own.goto(`file://${path}`);
    return { page: own, asked };
  };

  /** Once the page shows what was chosen: what is saved is what it shows. */
  const rendered = () =>
    page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0)))));

  test("a curve is saved as SVG, on the axis and with the smoothing of the page", async () => {
    await openRun("iris");
    await page.getByLabel(/^Over/).selectOption("epoch");
    await rendered();
    const panel = page.getByRole("region", { name: "loss · epochs", exact: true });
    const download = await saved(() => panel.getByRole("button", { name: "SVG" }).click());
    expect(download.suggestedFilename()).toBe("loss.svg");
    const svg = await contentOf(download);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).toContain(">iris: loss</text>");
    expect(svg).toContain(">epochs</text>");
    const parsed = await page.evaluate(
      (text) => new DOMParser().parseFromString(text, "image/svg+xml").querySelector("parsererror")?.textContent,
      svg,
    );
    expect(parsed).toBeUndefined();
  });

  test("a run is saved as one page, which opens without the studio and asks for nothing", async () => {
    await openRun("named");
    const download = await saved(() => page.getByRole("button", { name: "Save as one HTML file" }).click());
    expect(download.suggestedFilename()).toBe("named.html");
    const sent = await opened(await contentOf(download));
    expect(sent.asked).toHaveLength(1);
    await sent.page.getByRole("heading", { name: evil }).waitFor();
    for (const heading of ["Notes", "Test", "Training", "Layers", "Settings", "Curves"])
      expect(await sent.page.getByRole("heading", { name: heading, exact: true }).count(), heading).toBe(1);
    expect(await sent.page.locator("script, iframe, img:not([src^='data:'])").count()).toBe(0);
    expect(await sent.page.locator("svg").count()).toBeGreaterThan(4);
    await sent.page.close();
  });

  test("its layers are a heat map, curves, and numbers, and how to have them is said where there are none", async () => {
    await openRun("iris");
    const layers = page.getByRole("region", { name: "Layers over time" });
    await layers.getByRole("img", { name: "norm of the gradient, by layer and epoch" }).waitFor();
    await layers.getByLabel("Quantity").selectOption("dead");
    await layers.getByRole("img", { name: "share of dead units, by layer and epoch" }).waitFor();
    const download = await saved(() => layers.getByRole("button", { name: "SVG" }).click());
    expect(download.suggestedFilename()).toBe("layers-dead.svg");
    const svg = await contentOf(download);
    const moments = JSON.parse(readFileSync(join(root, "iris/report.json"), "utf8")).layers as { epoch: number }[];
    expect(moments.length).toBeGreaterThan(4);
    const [first = ""] = /<title>([^:<]+): 0 /.exec(svg)?.slice(1) ?? [];
    expect(svg.match(new RegExp(`<title>${first}: `, "g"))).toHaveLength(moments.length);
    await layers.getByLabel("Shown as").selectOption("lines");
    await layers.locator("canvas").waitFor();
    await rendered();
    const csv = await contentOf(await saved(() => layers.getByRole("button", { name: "CSV" }).click()));
    expect(csv.split("\n").filter((line) => line.startsWith(`${first},`))).toHaveLength(moments.length);
    await layers.getByText(`The last measurement, after epoch ${moments.at(-1)?.epoch}`).click();
    await layers.getByRole("rowheader", { name: `${first} Dense` }).waitFor();
    await openRun("plain");
    await page.getByText("No layers were measured in this run.").waitFor();
    await page.getByRole("region", { name: "Layers over time" }).getByRole("link").click();
    await page.getByLabel("watchLayers", { exact: true }).waitFor();
  });

  test("its samples are shown along a slider: predictions, what it writes, what it attends to", async () => {
    await openRun("iris");
    const samples = page.getByRole("region", { name: "Samples as it learns" });
    await samples.getByText("After epoch 6").waitFor();
    const first = samples.getByRole("article", { name: "Sample 1" });
    expect(await first.getByText(/^true: (setosa|versicolor|virginica)$/).count()).toBe(1);
    const learned = await first.getByRole("list").innerText();
    // By the keyboard to the beginning.
    await samples.getByRole("slider").focus();
    await page.keyboard.press("Home");
    await samples.getByText("After epoch 0").waitFor();
    await expect.poll(() => first.getByRole("list").innerText()).not.toBe(learned);
    await openRun("gpt");
    await samples.getByText("Call me").waitFor();
    await samples.getByRole("img", { name: /^Attention: / }).waitFor();
    await samples.getByLabel("Head").selectOption("1");
    await openRun("plain");
    await samples.getByText("No samples were watched in this run.").waitFor();
  });

  test("what was about to be done to a run is not done to the one that is opened next", async () => {
    await openRun("iris");
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: /^Really delete/ }).waitFor();
    await openRun("plain");
    await page.getByRole("heading", { name: "plain", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).waitFor();
    expect(await page.getByRole("button", { name: /^Really delete/ }).count()).toBe(0);
  });

  test("the load of the process has curves of its own", async () => {
    await openRun("iris");
    await page.getByRole("heading", { name: "System load" }).waitFor();
    const memory = page.getByRole("region", { name: "memoryMiB · batches" });
    const csv = await contentOf(await saved(() => memory.getByRole("button", { name: "CSV" }).click()));
    const values = csv
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => Number(line.split(",").at(-1)));
    expect(values.length).toBeGreaterThan(4);
    for (const value of values) expect(value).toBeGreaterThan(20);
    expect(await page.getByRole("region", { name: "cpuPercent · batches" }).count()).toBe(1);
  });

  test("from 390 pixels up nothing stands beside the page", async () => {
    for (const width of [390, 800, 1400]) {
      await page.setViewportSize({ width, height: 900 });
      for (const id of ["iris", "gpt", "named"]) {
        await openRun(id);
        await page.getByRole("region", { name: "Samples as it learns" }).getByRole("slider").waitFor();
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth),
          `${id} at ${width}`,
        ).toBeLessThanOrEqual(width);
      }
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  test("so are the runs that are drawn in the table, side by side", async () => {
    await page.goto(new URL("/#/", studio.url).href);
    const download = await saved(() =>
      page.getByRole("button", { name: "Save the 4 runs drawn as one HTML file" }).click(),
    );
    const sent = await opened(await contentOf(download));
    expect(sent.asked).toHaveLength(1);
    expect(await sent.page.getByRole("row", { name: /iris finished/ }).count()).toBe(1);
    expect(await sent.page.locator("details").count()).toBe(4);
    await sent.page.close();
    expect(wrong).toEqual([]);
  });
});
