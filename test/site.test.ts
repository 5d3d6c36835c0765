/**
 * The demo site in Chromium, built anew and served from a subfolder: each page does what it says, in both languages, from 390 pixels of width up,
 * and asks for nothing but its own files. Skipped where Chromium is not installed; `.ci/run` installs it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { centred } from "../site/digits/centred.ts";
import { pages } from "../site/pages.ts";
import { commonTexts, type Texts } from "../site/shared/language.ts";
import { encodeSafetensors, tensor } from "../src/index.ts";
import { executablePath, type Served, serve, startChromium } from "./chromium.ts";

describe("what the pages say", () => {
  test.each([["common", commonTexts] as const, ...pages.map(({ name, texts }) => [name, texts] as const)])(
    "%s: is there in both languages, with the same values",
    (_, texts: Texts) => {
      const valuesOf = (sentence: string) => [...sentence.matchAll(/\{\w+\}/g)].map(String).sort();
      for (const [english, chinese] of Object.values(texts)) {
        expect(english).not.toMatch(/\p{Script=Han}/u);
        expect(chinese).toMatch(/\p{Script=Han}/u);
        expect(valuesOf(chinese)).toEqual(valuesOf(english));
      }
    },
  );
});

describe("a drawn digit", () => {
  const drawn = (left: number, top: number, width: number, height: number) => {
    const ink = new Uint8Array(280 * 280);
    for (let y = top; y < top + height; y++) ink.fill(255, y * 280 + left, y * 280 + left + width);
    return { width: 280, height: 280, ink };
  };
  test("is 20 pixels long, with its centre of mass in the middle, wherever and however large it was drawn", () => {
    for (const drawing of [drawn(10, 5, 20, 200), drawn(240, 150, 10, 100)]) {
      const seen = centred(drawing) ?? new Uint8Array();
      // 20 rows of 2 pixels around the middle of 28.
      const inked = Array.from(seen.keys()).filter((i) => seen[i] === 255);
      expect(inked).toEqual(Array.from({ length: 20 }, (_, row) => [13, 14].map((x) => (row + 4) * 28 + x)).flat());
      expect(seen.filter((ink) => ink > 0)).toHaveLength(40);
    }
  });
  test("is nothing where nothing is drawn", () => {
    expect(centred(drawn(0, 0, 0, 0))).toBeUndefined();
  });
});

describe.skipIf(executablePath === undefined)("the site", () => {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-site-"));
  let browser: Browser;
  let context: BrowserContext;
  let served: Served;
  /** What pages asked for from elsewhere, and what they threw. */
  const [strangers, errors]: [string[], string[]] = [[], []];

  beforeAll(async () => {
    execFileSync(process.execPath, ["--import", "tsx", "site/build.ts", join(folder, "demo")]);
    served = await serve(folder);
    browser = await startChromium();
    context = await browser.newContext({ viewport: { width: 390, height: 800 }, locale: "en-GB" });
    context.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${served.address}demo/`) && !/^(blob|data):/.test(url)) strangers.push(url);
    });
    context.on("weberror", (error) => errors.push(String(error.error())));
    context.on("response", (response) => {
      if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`);
    });
  });
  afterAll(async () => {
    await browser.close();
    served.close();
    rmSync(folder, { recursive: true });
  });

  async function open(name: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${served.address}demo/${name}.html`);
    return page;
  }
  const says = (page: Page, selector: string, words: RegExp) =>
    expect.poll(() => page.textContent(selector), { timeout: 40_000, interval: 50 }).toMatch(words);

  /** Closes a page that did what it should, without an error told. */
  async function close(page: Page): Promise<void> {
    expect(await page.locator("#error").isHidden()).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.close();
  }

  test.each(pages.map(({ name }) => name))(
    "%s: fits narrow screens, names its controls, changes its language",
    async (name) => {
      const page = await open(name);
      const look = () =>
        page.evaluate(() => ({
          width: document.documentElement.scrollWidth,
          language: document.documentElement.lang,
          texts: [...document.querySelectorAll("[data-text]")].map(({ textContent }) => textContent),
          nameless: [...document.querySelectorAll("button, input, select, textarea, canvas, nav")]
            .filter((own) => !own.textContent?.trim() && !own.ariaLabel && !(own as HTMLInputElement).labels?.length)
            .map(({ outerHTML }) => outerHTML),
        }));
      const english = await look();
      expect(english).toMatchObject({ width: 390, language: "en", nameless: [] });
      await page.focus("#language");
      await page.keyboard.press("Enter");
      const chinese = await look();
      expect(chinese).toMatchObject({ width: 390, language: "zh-CN", nameless: [] });
      for (const [i, text] of chinese.texts.entries()) expect(text).not.toBe(english.texts[i]);
      await page.reload();
      expect((await look()).language).toBe("zh-CN");
      await page.click("#language");
      await page.close();
    },
  );

  test("digits: LeNet learns, stops, goes on after a reload, and reads what is drawn", async () => {
    const page = await open("digits");
    await says(page, "#on", /^The processor computes: this browser gives the page no graphics card/);
    await page.selectOption("#device", "webgpu");
    await says(page, "#on", /^The processor computes: this browser gives the page no graphics card/);
    await page.click("#train");
    await says(page, "#result", /^After epoch 1, /);
    const [, right = 0, baseline = 0] =
      /([\d.]+) % of the test.*: ([\d.]+) %/.exec((await page.textContent("#result")) ?? "") ?? [];
    // 89 % and 77 % where this was written.
    expect(Number(right)).toBeGreaterThan(80);
    expect(Number(right)).toBeGreaterThan(Number(baseline));
    await page.click("#stop");
    await says(page, "#state", /^Stopped/);
    await page.reload();
    await says(page, "#state", /^Epochs trained on an earlier visit: 1\./);
    // A stroke downwards, by keys.
    await page.focus("#pad");
    await page.keyboard.press(" ");
    for (let i = 0; i < 14; i++) await page.keyboard.press("ArrowDown");
    await says(page, "#answer", /^It is a 1 /);
    expect(await page.textContent("#bars .best")).toMatch(/^1/);
    await page.click("#clear");
    await says(page, "#answer", /^The network is ready/);
    await page.click("#train");
    // The second epoch, not the first again.
    await says(page, "#state", /^Epoch 2 of 4, batch /);
    await page.click("#stop");
    await says(page, "#state", /^Stopped/);
    await page.click("#anew");
    await says(page, "#state", /^Not trained yet/);
    await close(page);
  });

  test("inspect: counts what a file has, chosen or dropped, and says why it cannot", async () => {
    const page = await open("inspect");
    await page.click("#example");
    // LeCun et al. 1998 with every map of S2 read by C3: 61,706 parameters, five weighted layers.
    await says(page, "#summary", /^61,706 parameters\. ONNX/);
    expect(await page.locator("#depth tr").allTextContents()).toContain("Weighted layers on the longest path5");
    expect(await page.locator("#layers tr th").allTextContents()).toEqual(["c1", "c3", "c5", "f6", "output"]);
    await page.setInputFiles("#file", "test/fixtures/onnx/resnet50-narrow.onnx");
    await says(page, "#depth", /longest path50/);
    await page.setInputFiles("#file", "test/fixtures/keras/cells.keras");
    await says(page, "#summary", /^264 parameters\. Keras archive/);
    // A drop of weights alone, which have no graph.
    const weights = encodeSafetensors({ "body.weight": tensor([[1, 2, 3]]), "body.bias": tensor([1]) });
    await page.evaluate((bytes) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([new Uint8Array(bytes)], "own.safetensors"));
      document.dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
    }, Array.from(weights));
    await says(page, "#summary", /^4 parameters\. safetensors/);
    expect(await page.locator("#depth tr").allTextContents()).toContain("Weighted layers on the longest pathnot known");
    for (const [file, message] of [
      ["test/fixtures/blank.html", /blank\.html: its format is not known; choose an \.onnx/],
      ["test/fixtures/onnx/lstm.onnx", /sequence may vary; pass .*--input-shape 1,128/],
    ] as const) {
      await page.setInputFiles("#file", file);
      await says(page, "#error", message);
      expect(await page.locator("#report").isHidden()).toBe(true);
    }
    await page.fill("#shape", "1,16");
    await page.press("#shape", "Enter");
    await says(page, "#state", /^lstm\.onnx was inspected/);
    await close(page);
  });

  test("gpt: learns a text that is pasted, shows what it would write, stops, and writes", async () => {
    const page = await open("gpt");
    await expect.poll(() => page.inputValue("#text"), { timeout: 20_000 }).toMatch(/^Call me Ishmael\./);
    await page.fill("#text", "too short");
    await page.click("#train");
    await says(page, "#error", /the text has 9 characters, expected at least 3000; paste a longer one/);
    await page.fill("#text", "the cat sat on the mat. a dog ran to the door. ".repeat(160));
    await page.click("#train");
    await expect.poll(() => page.locator("#samples li").count(), { timeout: 40_000 }).toBeGreaterThan(2);
    await page.click("#stop");
    await says(page, "#state", /^Stopped/);
    const result = (await page.textContent("#result")) ?? "";
    // Of 18 characters alike there are 4.2 bits in each; a text that repeats itself has less, which n-grams find too.
    const [, bits = 9, nGrams = 9] = /: ([\d.]+) bits .* count: ([\d.]+)\./.exec(result) ?? [];
    expect(Number(bits)).toBeLessThan(3.9);
    expect(Number(nGrams)).toBeLessThan(1);
    await page.click("#train");
    await says(page, "#state", /^(Trained|Epoch [4-9])/);
    if (await page.isEnabled("#stop")) await page.click("#stop");
    await says(page, "#state", /^(Trained|Stopped)/);
    await page.fill("#prompt", "the cat");
    await page.focus("#temperature");
    for (let i = 0; i < 7; i++) await page.keyboard.press("ArrowLeft");
    expect(await page.textContent("#degree")).toBe("0.0");
    await page.click("#go");
    await expect.poll(async () => (await page.textContent("#written"))?.length, { timeout: 40_000 }).toBe(407);
    await page.fill("#prompt", "#");
    await expect.poll(() => page.isEnabled("#go")).toBe(true);
    await page.click("#go");
    await says(page, "#error", /the character "#" .* is none of the/);
    await page.fill("#prompt", "the");
    await page.click("#go");
    await expect.poll(() => page.isHidden("#error")).toBe(true);
    await close(page);
  });

  test("gpt: what an earlier visit reached is there after a reload, goes on, and can be begun anew", async () => {
    const page = await open("gpt");
    // What the test before left; a page of its own as another tab is.
    await says(page, "#state", /^Epochs trained on an earlier visit: \d+\./);
    const reached = Number(/(\d+)/.exec((await page.textContent("#state")) ?? "")?.[1]);
    expect(reached).toBeGreaterThan(2);
    expect(await page.inputValue("#text")).toMatch(/^the cat sat on the mat/);
    expect(await page.locator("#loss path").count()).toBe(2);
    await says(page, "#result", new RegExp(`after ${reached} epochs: [\\d.]+ bits`));
    await page.fill("#prompt", "the dog");
    await page.click("#go");
    await expect.poll(async () => (await page.textContent("#written"))?.length, { timeout: 40_000 }).toBe(407);
    expect(await page.textContent("#train")).toBe("Go on");
    await page.click("#train");
    await says(page, "#state", new RegExp(`^(Epoch ${reached + 1} of |Trained)`));
    await page.click("#stop");
    await says(page, "#state", /^(Trained|Stopped)/);
    await page.click("#anew");
    await says(page, "#state", /^Epoch 1 of 10/);
    await page.click("#stop");
    await says(page, "#state", /^Stopped/);
    // Another text begins anew as well, and is there after the next reload with what was learned of it.
    await page.fill("#text", "a hill, a tree, a well, a stone. ".repeat(200));
    await page.click("#train");
    await expect.poll(() => page.locator("#samples li").count(), { timeout: 40_000 }).toBeGreaterThan(0);
    await page.click("#stop");
    await says(page, "#state", /^(Trained|Stopped)/);
    await page.reload();
    await says(page, "#state", /^Epochs trained on an earlier visit: \d+\./);
    expect(await page.inputValue("#text")).toMatch(/^a hill, a tree/);
    await close(page);
  });

  test("depth: draws what networks of several depths do, and how their gradients fare", async () => {
    const page = await open("depth");
    /** Trains a network to its end, and gives the share of held-out points that it puts right. */
    const right = async (depth: number, activation: string, isHelped: boolean) => {
      await page.fill("#depth", `${depth}`);
      await page.selectOption("#activation", activation);
      for (const help of ["#residual", "#normalized"]) await page.setChecked(help, isHelped);
      await page.click("#train");
      await says(page, "#state", new RegExp(`^${depth} layers of ${activation}.*: trained, `));
      return Number(/trained, ([\d.]+) %/.exec((await page.textContent("#state")) ?? "")?.[1]);
    };
    /** The shares of the plane that are of the colour of each spiral. */
    const shares = () =>
      page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>("#plane");
        const { data } = canvas?.getContext("2d")?.getImageData(0, 0, 384, 384) ?? { data: [] };
        let [orange, blue] = [0, 0];
        for (let i = 0; i < data.length; i += 4) {
          const difference = (data[i] ?? 0) - (data[i + 2] ?? 0);
          if (difference > 20) orange++;
          if (difference < -20) blue++;
        }
        return [orange, blue].map((count) => (4 * count) / data.length);
      });
    // Of points alone.
    for (const share of await shares()) expect(share).toBeLessThan(0.15);
    // 99.5, 50.0 and 97.3 % where this was written; half of the points are of each spiral.
    expect(await right(4, "relu", false)).toBeGreaterThan(90);
    for (const share of await shares()) expect(share).toBeGreaterThan(0.25);
    expect(await right(16, "sigmoid", false)).toBeLessThan(60);
    expect(await right(16, "sigmoid", true)).toBeGreaterThan(85);
    // Curves of three networks and the baseline; a dot for each layer and the head.
    expect(await page.locator("#accuracy path").count()).toBe(4);
    expect(await page.locator("#norms circle").count()).toBe(5 + 17 + 17);
    await page.click("#clear");
    expect(await page.locator("#accuracy path").count()).toBe(1);
    await close(page);
  });

  test.skipIf(!existsSync("test/published/node_modules/nsfwjs"))(
    "transfer: learns classes of images by a pretrained network, and tells new ones",
    async () => {
      const page = await open("transfer");
      /** Discs or stripes of changing colours and places, as PNG. */
      const drawn = (kind: "disc" | "stripes", count: number, from: number) =>
        page.evaluate(
          ([kind, count, from]) =>
            Array.from({ length: count }, (_, i) => {
              const canvas = Object.assign(document.createElement("canvas"), { width: 120, height: 100 });
              const pen = canvas.getContext("2d");
              const at = from + i;
              if (!pen) return "";
              pen.fillStyle = `hsl(${(at * 67) % 360} 40% 85%)`;
              pen.fillRect(0, 0, 120, 100);
              pen.fillStyle = `hsl(${(at * 131) % 360} 80% 40%)`;
              if (kind === "stripes") for (let x = (at * 5) % 16; x < 120; x += 16) pen.fillRect(x, 0, 8, 100);
              else {
                pen.arc(45 + ((at * 11) % 30), 40 + ((at * 7) % 20), 25 + (at % 8), 0, 7);
                pen.fill();
              }
              return canvas.toDataURL("image/png").split(",")[1] ?? "";
            }),
          [kind, count, from] as const,
        );
      const files = async (kind: "disc" | "stripes", count: number, from: number) =>
        (await drawn(kind, count, from)).map((base64, i) => ({
          name: `${kind}-${i}.png`,
          mimeType: "image/png",
          buffer: Buffer.from(base64, "base64"),
        }));
      await page.click("#learn");
      await says(page, "#error", /each class needs two images at least/);
      await page.click("#camera");
      await says(page, "#error", /camera: (there is no camera|the page may not use the camera)/);
      await page.setInputFiles("#files-1", "test/fixtures/blank.html");
      await says(page, "#error", /blank\.html: cannot be read as an image/);
      for (const [number, kind] of [
        [1, "disc"],
        [2, "stripes"],
      ] as const) {
        await page.fill(`#name-${number}`, kind);
        await page.setInputFiles(`#files-${number}`, await files(kind, 6, 10 * number));
        await expect.poll(() => page.locator(`section:nth-child(${number}) canvas`).count()).toBe(6);
      }
      await page.click("#learn");
      await says(page, "#state", /^Learned of 12 images/);
      const right = Number(/([\d.]+) % are classified correctly/.exec((await page.textContent("#state")) ?? "")?.[1]);
      expect(right).toBeGreaterThan(80);
      for (const kind of ["stripes", "disc"] as const) {
        await page.setInputFiles("#asked", await files(kind, 1, 77));
        await says(page, "#answer", new RegExp(`^It is ${kind} `));
      }
      expect(await page.locator("#bars li").count()).toBe(2);
      // The classes, their images and what was learned are there again after a reload.
      await page.reload();
      await says(page, "#state", /^Learned of 12 images/);
      expect(await page.inputValue("#name-2")).toBe("stripes");
      expect(await page.locator("section:nth-child(1) canvas").count()).toBe(6);
      await page.setInputFiles("#asked", await files("stripes", 1, 78));
      await says(page, "#answer", /^It is stripes /);
      await page.click("#anew");
      await says(page, "#state", /^Nothing was learned yet/);
      await page.reload();
      expect(await page.locator("#classes canvas").count()).toBe(0);
      expect(await page.inputValue("#name-1")).toBe("");
      await close(page);
    },
  );

  test("asks for nothing but its own files, and throws nothing", () => {
    expect(strangers).toEqual([]);
    expect(errors).toEqual([]);
  });
});
