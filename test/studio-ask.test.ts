/** The studio's page that asks models: drawings, files, texts, sounds, rows and numbers; what runs write; and what is refused. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodePng } from "../src/draw/index.ts";
import { Tensor } from "../src/index.ts";
import { askRoutes } from "../src/studio/api/ask-routes.node.ts";
import { AskedModels } from "../src/studio/asking/asked-models.node.ts";
import { ReportMaker } from "../src/studio/jobs/report-command.node.ts";
import { RunLibrary } from "../src/studio/runs/run-library.node.ts";
import type { HowAsked, WrittenLine } from "../studio/shared/api.ts";
import { executablePath, startChromium } from "./chromium.ts";
import { openStudioPage, program, type StudioProcess, startStudio } from "./studio-process.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-ask-"));
const root = join(folder, "runs");
const sounds = fileURLToPath(new URL("fixtures/data/keywords", import.meta.url));
const sound = join(sounds, "stop/f1_nohash_0.wav");

let studio: StudioProcess;

/** Rows of a table, and texts, that say what they are of. */
function writeData(): void {
  const colours = ["red", "green", "blue"];
  const rows = Array.from(
    { length: 90 },
    (_, i) => `${(i * 7) % 10},${colours[i % 3]},${(i * 7) % 10 > 4 ? "yes" : "no"}`,
  );
  writeFileSync(join(folder, "table.csv"), `size,colour,good\n${rows.join("\n")}\n`);
  const texts = Array.from({ length: 90 }, (_, i) => (i % 2 ? `a great film ${i},liked` : `an awful film ${i},hated`));
  writeFileSync(join(folder, "texts.csv"), `text,said\n${texts.join("\n")}\n`);
  // The recipe's other words have the sounds of one that is there.
  cpSync(sounds, join(folder, "words"), { recursive: true });
  for (const word of ["up", "down", "right", "on", "off", "go"])
    cpSync(join(sounds, "stop"), join(folder, "words", word), { recursive: true });
}

beforeAll(async () => {
  writeData();
  const train = (...words: readonly string[]) =>
    promisify(execFile)(process.execPath, [program, "train", ...words, "--threads", "1"], { cwd: folder });
  const [tiny, table] = [
    ["--epochs", "1"],
    ["--data", "table.csv", "--target", "good"],
  ] as const;
  await Promise.all([
    train("iris", "--epochs", "20", "--out", "runs/iris")
      .then(() => train("lenet-mnist", "--limit", "200", ...tiny, "--out", "runs/lenet"))
      .then(() => train("gpt-char", "--limit", "20", ...tiny, "--out", "runs/gpt")),
    train(...table, ...tiny, "--out", "runs/table")
      .then(() => train("--data", "texts.csv", "--target", "said", ...tiny, "--out", "runs/texts"))
      .then(() => train("--data", sounds, ...tiny, "--out", "runs/sounds"))
      .then(() => train("keywords", "--data", "words", ...tiny, "--out", "runs/keywords"))
      .then(() => train("detect-digits", "--limit", "64", ...tiny, "--out", "runs/detect")),
  ]);
  cpSync(join(root, "iris"), join(root, "iris-2"), { recursive: true });
  // A run of your own recipe, which has its own code for questions.
  const own = join(root, "own");
  mkdirSync(own);
  const record = JSON.parse(readFileSync(join(root, "iris/run.json"), "utf8"));
  writeFileSync(join(own, "run.json"), JSON.stringify({ ...record, recipe: { name: "own", path: "./own.ts" } }));
  const deployment = JSON.parse(readFileSync(join(root, "iris/deployment.json"), "utf8"));
  const dialogue = { what: "a riddle", example: "what has keys?" };
  writeFileSync(join(own, "deployment.json"), JSON.stringify({ ...deployment, dialogue }));
  studio = await startStudio(root, folder);
}, 180_000);
afterAll(async () => {
  studio?.child.kill("SIGKILL");
  await studio?.ended;
  rmSync(folder, { recursive: true, force: true });
});

const howAsked = async (run: string) => JSON.parse((await studio.ask(`/api/asks?run=${run}`)).text) as HowAsked;
const send = (path: string, type: string, body: string | Uint8Array) =>
  studio.ask(path, { method: "POST", headers: { "content-type": type }, body });

/** Names of what is likely, the likeliest first, once their probabilities are seen to be some. */
function likelyOf(text: string): readonly string[] {
  const { predictions } = JSON.parse(text) as {
    predictions: { likely: { name: string; probability: number }[] }[];
  };
  const [{ likely } = { likely: [] }] = predictions;
  expect(likely.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
  const shares = likely.map(({ probability }) => probability);
  expect(shares).toEqual([...shares].sort((a, b) => b - a));
  return likely.map(({ name }) => name);
}

test("a run says how it is asked, of its files alone", async () => {
  const shapes = async (run: string) => (await howAsked(run)).input;
  expect(await howAsked("iris")).toEqual({
    input: { kind: "numbers", shape: [4] },
    classes: ["setosa", "versicolor", "virginica"],
    ...{ explains: true, byDialogue: false },
  });
  expect(await shapes("lenet")).toEqual({ kind: "image", height: 28, width: 28, channels: 1, turns: true });
  expect(await shapes("gpt")).toMatchObject({ kind: "write", chats: false });
  expect(await shapes("texts")).toMatchObject({ kind: "text" });
  expect(await shapes("sounds")).toEqual({ kind: "sound", rate: 8000, seconds: 0.5 });
  const table = await shapes("table");
  expect(table.kind === "table" ? table.columns.map(({ name, kind, values }) => [name, kind, values]) : table).toEqual([
    ["size", "number", undefined],
    ["colour", "category", ["green", "blue", "red"]],
  ]);
  expect(await shapes("own")).toMatchObject({ kind: "none", why: expect.stringContaining("code of its own recipe") });
});

test("answers to numbers, rows, texts and sounds", { timeout: 60_000 }, async () => {
  const predicted = async (run: string, type: string, body: string | Uint8Array) => {
    const { status, text } = await send(`/api/predict?run=${run}`, type, body);
    expect(status, text).toBe(200);
    return likelyOf(text);
  };
  const json = "application/json";
  // The first row of Fisher's table.
  expect(await predicted("iris", json, "[5.1, 3.5, 1.4, 0.2]")).toEqual(["setosa", "versicolor", "virginica"]);
  expect((await predicted("table", json, '{"size": "9", "colour": ""}')).length).toBe(2);
  expect((await predicted("texts", json, '"a great film"')).length).toBe(2);
  expect([...(await predicted("sounds", "audio/wav", readFileSync(sound)))].sort()).toEqual([
    "left",
    "no",
    "stop",
    "yes",
  ]);
  const several = JSON.parse(
    (await send("/api/predict?run=iris", json, JSON.stringify(new Array(25).fill([5, 3, 1, 0])))).text,
  );
  expect([several.predictions.length, several.rows]).toEqual([20, 25]);
});

test("runs that answer by a dialogue are asked with files of their kind", { timeout: 60_000 }, async () => {
  expect((await howAsked("keywords")).input).toEqual({ kind: "sound" });
  expect((await howAsked("detect")).input).toMatchObject({ kind: "image", channels: 1 });
  const asked = async (run: string, type: string, body: Uint8Array) => {
    const { status, text } = await send(`/api/predict?run=${run}`, type, body);
    return [status, text] as const;
  };
  const [heard, words] = await asked("keywords", "audio/wav", readFileSync(sound));
  expect([heard, likelyOf(words).length], words).toEqual([200, 10]);
  const picture = encodePng(new Tensor("float32", [1, 64, 64], new Float32Array(64 * 64)));
  const [seen, boxes] = await asked("detect", "image/png", picture);
  expect(seen, boxes).toBe(200);
  expect(JSON.parse(boxes).predictions).toHaveLength(1);
  const [refused, why] = await asked("keywords", "image/png", picture);
  expect([refused, JSON.parse(why).error], why).toEqual([400, expect.stringMatching(/convert it to WAV/)]);
});

test("an explanation has a picture, and its values in words", { timeout: 60_000 }, async () => {
  const explained = async (run: string, body: string) =>
    JSON.parse((await send(`/api/explain?run=${run}`, "application/json", body)).text);
  expect(await explained("iris", "[5.1, 3.5, 1.4, 0.2]")).toMatchObject({
    target: "setosa",
    svg: expect.stringMatching(/^<svg /),
    parts: [{ name: "number 1: 5.1" }, { name: "number 2: 3.5" }, { name: "number 3: 1.4" }, { name: "number 4: 0.2" }],
  });
  const { parts } = await explained("texts", '"a great film"');
  expect(parts.map(({ name }: { name: string }) => name.trim()).filter((name: string) => name !== "")).toEqual([
    "a",
    "great",
    "film",
  ]);
});

describe("writing", () => {
  const written = async (settings: object) => {
    const { text } = await studio.post("/api/write", { run: "gpt", prompt: "Call me", ...settings });
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as WrittenLine);
  };

  test("each token comes with what could have stood in its place, the likeliest first", async () => {
    const lines = await written({ most: 12, temperature: 0 });
    const tokens = lines.flatMap((line) => ("tokens" in line ? line.tokens : []));
    expect(lines.at(-1)).toEqual({ ending: "length", count: 12 });
    expect(tokens.length).toBe(12);
    for (const { text, probability, alternatives } of tokens) {
      // Without temperature it is the likeliest.
      expect([text, probability]).toEqual([alternatives[0]?.text, alternatives[0]?.probability]);
      expect(alternatives.length).toBe(5);
      const shares = alternatives.map((own) => own.probability);
      expect(shares).toEqual([...shares].sort((a, b) => b - a));
    }
    expect(await written({ most: 12, temperature: 0 })).toEqual(lines);
    expect(await written({ most: 5, seed: 3 })).toEqual(await written({ most: 5, seed: 3 }));
  });

  test("ends when whoever asked has gone, and lets go of the model", { timeout: 60_000 }, async () => {
    const library = new RunLibrary(root);
    library.refresh();
    const models = new AskedModels();
    const reports = new ReportMaker({ root, program: [process.execPath, program] });
    const route = askRoutes(library, models, reports).find(({ path }) => path === "/api/write");
    const gone = new AbortController();
    const body = new TextEncoder().encode(JSON.stringify({ run: "gpt", prompt: "a", most: 4096 }));
    const asked = { query: new URLSearchParams(), body, type: "application/json", signal: gone.signal };
    const answered = route && "answer" in route ? await route.answer(asked) : undefined;
    if (!answered || !("lines" in answered)) throw new Error("it writes no lines");
    expect((await answered.lines.next()).value).toMatchObject({ text: expect.any(String) });
    gone.abort(new Error("gone"));
    const rest = async () => {
      for await (const _ of answered.lines);
    };
    await expect(rest()).rejects.toThrow("gone");
    await models.close();
  });
});

describe("what is no input is refused, in a sentence", () => {
  test.each<[string, string, string, string | Uint8Array, number, string]>([
    ["no run", "/api/predict?run=other", "application/json", "[1]", 400, 'there is no run \\"other\\"'],
    ["another folder", "/api/predict?run=../..", "application/json", "[1]", 400, "there is no run"],
    [
      "another type",
      "/api/predict?run=iris",
      "text/html",
      "<p>",
      415,
      'the body is \\"text/html\\", expected application/json',
    ],
    ["an image that is none", "/api/predict?run=lenet", "image/png", "no image", 400, "is no image of a kind"],
    ["a path for an image", "/api/predict?run=lenet", "application/json", '"runs/iris/plot.png"', 400, "is no list"],
    ["too few numbers", "/api/predict?run=iris", "application/json", "[1, 2]", 400, "the model takes [4]"],
    ["a column that is not there", "/api/predict?run=table", "application/json", '{"weight": 1}', 400, "size"],
    [
      "too large",
      "/api/predict?run=lenet",
      "image/png",
      new Uint8Array(33 * 2 ** 20),
      413,
      "at most 32.0 MiB are taken",
    ],
    ["a run that writes", "/api/predict?run=gpt", "application/json", '"a"', 400, "ask it by /api/write"],
    ["a run that asks by code", "/api/predict?run=own", "application/json", '"a"', 400, "code of its own recipe"],
    [
      "no text to write on",
      "/api/write",
      "application/json",
      '{"run": "gpt", "prompt": ""}',
      400,
      "the prompt has no tokens",
    ],
    [
      "a run that does not write",
      "/api/write",
      "application/json",
      '{"run": "iris", "prompt": "a"}',
      400,
      "writes no text",
    ],
    [
      "too hot",
      "/api/write",
      "application/json",
      '{"run": "gpt", "prompt": "a", "temperature": 99}',
      400,
      "temperature",
    ],
    ["an explanation of another type", "/api/explain?run=iris", "text/html", "[1]", 415, "is not explained here"],
    [
      "an explanation of too few",
      "/api/explain?run=iris",
      "application/json",
      "[1]",
      400,
      "the body: holds [1] numbers",
    ],
  ])("%s", async (_, path, type, body, status, words) => {
    const answer = await send(path, type, body);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(words)]);
    expect(answer.text).not.toMatch(/sardonyx-serve-|\[[A-Z]+\]/);
  });
});

describe.skipIf(executablePath === undefined)("the page, in Chromium", () => {
  let browser: Browser;
  let page: Page;
  let wrong: string[] = [];
  beforeAll(async () => {
    // Its microphone beeps.
    browser = await startChromium(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]);
    ({ page, wrong } = await openStudioPage(browser, studio));
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
    await page.getByRole("row", { name: /iris-2/ }).waitFor();
  }, 60_000);
  afterAll(() => browser?.close());

  const open = async (run: string) => {
    await page.goto(new URL(`/#/run/${run}`, studio.url).href);
    await page.getByRole("main").getByRole("link", { name: "Ask" }).click();
  };
  const askedBars = async () => {
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await page.locator(".bars li").first().waitFor();
    return page.locator(".bars li").allInnerTexts();
  };

  test("a drawing is asked about as it is drawn, and explained", { timeout: 60_000 }, async () => {
    await open("lenet");
    const field = page.getByRole("img", { name: /Draw here/ });
    const box = await field.boundingBox();
    if (!box) throw new Error("there is no field to draw in");
    await page.mouse.move(box.x + 140, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + 140, box.y + 240, { steps: 5 });
    await page.mouse.up();
    await page.locator(".bars li").nth(9).waitFor();
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByRole("img", { name: /What speaks for \d, by/ }).waitFor({ timeout: 30_000 });
    // The keys draw too: the pen goes down, along, and up.
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await page.getByRole("button", { name: "Ask", exact: true }).isDisabled()).toBe(true);
    await field.focus();
    for (const key of ["Space", "ArrowDown", "ArrowDown", "ArrowRight", "Space"]) await page.keyboard.press(key);
    await page.getByLabel("Black on white").check();
    await page.getByRole("button", { name: "Ask", exact: true, disabled: false }).waitFor();
    expect((await askedBars()).length).toBe(10);
    // A file in its place.
    const png = await page.screenshot({ clip: { ...box, width: 100, height: 100 } });
    await page
      .getByLabel(/an image, dropped here/)
      .setInputFiles({ name: "own.png", mimeType: "image/png", buffer: png });
    expect((await askedBars()).length).toBe(10);
    // And one that is dropped.
    const dataTransfer = await page.evaluateHandle(
      (bytes) => {
        const dropped = new DataTransfer();
        dropped.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
        return dropped;
      },
      [...png],
    );
    await page.locator(".drop").dispatchEvent("dragover", { dataTransfer });
    expect(await page.locator(".drop.over").count()).toBe(1);
    await page.locator(".drop").dispatchEvent("drop", { dataTransfer });
    await page.getByText("dropped.png").waitFor();
    expect(await page.locator(".drop.over").count()).toBe(0);
    expect((await askedBars()).length).toBe(10);
  });

  test("numbers, with an input that is none", { timeout: 60_000 }, async () => {
    await open("iris");
    await page.getByLabel("4 numbers as JSON, of shape [4]").fill("[5.1, 3.5]");
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await page.getByText("the model takes [4]").waitFor();
    await page.getByLabel("4 numbers as JSON, of shape [4]").fill("[5.1, 3.5, 1.4, 0.2]");
    expect((await askedBars())[0]).toMatch(/^setosa\s+(9|100)/);
  });

  test("a row, a text, a sound; runs of another kind are not asked with them", { timeout: 60_000 }, async () => {
    await open("table");
    await page.getByLabel("size").fill("9");
    await page.getByLabel("colour").selectOption("red");
    expect((await askedBars()).length).toBe(2);
    await page.getByLabel("Add a run").selectOption("iris");
    await page.getByText("iris takes another input than table; ask it by itself").waitFor();
    await page.getByLabel("Add a run").selectOption("own");
    await page.getByText(/own is not asked here: .* code of its own recipe/).waitFor();
    await open("texts");
    await page.getByLabel(/^Text/).fill("a great film");
    expect((await askedBars()).length).toBe(2);
    await open("sounds");
    await page.getByRole("button", { name: "Record" }).click();
    await page.waitForTimeout(800);
    await page.getByRole("button", { name: "Stop recording" }).click();
    await page.getByLabel("The sound that is asked about").waitFor();
    expect((await askedBars()).length).toBe(4);
    await page.getByLabel(/a sound, dropped here/).setInputFiles(sound);
    expect((await askedBars()).length).toBe(4);
  });

  test("several runs answer the same input side by side", { timeout: 60_000 }, async () => {
    await open("iris");
    await page.getByLabel("4 numbers as JSON, of shape [4]").fill("[5.1, 3.5, 1.4, 0.2]");
    await page.getByLabel("Add a run").selectOption("iris-2");
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    for (const name of ["iris", "iris-2"])
      await page.getByRole("region", { name, exact: true }).locator(".bars li").nth(2).waitFor();
  });

  test("tokens come one by one, and show what could have stood in their place", {
    timeout: 60_000,
  }, async () => {
    await page.goto(new URL("/#/ask", studio.url).href);
    for (const run of ["lenet", "gpt"]) await page.getByLabel("Add a run").selectOption(run);
    await page.getByText("gpt takes another input than lenet").waitFor();
    await page.getByRole("button", { name: "Take lenet away" }).click();
    await page.getByLabel("Add a run").selectOption("gpt");
    await page.getByLabel("Prompt").fill("Call me");
    await page.getByLabel("Tokens at most").fill("20");
    await page.getByRole("button", { name: "Write" }).click();
    await page.getByText("20 tokens, as many as it may.").waitFor();
    const text = page.getByRole("group", { name: "What gpt writes" });
    await text.getByRole("button").filter({ hasText: /\S/ }).last().hover();
    await page.locator(".alternatives li").nth(4).waitFor();
    await text.getByRole("button").first().focus();
    await page.keyboard.press("ArrowRight");
    expect(await text.getByRole("button").nth(1).getAttribute("aria-pressed")).toBe("true");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByRole("img", { name: /What speaks for ".", by integrated-gradients/ }).waitFor();
    // One that does not answer is stopped as well.
    await page.route("**/api/write", () => undefined);
    await page.getByRole("button", { name: "Write" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped.").waitFor();
    await page.unroute("**/api/write");
    expect(wrong.filter((message) => !/status of 400/.test(message))).toEqual([]);
  });

  test("from 390 pixels up nothing stands beside the page", { timeout: 60_000 }, async () => {
    for (const width of [390, 800, 1400]) {
      await page.setViewportSize({ width, height: 900 });
      for (const run of ["lenet", "table", "texts", "sounds", "gpt", "iris"]) {
        await open(run);
        await page.getByRole("button", { name: run === "gpt" ? "Write" : "Ask", exact: true }).waitFor();
        expect(
          await page.evaluate(() => document.documentElement.scrollWidth),
          `${run} at ${width}`,
        ).toBeLessThanOrEqual(width);
      }
    }
  });
});
