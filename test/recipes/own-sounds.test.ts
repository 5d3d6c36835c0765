/** Sounds of your own without code: trained, held against baselines, asked by files, exported. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  conv1d,
  dense,
  globalAveragePool,
  keyOf,
  lambda,
  models,
  ops,
  sequential,
  type Value,
} from "../../src/index.ts";
import { openRun, saveModel } from "../../src/node.ts";
import { writeTone } from "../../src/tasks/sounds/testing/write-tone.node.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-sounds-"));
afterAll(() => rmSync(folder, { recursive: true }));

const data = join(folder, "tones");
for (let i = 0; i < 30; i++) {
  writeTone(join(data, "rise", `${i}.wav`), { rises: true, seed: i });
  writeTone(join(data, "fall", `${i}.wav`), { rises: false, seed: 100 + i });
}

test("tones that rise or fall", () => {
  const run = join(folder, "run");
  const done = sardonyx("train", "--data", data, "--out", run, "--threads", "1", "--minutes", "5", "--epochs", "3");
  expect([done.stderr, done.status]).toEqual(["", 0]);
  const said = done.stdout.replace(/\s+/g, " ");
  expect(said).toMatch(/is taken for 60 sounds in 2 folders/);
  expect(said).toMatch(/chose (?:plain|masked|together), after epoch 3/);
  const { results, baselines } = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
  expect(results.accuracy).toBeGreaterThan(0.85);
  expect(baselines.map(({ name }: { name: string }) => name)).toEqual([
    "majority",
    "logistic regression",
    "k nearest neighbours",
    "random forest",
    "boosted trees",
  ]);
  // Rising and falling tones are alike in the mean over time: what comes when decides.
  expect(results.accuracy).toBeGreaterThan(baselines[0].test);

  const asked = join(folder, "asked.wav");
  writeTone(asked, { rises: true, rate: 16_000, seconds: 0.8, seed: 500 });
  const { stdout, status } = sardonyx("predict", run, asked, join(data, "fall", "2.wav"));
  expect(status).toBe(0);
  expect(stdout).toMatch(/asked\.wav: rise \(.*resampled from 16000 Hz/);
  expect(stdout).toMatch(/2\.wav: fall \(/);
  expect(sardonyx("export", run, "--out", join(folder, "model.onnx")).status).toBe(0);
});

/** Random networks of clips at 8000 Hz, as files: of samples, and of log-mel features. */
async function saveBases() {
  const ofSamples = sequential([
    lambda((x: Value) => ops.reshape(x, [x.shape[0] ?? 1, 1, x.shape[1] ?? 1])) as never,
    conv1d(16, 64, { stride: 8, activation: "relu" }),
    conv1d(16, 8, { stride: 4, activation: "relu" }),
    globalAveragePool(),
    dense(5),
  ]);
  ofSamples.initialize(keyOf(1), { dtype: "float32", shape: [1, 2000] });
  await saveModel(ofSamples, join(folder, "samples"));
  const ofFeatures = models.keywordConvolution({ classes: 5, frames: 48, bands: 40 });
  ofFeatures.initialize(keyOf(2), { dtype: "float32", shape: [1, 48, 40] });
  await saveModel(ofFeatures, join(folder, "features"));
}

test("on a base: of samples or of features, its head, then its last blocks, beside the same baselines", async () => {
  await saveBases();
  for (const [name, shape, blocks] of [
    ["samples", [2000], 1],
    ["features", [48, 40], 2],
  ] as const) {
    const [base, run] = [join(folder, name), join(folder, `${name}-run`)];
    const args = ["--base", base, "--rate", "8000", "--unfreeze", String(blocks), "--epochs", "6", "--minutes", "3"];
    const done = sardonyx("train", "--data", data, "--out", run, "--threads", "1", ...args);
    expect([done.stderr, done.status]).toEqual(["", 0]);
    const said = done.stdout.replace(/\s+/g, " ");
    expect(said).toMatch(/clips of 0\.\d\d s at 8000 Hz, as the base takes them/);
    expect(said).toMatch(/Stage 1 of 2: head alone, 4 epochs/);
    expect(said).toMatch(/chose tuned, after epoch \d/);
    const { baselines } = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
    expect(baselines.map(({ name }: { name: string }) => name)).toEqual([
      "majority",
      "logistic regression",
      "k nearest neighbours",
      "random forest",
      "boosted trees",
      "logistic regression on the base's features",
    ]);
    // The run is whole: it needs the base no more.
    rmSync(base, { recursive: true });
    const { stdout, status } = sardonyx("predict", run, join(data, "rise", "3.wav"));
    expect([status, stdout]).toEqual([0, expect.stringMatching(/3\.wav: (?:rise|fall) \(/)]);
    const out = join(folder, `${name}.onnx`);
    expect(sardonyx("export", run, "--out", out).status).toBe(0);
    const opened = await openRun(run);
    expect(opened.network.inputs).toEqual({ dtype: "float32", shape: [1, ...shape] });
    await opened.release();
  }
});

test("refuses what does not fit a base", async () => {
  const model = sequential([dense(4), dense(2)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 4] });
  await saveModel(model, join(folder, "numbers"));
  for (const [args, said] of [
    [["--base", join(folder, "numbers")], /expected samples \[N, T\] or \[N, 1, T\], or log-mel features/],
    [["--base", join(folder, "numbers"), "--seconds", "1"], /--base takes clips of its own length/],
    [["--base", join(folder, "none")], /there is no file or folder .*none; check the path of the pretrained model/],
    [["--rate", "8000"], /--rate is of a base, and there is none/],
    [["--base", join(folder, "numbers"), "--unfreeze", "-1"], /--unfreeze is -1; pass a whole number of blocks from 0/],
  ] as const) {
    const { status, stderr } = sardonyx("train", "--data", data, ...args);
    expect([status, stderr]).toEqual([2, expect.stringMatching(said)]);
  }
});

test("says what is missing or wrong before it trains", () => {
  const nothing = sardonyx("train", "sounds");
  expect([nothing.status, nothing.stderr]).toEqual([2, expect.stringMatching(/name their folder or table by --data/)]);
  const length = sardonyx("train", "--data", data, "--seconds", "100");
  expect([length.status, length.stderr]).toEqual([
    2,
    expect.stringMatching(/--seconds is 100; pass a number from 0\.1/),
  ]);
});
