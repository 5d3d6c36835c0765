/** The studio's page of models that are inspected: what-ifs by sliders, comparisons, reports; and what is refused. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Inspection } from "../src/analyze/report/schema.ts";
import { bytes } from "../src/cli/inspect/units.ts";
import { flagOf } from "../src/core/printable.ts";
import { executablePath, startChromium } from "./chromium.ts";
import { openStudioPage, program, type StudioProcess, startStudio } from "./studio-process.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-understand-"));
const root = join(folder, "runs");
let studio: StudioProcess;

const command = (...args: readonly string[]) =>
  spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8", maxBuffer: 2 ** 28 });
const inspect = (target: string, whatIf: object = {}): Inspection => {
  const words = Object.entries(whatIf).map(([name, value]) => `${flagOf(name)}=${value}`);
  return JSON.parse(command("inspect", target, ...words, "--format=json").stdout);
};

beforeAll(async () => {
  expect(command("train", "iris", "--epochs", "1", "--threads", "1", "--out", join(root, "iris")).status).toBe(0);
  // Where the studio keeps what is dropped.
  studio = await startStudio(root, folder, { TMPDIR: folder });
}, 60_000);
afterAll(async () => {
  studio.child.kill("SIGINT");
  await studio.ended;
  // What was dropped is gone with it.
  expect(readdirSync(folder).filter((name) => name.startsWith("sardonyx-studio-"))).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

const send = async (name: string, body: string | Uint8Array) =>
  studio.ask(`/api/inspect-file?name=${encodeURIComponent(name)}`, { method: "POST", body });
const whatIf = async (target: object, changed: object = {}) =>
  JSON.parse((await studio.post("/api/what-if", { target, whatIf: changed })).text);

describe("what the page is told", () => {
  test.each<[string, readonly object[]]>([
    ["resnet18", [{}, { freezeBlocks: 5, batch: 4 }, { precision: "float16", optimizer: "sgd", hardware: "t4" }]],
    [
      "distilbert_base_uncased",
      [
        { sequence: 64, lora: 8 },
        { sequence: 64, lora: 8, quantize: 4, memory: "2GB" },
      ],
    ],
  ])("of %s is what the command says", { timeout: 120_000 }, async (architecture, settings) => {
    for (const own of settings)
      expect((await whatIf({ architecture }, own)).inspection, JSON.stringify(own)).toEqual(inspect(architecture, own));
  });

  test("of a run and of a file that is dropped, which is gone when six others came", { timeout: 120_000 }, async () => {
    const own = inspect(join(root, "iris/model.onnx"));
    expect((await whatIf({ run: "iris" })).inspection).toEqual(own);
    const content = readFileSync(join(root, "iris/model.onnx"));
    const { file } = JSON.parse((await send("my net.onnx", content)).text);
    const { model, parameters } = (await whatIf({ file }, { freezeBlocks: 1 })).inspection;
    expect([model, parameters.total]).toEqual(["my-net.onnx", own.parameters.total]);
    for (let i = 0; i < 6; i++) await send("other.onnx", content);
    expect((await whatIf({ file })).error).toContain("is not kept any more; drop it again");
  });

  test("a config without weights of 70 billion parameters does not stop the others", { timeout: 120_000 }, async () => {
    // Llama 2 70B (Touvron et al. 2023): 68,976,648,192 parameters in its published checkpoint.
    const config = {
      ...{
        architectures: ["LlamaForCausalLM"],
        model_type: "llama",
        hidden_size: 8192,
        intermediate_size: 28672,
        num_hidden_layers: 80,
        vocab_size: 32000,
      },
      ...{ num_attention_heads: 64, num_key_value_heads: 8, max_position_embeddings: 4096, tie_word_embeddings: false },
    };
    const { file } = JSON.parse((await send("config.json", JSON.stringify(config))).text);
    const large = whatIf({ file }, { sequence: 16 });
    const started = performance.now();
    expect((await studio.ask("/api/runs")).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(3000);
    const { inspection } = await large;
    expect([inspection.model, inspection.parameters.total]).toEqual(["config", 68_976_648_192]);
    expect(inspection.blocks).toHaveLength(80);
  });

  test("comparisons are those of the command", { timeout: 60_000 }, async () => {
    const targets = [{ run: "iris" }, { architecture: "lenet5" }];
    const { stdout } = command("compare", join(root, "iris/model.onnx"), "lenet5", "--format=json");
    expect(JSON.parse((await studio.post("/api/compare", { targets })).text)).toEqual(JSON.parse(stdout));
  });

  test("the experiments are served by what is built for them, and only to who may", { timeout: 60_000 }, async () => {
    const { status, headers } = await studio.ask("/experiments/depth.html");
    expect([status, headers["content-security-policy"]]).toEqual([200, expect.stringContaining("'wasm-unsafe-eval'")]);
    expect((await studio.ask("/")).headers["content-security-policy"]).not.toContain("wasm");
    for (const path of ["/web/../package.json", "/web/LICENSES.txt", "/web/parts/../../bin", "/experiments/../../x.js"])
      expect((await studio.ask(path)).status, path).toBe(404);
    const asked = await studio.ask("/experiments/depth.html", { headers: { authorization: "" } });
    expect(asked.status).toBe(401);
  });

  test("bad input is answered by a sentence", { timeout: 60_000 }, async () => {
    const dropped = async (name: string, body: string) => {
      const { file } = JSON.parse((await send(name, body)).text);
      return (await whatIf({ file })).error;
    };
    expect(await dropped("a.onnx", "no model at all")).toMatch(/^a\.onnx: /);
    expect(await dropped("b.safetensors", "")).toContain("the file is empty");
    expect(await dropped("c.json", '{"a": 1}')).toMatch(/^c\.json: /);
    expect(await dropped("d.json", '{"model_type": "nothing-known"}')).toContain("nothing-known");
    expect((await send("code.ts", "1")).text).toContain("is no model that is inspected here");
    expect((await whatIf({ architecture: "resnet51" })).error).toContain('did you mean "resnet50"?');
    expect((await whatIf({ architecture: "./mine.ts" })).error).toContain("is no name of an architecture");
    expect((await whatIf({ run: "../.." })).error).toContain("there is no run");
    expect((await whatIf({ architecture: "lenet5" }, { batch: "--out=x" })).error).toContain("whatIf.batch");
    expect((await whatIf({ architecture: "lenet5" }, { freezeBlocks: 99 })).error).toContain("lenet5 has 4");
    expect((await whatIf({ architecture: "lenet5" }, { hardware: "abacus" })).error).toContain("unknown hardware");
    expect((await studio.post("/api/compare", { targets: [{ run: "iris" }] })).status).toBe(400);
  });
});

describe.skipIf(executablePath === undefined)("the page, in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser?.close());

  /** What scripts of pages have failed with, page by page. */
  const wrong: string[][] = [];
  afterEach(() => expect(wrong.flat()).toEqual([]));

  const opened = async (width?: number): Promise<Page> => {
    const { page, wrong: own } = await openStudioPage(browser, studio, width);
    wrong.push(own);
    await page.getByRole("link", { name: "Understand" }).click();
    return page;
  };
  /** A figure of the panel, once its training is reckoned. */
  const figure = async (page: Page, name: string) => {
    await expect.poll(() => page.locator("[aria-busy=true]").count(), { timeout: 30_000 }).toBe(0);
    return (
      await page
        .locator(".figures div", { has: page.getByText(name, { exact: true }) })
        .locator("dd")
        .innerText()
    )
      .replace(/\s+/g, " ")
      .trim();
  };

  test("a file is dropped, sliders move its figures, and they are those of the command", {
    timeout: 120_000,
  }, async () => {
    const page = await opened();
    const path = join(root, "iris/model.onnx");
    const content = [...readFileSync(path)];
    await page.evaluate((numbers) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(numbers)], "mine.onnx"));
      document.querySelector(".drop")?.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
    }, content);
    const whole = inspect(path);
    await page.locator(".figures").waitFor({ timeout: 60_000 });
    expect(await figure(page, "Memory to train")).toBe(bytes(whole.cost.trainingBytes));
    // By the keyboard.
    await page.getByLabel("Frozen blocks").press("ArrowRight");
    const frozen = inspect(path, { freezeBlocks: 1 });
    await expect
      .poll(() => figure(page, "Trainable parameters"))
      .toContain(frozen.parameters.trainable.toLocaleString("en-US"));
    expect(await figure(page, "Memory to train")).toContain(bytes(frozen.cost.trainingBytes));
    await page.getByText("sardonyx inspect mine.onnx --freeze-blocks=1").waitFor();
    await page.getByLabel("Batch").fill("3");
    await page.getByLabel("Time of a step on").selectOption("a100");
    await page.getByText("Time of a step on a100").waitFor();
    const batch = Number(/--batch=(\d+)/.exec((await page.locator("code").innerText()) ?? "")?.[1]);
    const all = inspect(path, { freezeBlocks: 1, batch, hardware: "a100" });
    await expect.poll(() => figure(page, "Memory to train")).toContain(bytes(all.cost.trainingBytes));

    const report = page.frameLocator("iframe");
    await report.getByText(whole.parameters.total.toLocaleString("en-US")).first().waitFor({ timeout: 60_000 });
    await report
      .getByLabel("Light up")
      .selectOption({ label: `Weighted layers on the longest path: ${whole.depth.weighted}` });
    expect(await report.locator("#explorer .box.counted").count()).toBe(whole.depth.weighted);
    await page.getByRole("button", { name: "Draw the report" }).click();
    await report.getByText(all.parameters.trainable.toLocaleString("en-US")).first().waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Reset" }).click();
    await expect.poll(() => figure(page, "Memory to train")).toBe(bytes(whole.cost.trainingBytes));
    await page.getByLabel("Freeze layers (pattern)").fill("nothing-is-called-so");
    await page.getByLabel("Freeze layers (pattern)").press("Enter");
    await page.getByText(/It went wrong: .*nothing-is-called-so/).waitFor();
    await page.close();
  });

  test("what a file leaves open of its input is asked for, and a budget that cannot be met is said", {
    timeout: 60_000,
  }, async () => {
    const page = await opened();
    await page.getByLabel("Model file").setInputFiles("test/fixtures/onnx/mobile.onnx");
    await page.getByText(/It went wrong: mobile\.onnx: .*pass --input-shape/).waitFor({ timeout: 30_000 });
    await page.getByLabel(/^Input shape/).fill("2,3,32,32");
    await page.getByLabel(/^Input shape/).press("Enter");
    await page.locator(".figures").waitFor({ timeout: 30_000 });
    const own = inspect(join(process.cwd(), "test/fixtures/onnx/mobile.onnx"), { inputShape: "2,3,32,32" });
    expect(await figure(page, "Memory to train")).toBe(bytes(own.cost.trainingBytes));
    await page.getByLabel("Frozen blocks").press("ArrowRight");
    await page.getByText(/ --input-shape=2,3,32,32 --freeze-blocks=1|--freeze-blocks=1 --input-shape/).waitFor();
    expect(await page.getByText(/It went wrong/).count()).toBe(0);
    await page.getByRole("button", { name: /^Take mobile/ }).click();
    await page.getByLabel("Architecture").fill("resnet18");
    await page.getByLabel("Architecture").press("Enter");
    await page.locator(".figures").waitFor({ timeout: 30_000 });
    await page.getByLabel("Batch").press("End");
    await page.getByLabel("Memory of a step, at most").press("ArrowRight");
    await page.getByText(/It went wrong: .*a step takes at least/).waitFor({ timeout: 30_000 });
    expect(await figure(page, "Memory to train")).toBe("-");
    await page.close();
  });

  test("models stand side by side, and where they differ is marked", { timeout: 60_000 }, async () => {
    const page = await opened();
    await page.getByLabel("Add a run").selectOption("iris");
    await page.getByLabel("Architecture").fill("lenet5");
    await page.getByLabel("Architecture").press("Enter");
    const row = page.getByRole("row", { name: /^all / });
    await row.getByText("4,675").waitFor({ timeout: 30_000 });
    expect(await row.locator("td.other").innerText()).toMatch(/^61,706 ×13$/);
    const rows = await page.getByRole("row").count();
    await page.getByLabel("Only figures that differ").check();
    await expect.poll(() => page.getByRole("row").count()).toBeLessThan(rows);
    await page.getByRole("button", { name: "中文" }).click();
    await page.getByRole("row", { name: /^可训练/ }).waitFor();
    await page.close();
  });

  test("the experiments on depth train a small network, of files of the studio alone", {
    timeout: 120_000,
  }, async () => {
    const page = await opened();
    const strangers: string[] = [];
    page.on("request", (request) => {
      const { protocol, host } = new URL(request.url());
      if (protocol !== "blob:" && host !== studio.url.host) strangers.push(request.url());
    });
    await page.getByRole("button", { name: "中文" }).click();
    await page.getByRole("link", { name: /^深度实验/ }).click();
    await page.getByRole("heading", { name: "深度的作用" }).waitFor();
    await page.getByRole("button", { name: "English" }).click();
    await page.getByLabel("Hidden layers").fill("2");
    await page.getByLabel("Units of each layer").selectOption("8");
    await page.getByLabel("Factor of the initial weights").selectOption("2");
    await page.getByRole("button", { name: "Train" }).click();
    const said = page.getByText(/^2 layers of relu, 8 units, weights ×2: trained, /);
    await said.waitFor({ timeout: 90_000 });
    // Two spirals are half and half: better than one of them for all.
    expect(Number(/trained, ([\d.]+) %/.exec(await said.innerText())?.[1])).toBeGreaterThan(70);
    expect(strangers).toEqual([]);
    await page.getByRole("link", { name: "Back to the studio" }).click();
    await page.getByRole("heading", { name: "理解模型" }).waitFor();
    await page.close();
  });

  test.each([390, 800, 1400])("at %i pixels nothing stands beside the page", { timeout: 60_000 }, async (width) => {
    const page = await opened(width);
    const isWithin = async () => (await page.evaluate(() => document.documentElement.scrollWidth)) <= width;
    await page.getByLabel("Architecture").fill("lenet5");
    await page.getByLabel("Architecture").press("Enter");
    await page.locator(".figures").waitFor({ timeout: 30_000 });
    expect(await isWithin()).toBe(true);
    await page.getByLabel("Architecture").fill("distilbert_base_uncased");
    await page.getByLabel("Architecture").press("Enter");
    await page.getByRole("table").waitFor({ timeout: 30_000 });
    expect(await isWithin()).toBe(true);
    await page.close();
  });
});
