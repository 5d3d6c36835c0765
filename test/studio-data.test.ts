/** Your own data, fine-tuning and forks in the studio, as people use them on its page; and what is refused of uploads. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { executablePath, startChromium } from "./chromium.ts";
import { writeModel } from "./pretrained-folders.ts";
import { openStudioPage, type StudioProcess, startStudio } from "./studio-process.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-studio-data-"));
const root = join(folder, "runs");
let studio: StudioProcess;

beforeAll(async () => {
  studio = await startStudio(root, folder);
});
afterAll(async () => {
  studio.child.kill("SIGKILL");
  await studio.ended;
  rmSync(folder, { recursive: true, force: true });
});

/** Three kinds that their length tells apart, in turn; a third of the widths is missing. */
const kinds = ["ash", "beech", "cedar"];
const csv = `length,width,kind\n${Array.from({ length: 150 }, (_, i) => `${(10 * (i % 3) + (i % 7) / 4).toFixed(2)},${i % 4 === 0 ? "" : i % 5},${kinds[i % 3]}`).join("\n")}\n`;

const upload = (set: string, path: string, body: string) =>
  studio.ask(`/api/data/upload?${new URLSearchParams({ set, path })}`, { method: "POST", body });
const done = (set: string, files: number) => studio.post("/api/data/done", { set, files });
/** What lies among the data, uploads under way too. */
const dataNow = () => {
  try {
    return readdirSync(join(root, "data"));
  } catch {
    return [];
  }
};

describe("uploads", () => {
  test.each([
    ["a", "../b.csv"],
    ["a", "/etc/passwd"],
    ["a", "b/../../c.csv"],
    ["a", "b//c.csv"],
    ["a", "b\\..\\c.csv"],
    ["a", ".age-recipients"],
    ["a", "nul.csv"],
    ["a", "b\u0000.csv"],
    ["a", "C:b.csv"],
    ["..", "b.csv"],
    [".hidden", "b.csv"],
    ["a/b", "c.csv"],
    ["-a", "c.csv"],
    ["a", Array.from({ length: 20 }, () => "b").join("/")],
  ])("a name that leads elsewhere is refused: %j %j", async (set, path) => {
    const { status, text } = await upload(set, path, csv);
    expect([status, text]).toEqual([400, expect.stringMatching(/is no (path below|name of a data set)/)]);
    expect(dataNow()).toEqual([]);
  });

  test("one that is broken off leaves nothing, and neither do the files before it", async () => {
    expect((await upload("broken", "first.csv", csv)).status).toBe(200);
    expect(dataNow()).toHaveLength(1);
    await new Promise<void>((resolve) => {
      const sent = request({
        ...{ host: "127.0.0.1", port: studio.url.port, method: "POST", path: "/api/data/upload?set=broken&path=b.csv" },
        headers: { authorization: `Bearer ${studio.token}`, "content-length": 1_000_000 },
      });
      sent.on("error", () => resolve());
      sent.write(csv, () => setTimeout(() => sent.destroy(new Error("the line broke")), 200));
    });
    await expect.poll(dataNow).toEqual([]);
    const { status, text } = await done("broken", 2);
    expect([status, text]).toEqual([400, expect.stringContaining("0 of 2 files")]);
  });

  test("a set of which files are missing is given up, and so is one that is sent twice", async () => {
    await upload("part", "a.csv", csv);
    expect((await done("part", 2)).text).toContain('1 of 2 files of \\"part\\" came; send them again');
    expect(dataNow()).toEqual([]);
    await upload("twice", "a.csv", csv);
    expect((await upload("twice", "A.csv", csv)).text).toContain("was sent already");
    expect(dataNow()).toEqual([]);
  });

  test("a file of more than 64 MB is taken as it comes, one of a set beyond 512 MB is not", {
    timeout: 120_000,
  }, async () => {
    const block = Buffer.alloc(8 * 1024 * 1024, "1,2\n");
    const send = (set: string, blocks: number) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        const sent = request(
          {
            ...{ host: "127.0.0.1", port: studio.url.port, method: "POST" },
            path: `/api/data/upload?set=${set}&path=a.csv`,
            headers: { authorization: `Bearer ${studio.token}` },
          },
          (response) => {
            let text = "";
            response.on("data", (data) => {
              text += data;
            });
            response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
          },
        );
        let isAnswered = false;
        sent.on("response", () => {
          isAnswered = true;
        });
        sent.on("error", (error) => isAnswered || reject(error));
        const next = (left: number): void => {
          if (left === 0 || isAnswered) sent.end();
          else sent.write(block, () => next(left - 1));
        };
        next(blocks);
      });
    expect((await send("large", 9)).status).toBe(200);
    expect(JSON.parse((await done("large", 1)).text)).toEqual({ path: "data/large/a.csv" });
    rmSync(join(root, "data/large"), { recursive: true });
    const { status, text } = await send("huge", 65);
    expect([status, text]).toEqual([413, expect.stringContaining("a data set has at most")]);
    await expect.poll(dataNow).toEqual([]);
  });

  test("data is chosen below the folder alone, and no link is followed", async () => {
    mkdirSync(join(root, "data/linked"), { recursive: true });
    writeFileSync(join(folder, "outside.csv"), csv);
    symlinkSync(join(folder, "outside.csv"), join(root, "data/linked/in.csv"));
    symlinkSync(folder, join(root, "data/out"));
    const look = async (path: string) => (await studio.ask(`/api/data/look?${new URLSearchParams({ path })}`)).text;
    for (const path of ["data/linked", "data/linked/in.csv", "data/out", "data/out/outside.csv"])
      expect(await look(path), path).toContain("is a link, which may lead elsewhere");
    for (const path of ["../outside.csv", join(folder, "outside.csv"), "data/../../outside.csv"])
      expect(await look(path), path).toContain("is no path below");
    expect(await look("data/nothing.csv")).toContain("there is no");
    const train = (body: object) => studio.post("/api/data/train", { settings: {}, ...body });
    expect((await train({ path: "../outside.csv" })).text).toContain("is no path below");
    rmSync(join(root, "data"), { recursive: true });
  });

  test("data is no run, and no run lies among the data", async () => {
    await upload(
      "looks-like",
      "run.json",
      JSON.stringify({ recipe: { name: "../data/looks-like/evil.ts" }, settings: {} }),
    );
    await upload("looks-like", "evil.ts", "process.exit(1)");
    await done("looks-like", 2);
    expect(JSON.parse((await studio.ask("/api/runs")).text).runs).toEqual([]);
    expect((await studio.post("/api/train", { recipe: "iris", settings: {}, name: "data/x" })).text).toContain(
      "data is the folder of uploaded data",
    );
    expect((await upload("looks-like", "a.csv", csv)).text).toContain("there is a data set");
    rmSync(join(root, "data"), { recursive: true });
  });

  test("a run whose files name code as its recipe is not gone on with", async () => {
    mkdirSync(join(root, "copied"), { recursive: true });
    writeFileSync(
      join(root, "copied/run.json"),
      JSON.stringify({ recipe: { name: "./copied/evil.ts" }, settings: {} }),
    );
    writeFileSync(join(root, "copied/evil.ts"), "process.exit(1)");
    await studio.ask("/api/runs");
    expect((await studio.post("/api/resume", { run: "copied" })).text).toContain("is no run of a built-in recipe");
    expect((await studio.ask("/api/fork?run=copied")).text).toContain("is no run of a built-in recipe");
    rmSync(join(root, "copied"), { recursive: true });
  });
});

describe.skipIf(executablePath === undefined)("the page, in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser?.close());

  test("a table is uploaded, profiled, trained on, and its run is trained on", { timeout: 180_000 }, async () => {
    const { page, wrong } = await openStudioPage(browser, studio);
    await page.getByRole("link", { name: "Train" }).click();
    await page.getByRole("link", { name: "Your data" }).click();
    await page
      .getByLabel("Upload files")
      .setInputFiles({ name: "woods.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
    await page.getByText(/^Taken for .*; trained by the recipe table\.$/).waitFor();
    expect(readFileSync(join(root, "data/woods/woods.csv"), "utf8")).toBe(csv);
    await page.getByLabel("Column to predict").selectOption("kind");
    await page
      .getByText("The same on the command line: sardonyx data data/woods/woods.csv --target=kind")
      .waitFor({ timeout: 30_000 });
    await page.getByRole("region", { name: "First rows" }).getByRole("row", { name: "10.25 1 beech" }).waitFor();
    await page
      .getByRole("region", { name: "Profile" })
      .getByRole("row", { name: /^width number 38 5/ })
      .waitFor();
    await page.getByText(/"length" alone predicts 100.00 % of "kind" right/).waitFor();
    await page.getByText("Charts and samples").click();
    await page.frameLocator("iframe").getByText("woods.csv").first().waitFor();
    await page.getByLabel("minutes", { exact: true }).fill("1");
    await page.getByLabel("epochs", { exact: true }).fill("60");
    await page.getByLabel("threads", { exact: true }).fill("1");
    await page.getByRole("button", { name: "Train" }).click();
    await page
      .getByText(
        /: sardonyx train --data=data\/woods\/woods.csv --target=kind (?=.*--minutes=1 )(?=.*--epochs=60).* --out woods$/,
      )
      .first()
      .waitFor();
    await page.locator(".jobs").getByText("done").waitFor({ timeout: 90_000 });
    // Of 30 rows; chance is a third. The time that training may take, not its epochs, ends it on a busy machine.
    const { results } = JSON.parse(readFileSync(join(root, "woods/evaluation.json"), "utf8"));
    expect(results.accuracy).toBeGreaterThan(0.8);

    await page.locator(".jobs").getByRole("link", { name: "woods" }).click();
    await page.getByRole("link", { name: "Train on with other settings" }).first().click();
    await page.getByText(/^Taken for/).waitFor();
    expect(await page.getByLabel("Column to predict").inputValue()).toBe("kind");
    expect(await page.getByLabel("minutes", { exact: true }).inputValue()).toBe("1");
    await page.getByLabel("learningRate", { exact: true }).fill("0.0005");
    await page.getByLabel("epochs", { exact: true }).fill("2");
    await page.getByRole("button", { name: "Train" }).click();
    await page
      .getByText(/--learning-rate=0.0005.* --from=woods --out woods-2$/)
      .first()
      .waitFor();
    await page.locator(".jobs li").filter({ hasText: "woods-2" }).getByText("done").waitFor({ timeout: 90_000 });
    expect(JSON.parse(readFileSync(join(root, "woods-2/run.json"), "utf8")).from).toBe(join(root, "woods"));
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("a folder of images by class is uploaded as it lies, and what may be asked of it is told", {
    timeout: 60_000,
  }, async () => {
    for (const [i, name] of ["red", "blue"].entries()) {
      mkdirSync(join(folder, "colours", name), { recursive: true });
      for (let j = 0; j < 6; j++) {
        const create = {
          width: 8,
          height: 8,
          channels: 3,
          background: { r: 200 * (1 - i), g: 20 * j, b: 200 * i },
        } as const;
        await sharp({ create })
          .png()
          .toFile(join(folder, "colours", name, `${j} (${name}).png`));
      }
    }
    writeFileSync(join(folder, "colours/.DS_Store"), "hidden");
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: "en-US" });
    await page.goto(`${studio.url.href}#/train/data`);
    await page.getByLabel("Upload a folder").setInputFiles(join(folder, "colours"));
    await page.getByText(/^Taken for .*; trained by the recipe images\.$/).waitFor();
    expect(readdirSync(join(root, "data/colours"))).toEqual(["blue", "red"]);
    expect(readdirSync(join(root, "data/colours/red"))).toHaveLength(6);
    await page.getByText("12 files, 0 of them broken, 0 duplicated").waitFor({ timeout: 30_000 });
    await page.getByText("folder: blue (6), red (6)").waitFor();
    await page.close();
  });

  test("a pretrained model is tuned after a dry run, from a folder alone", { timeout: 180_000 }, async () => {
    const words = { good: ["lovely", "great", "superb"], bad: ["awful", "broken", "dull"] };
    const lines = Array.from({ length: 80 }, (_, i) => {
      const label = i % 2 === 0 ? "good" : "bad";
      return `the ${["film", "meal", "book"][i % 3]} was ${words[label][(i % 7) % 3]},${label}`;
    });
    mkdirSync(join(root, "models"), { recursive: true });
    writeModel(join(root, "models/bert"), lines.join("\n"), {
      ...{ model_type: "bert", architectures: ["BertForMaskedLM"], hidden_size: 16, intermediate_size: 32 },
      ...{ num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64 },
      ...{ hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
    });
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: "en-US" });
    await page.goto(`${studio.url.href}#/train/finetune`);
    const buffer = Buffer.from(`text,label\n${lines.join("\n")}\n`);
    await page.getByLabel("Upload files").setInputFiles({ name: "reviews.csv", mimeType: "text/csv", buffer });
    await expect.poll(() => page.getByLabel("Choose data of the folder").inputValue()).toBe("data/reviews/reviews.csv");
    await page.getByLabel(/^Base:/).fill("models/bert");
    await page.getByLabel("lora", { exact: true }).fill("2");
    await page.getByLabel("epochs", { exact: true }).fill("1");
    await page.getByLabel("threads", { exact: true }).fill("1");
    expect(await page.getByRole("button", { name: "Train" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Dry run" }).click();
    await page
      .getByText(/Classes: bad, good[\s\S]*parameters are trained[\s\S]*A step on 8 samples takes/)
      .waitFor({ timeout: 60_000 });
    await page
      .getByText(/sardonyx finetune models\/bert --data=data\/reviews\/reviews.csv .*--lora=2 --dry-run/)
      .waitFor();
    await page.getByRole("button", { name: "Train" }).click();
    await page.locator(".jobs li").filter({ hasText: "bert-reviews" }).getByText("done").waitFor({ timeout: 90_000 });
    expect(JSON.parse(readFileSync(join(root, "bert-reviews/run.json"), "utf8")).recipe.name).toBe("finetune");
    await page.close();
    const dry = async (base: string) =>
      (await studio.post("/api/finetune/dry-run", { base, data: "data/reviews/reviews.csv", settings: {} })).text;
    expect(await dry("../models/bert")).toContain("is no path below");
    expect(await dry("/etc")).toContain("is no path below");
    expect(await dry("nobody/nothing")).toContain("fetch it: sardonyx download nobody/nothing");
  });

  test("from 390 pixels up nothing stands beside the forms", { timeout: 60_000 }, async () => {
    for (const width of [390, 800, 1400]) {
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      await page.goto(studio.url.href);
      for (const place of ["#/train/data", "#/train/finetune", "#/train/from/woods"]) {
        await page.goto(new URL(`/${place}`, studio.url).href);
        await page.getByRole("group").first().waitFor();
        await page.waitForTimeout(300);
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth),
          `${place} at ${width}`,
        ).toBeLessThanOrEqual(width);
      }
      await page.close();
    }
  });
});
