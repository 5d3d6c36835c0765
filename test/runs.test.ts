/** Runs as a library: trained, resumed and opened in code; whole without the data, the text or the recipe that made them. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  decodeSafetensors,
  defineRecipe,
  dense,
  encodeSafetensors,
  fromTensors,
  meanSquaredError,
  OptionError,
  predict,
  sequential,
  type Tensor,
  tensor,
} from "../src/index.ts";
import { Interrupted, loadModel, openRun, type RunResult, runRecipe } from "../src/node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-runs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const checkpoint = (run: string) => readFileSync(join(run, "checkpoint.safetensors"));

describe("a recipe that is trained in code", () => {
  let trained: RunResult;
  const flower = tensor([[5.1, 3.5, 1.4, 0.2]]);
  beforeAll(async () => {
    trained = await runRecipe("iris", { epochs: 6, seed: 3 }, { out: at("iris"), threads: 1 });
  });

  test("gives its history, its test and its folder", async () => {
    expect(trained.folder).toBe(at("iris"));
    // Six epochs of all layers, and a third of them with the first one frozen.
    expect(trained.history).toHaveLength(8);
    expect(trained.evaluation.results["accuracy"]).toBeGreaterThan(0.8);
    const { evaluation, folder: run } = trained;
    expect(JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8")).results).toEqual(evaluation.results);
  });

  test("is opened, predicts, is tested and exported as it was", async () => {
    const run = await openRun(trained.folder);
    expect(run.record.settings).toMatchObject({ epochs: 6, seed: 3, threads: 1 });
    expect((await run.evaluate()).results).toEqual(trained.evaluation.results);
    const logits = await run.predict(flower);
    // Its scaling would stretch one number to four.
    await expect(run.predict(tensor([[5.1]]))).rejects.toThrow("the input is [1, 1], expected [samples, 4]");
    // The first flower of the data is a setosa.
    expect(logits.toNumbers().indexOf(Math.max(...logits.toNumbers()))).toBe(0);
    const file = at("iris.onnx");
    writeFileSync(file, run.onnx().bytes);
    const [prepared, exported] = [await loadModel(trained.folder), await loadModel(file)];
    const x = tensor([[0.5, -1, 0.25, 2]]);
    expect((await predict(exported, x)) as Tensor).toEqual((await predict(prepared, x)) as Tensor);
    await run.release();
  });

  test("in parts of batches and a budget of memory is the same but for the order of sums, and keeps both", async () => {
    const settings = { epochs: 6, seed: 3, memory: "1GB", parts: 4 };
    const notes: string[] = [];
    const observer = { onNote: (note: string) => void notes.push(note) };
    const { history } = await runRecipe("iris", settings, { out: at("parts"), threads: 1, observer });
    for (const [i, { loss }] of trained.history.entries()) expect(history[i]?.loss).toBeCloseTo(loss as number, 4);
    expect(JSON.parse(readFileSync(join(at("parts"), "run.json"), "utf8")).settings).toMatchObject(settings);
    expect(notes[0]).toMatch(/^a step takes \d+ KiB of memory as estimated; nothing is computed twice$/);
    await expect(runRecipe("iris", { ...settings, memory: "2GB" }, { out: at("parts"), resume: true })).rejects.toThrow(
      /memory 2GB \(the run has 1GB\)/,
    );
    await expect(runRecipe("iris", { memory: "much" }, { out: at("much") })).rejects.toThrow(/memory: pass bytes/);
  });

  test("with weights that are not finite is opened when it is asked for", async () => {
    const { tensors, metadata } = decodeSafetensors(checkpoint(trained.folder));
    const damaged = at("damaged");
    cpSync(trained.folder, damaged, { recursive: true });
    const bias = tensor(Array.from({ length: 3 }, () => Number.NaN));
    const bytes = encodeSafetensors({ ...tensors, "layers.2.bias": bias }, metadata);
    writeFileSync(join(damaged, "checkpoint.safetensors"), bytes);
    await expect(openRun(damaged)).rejects.toThrow(/"layers.2.bias" holds NaN or Infinity; .*--non-finite/);
    const run = await openRun(damaged, { nonFinite: true });
    expect((await run.predict(flower)).toNumbers()).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect((await openRun(damaged, { best: true })).folder).toBe(damaged);
    const resumed = runRecipe("iris", { epochs: 7 }, { out: damaged, resume: true });
    await expect(resumed).rejects.toThrow(/holds NaN or Infinity; go back to an earlier checkpoint/);
  });

  test("refuses settings, options and recipes that there are not", async () => {
    const refused = (...args: Parameters<typeof runRecipe>) =>
      expect(runRecipe(args[0], args[1], { out: at("refused"), ...args[2] })).rejects;
    await refused("iris", { epochs: 0 }).toThrow(OptionError);
    await refused("iris", { epoch: 3 } as never).toThrow('unknown setting "epoch"; did you mean "epochs"?');
    // Where it runs is an option of the run.
    await refused("iris", { threads: 1 } as never).toThrow('unknown setting "threads"');
    await refused("iris", {}, { threads: 0 }).toThrow(/threads is 0/);
    await refused("iris", {}, { resum: true } as never).toThrow('option of runRecipe: "resum"; did you mean "resume"?');
    await refused("irs").toThrow(/did you mean "iris"/);
    await refused("depth-mnist").toThrow(/several networks/);
    expect(existsSync(at("refused"))).toBe(false);
  });

  test("interrupted and resumed, ends with the same bits", async () => {
    const cut = new AbortController();
    const out = at("interrupted");
    await expect(
      runRecipe(
        "iris",
        { epochs: 6, seed: 3 },
        {
          out,
          threads: 1,
          signal: cut.signal,
          observer: { callbacks: () => [{ name: "cut", onEpoch: () => cut.abort() }] },
        },
      ),
    ).rejects.toThrow(Interrupted);
    expect(checkpoint(out).equals(checkpoint(trained.folder))).toBe(false);
    const { evaluation } = await runRecipe("iris", {}, { out, resume: true });
    expect(evaluation.results).toEqual(trained.evaluation.results);
    const [once, parted] = await Promise.all([trained.folder, out].map((run) => openRun(run)));
    expect((await parted?.safetensors())?.bytes).toEqual((await once?.safetensors())?.bytes);
  });
});

test("a recipe can be an object, opened again from its files", async () => {
  const x = tensor([[0], [1], [2], [3]]);
  const recipe = defineRecipe({
    name: "line",
    summary: "y = 2 x",
    defaults: { epochs: 200, batchSize: 4, learningRate: 0.1, optimizer: "sgd", seed: 0 },
    async load({ batchSize }) {
      const data = fromTensors({ x, y: tensor([[0], [2], [4], [6]]) }).batch(batchSize);
      return {
        model: sequential([dense(1)]),
        train: data,
        test: data,
        loss: meanSquaredError(),
        inputs: { dtype: "float32", shape: [1, 1] },
      };
    },
  });
  const { folder: run, evaluation } = await runRecipe(recipe, {}, { out: at("line") });
  expect(evaluation.results["loss"]).toBeLessThan(1e-4);
  const opened = await openRun(run);
  expect((await opened.predict(tensor([[10]]))).item()).toBeCloseTo(20, 0);
});

/** A recipe of a file that leaves a trace when it is run. */
function ownRecipe(name: string): string {
  const path = at(`${name}.ts`);
  writeFileSync(
    path,
    `import { appendFileSync } from "node:fs";
${readFileSync("test/fixtures/cli/points.ts", "utf8").replace('"sardonyx"', JSON.stringify(join(process.cwd(), "src/index.ts")))}
appendFileSync(${JSON.stringify(at(`${name}.trace`))}, "run\\n");
`,
  );
  return path;
}

describe("your own recipe in a file", () => {
  let path: string;
  let trained: RunResult;
  const point = tensor([[0.5, 0.25]]);
  beforeAll(async () => {
    path = ownRecipe("own");
    trained = await runRecipe(path, { epochs: 2 }, { out: at("own") });
  });

  test("is not run by opening what it made", async () => {
    rmSync(at("own.trace"), { force: true });
    const run = await openRun(trained.folder);
    expect((await run.predict(point)).shape[0]).toBe(1);
    expect(existsSync(at("own.trace"))).toBe(false);
    await expect(run.evaluate()).rejects.toThrow(/is a run of your own recipe .*own\.ts.*--recipe/);
  });

  test("is run where it is given: its test needs its code", async () => {
    const run = await openRun(trained.folder, { recipe: path });
    expect((await run.evaluate()).results).toEqual(trained.evaluation.results);
  });

  test("may be gone: the run predicts and is exported", async () => {
    const before = await (await openRun(trained.folder)).predict(point);
    renameSync(path, `${path}.moved`);
    const run = await openRun(trained.folder);
    expect(await run.predict(point)).toEqual(before);
    expect(run.onnx().bytes.length).toBeGreaterThan(0);
    expect((await run.safetensors()).tensors).toBeGreaterThan(0);
    await expect(openRun(trained.folder, { recipe: path })).rejects.toThrow(/own\.ts/);
  });
});

describe("a text that has moved", () => {
  const text = at("text.txt");
  let trained: RunResult;
  beforeAll(async () => {
    const words = "the quick brown fox jumps over the lazy dog and runs away from the old grey wolf. ";
    writeFileSync(text, words.repeat(400));
    trained = await runRecipe("gpt-char", { epochs: 1, limit: 100, options: { text } }, { out: at("text") });
    renameSync(text, at("moved.txt"));
  });

  test("is not missed by what the run writes and exports", async () => {
    const run = await openRun(trained.folder);
    let written = "";
    for await (const piece of run.generate("the ", { tokens: 20, seed: 1 })) written += piece.text;
    expect(written.length).toBeGreaterThanOrEqual(20);
    expect(run.onnx().bytes.length).toBeGreaterThan(0);
  });

  test("is what the test asks for", async () => {
    const run = await openRun(trained.folder);
    await expect(run.evaluate()).rejects.toThrow(
      /the test of .* needs the run's data: .*text\.txt cannot be read.*predict, generate and export do without/,
    );
  });
});

test("a folder belongs to one process at a time, and to the next when that is killed", async () => {
  const out = at("claimed");
  const { href } = pathToFileURL(join(process.cwd(), "dist/src/node.js"));
  const program = `import { runRecipe } from ${JSON.stringify(href)};
await runRecipe("iris", { epochs: 1000000 }, { out: ${JSON.stringify(out)}, checkpointSeconds: 0, observer: { callbacks: () => [{ name: "watch", onEpoch: () => console.log("epoch") }] } });`;
  const other = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => other.on("close", resolve));
  await new Promise((resolve) => other.stdout.once("data", resolve));
  const resume = () => runRecipe("iris", {}, { out, resume: true, signal: AbortSignal.timeout(300) });
  await expect(resume()).rejects.toThrow(`is in use by process ${other.pid} since `);
  // What is being trained can be looked at.
  const reached = await openRun(out);
  expect((await reached.predict(tensor([[5.1, 3.5, 1.4, 0.2]]))).shape).toEqual([1, 3]);
  other.kill("SIGKILL");
  await ended;
  await expect(resume()).rejects.toThrow(Interrupted);
});
