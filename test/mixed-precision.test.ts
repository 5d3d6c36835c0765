/** Training in float16: every recipe's network, runs of a convolutional network and a GPT beside float32, and the option on the command line. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  adam,
  crossEntropy,
  fit,
  fromTensors,
  keyOf,
  models,
  Random,
  Tensor,
  type TrainingOptions,
} from "../src/index.ts";
import { commandLine, recordOf } from "./command-line.ts";
import { hasHalfGpu } from "./half-gpu.ts";
import { firstSteps, recipesAtHand } from "./recipe-steps.ts";
import { hasSoftwareGpu } from "./software-gpu.ts";

/** Of losses and norms of gradients: a few roundings of 2^-11, 5e-4, in each layer, which are as often up as down. */
const within = 5e-3;

/** Holds numbers against those of float32, in relation to them or to 1. */
function expectNear(narrow: readonly number[], wide: readonly number[]): void {
  expect(narrow.length).toBe(wide.length);
  for (const [i, expected] of wide.entries())
    expect(Math.abs((narrow[i] ?? Number.NaN) - expected)).toBeLessThan(within * Math.max(1, Math.abs(expected)));
}

test.each(recipesAtHand)(
  "the first steps of %s measure in float16 what they measure in float32",
  async (name) => expectNear(await firstSteps(name, { precision: "float16" }), await firstSteps(name)),
  120_000,
);

const random = new Random(keyOf(8));
const classes = 4;
/** Images [1, 28, 28] of four classes, each a pattern under as much noise. */
const images = (() => {
  const patterns = Array.from({ length: classes }, () => Float32Array.from({ length: 784 }, () => random.normal()));
  const count = 128;
  const y = Int32Array.from({ length: count }, (_, i) => i % classes);
  const x = Float32Array.from(
    { length: count * 784 },
    (_, i) => (patterns[(y[Math.floor(i / 784)] ?? 0) % classes]?.[i % 784] ?? 0) + random.normal(),
  );
  return fromTensors({ x: new Tensor("float32", [count, 1, 28, 28], x), y: new Tensor("int32", [count], y) }).batch(16);
})();
/** Texts of 16 tokens that count on in steps of 1 to 3, and what comes next. */
const texts = (() => {
  const [count, time, vocabulary] = [32, 16, 23];
  const at = (i: number, ahead: number) => {
    const [row, place] = [Math.floor(i / time), i % time];
    return (5 * row + (1 + (row % 3)) * (place + ahead)) % vocabulary;
  };
  const tokens = (ahead: number) =>
    new Tensor(
      "int32",
      [count, time],
      Int32Array.from({ length: count * time }, (_, i) => at(i, ahead)),
    );
  return fromTensors({ x: tokens(0), y: tokens(1) }).batch(8);
})();

/** The loss of each epoch, and how many batches were skipped. */
async function losses(of: "LeNet" | "GPT", training: TrainingOptions) {
  const common = { optimizer: adam({ learningRate: 0.003 }), epochs: 4, training: { seed: 1, ...training } };
  const gpt = () =>
    models.gpt2Architectures.GPT2LMHeadModel({
      sizes: { vocabulary: 23, width: 32, layers: 2, heads: 4, feedForward: 128, positions: 16 },
      embeddingDropout: 0,
      details: { dropout: 0, attentionDropout: 0 },
    });
  const { history, trainer } = await (of === "LeNet"
    ? fit(new models.LeNet5(), images, { loss: crossEntropy(), ...common })
    : fit(gpt(), texts, { loss: crossEntropy(), ...common }));
  return { losses: history.map(({ loss = Number.NaN }) => loss), skipped: trainer.skipped };
}

/**
 * Adam's steps are of the gradient's sign first, so that a rounding moves a weight by up to twice the rate where a gradient is near 0; over 32
 * steps the losses of these runs part by less than 1 in 100.
 */
const afterEpochs = 0.01;

describe.each(["LeNet", "GPT"] as const)("%s trained in float16", (of) => {
  const threads = { threads: 1 };
  test("learns as it does in float32", async () => {
    const wide = await losses(of, { compile: threads });
    const narrow = await losses(of, { compile: threads, precision: "float16" });
    expect(wide.losses.at(-1)).toBeLessThan(0.8 * (wide.losses[0] ?? 0));
    for (const [i, loss] of narrow.losses.entries())
      expect(Math.abs(loss - (wide.losses[i] ?? 0))).toBeLessThan(afterEpochs * (wide.losses[0] ?? 0));
    expect(narrow.losses).not.toEqual(wide.losses);
  }, 120_000);

  test.skipIf(!hasHalfGpu)(
    "learns on a card as on the processor",
    async () => {
      const there = await losses(of, { compile: { ...threads, device: "webgpu" }, precision: "float16" });
      const here = await losses(of, { compile: threads, precision: "float16" });
      for (const [i, loss] of there.losses.entries())
        expect(Math.abs(loss - (here.losses[i] ?? 0))).toBeLessThan(afterEpochs * (here.losses[0] ?? 0));
    },
    240_000,
  );
});

test.skipIf(!hasHalfGpu).each(recipesAtHand)(
  "the first steps of %s on a card with float16",
  async (name) =>
    expectNear(await firstSteps(name, { device: "webgpu", precision: "float16" }), await firstSteps(name)),
  240_000,
);

describe("on the command line", () => {
  const { run, folder } = commandLine();

  test("a run in float16 says what the processor makes of it, keeps it in its record, and goes on in it", async () => {
    const begun = await run("train", "iris", "--precision", "float16", "--epochs", "2", "--out", "iris");
    expect(begun.code, begun.stderr).toBe(0);
    expect(begun.stdout.replace(/\s+/g, " ")).toContain("the processor has no products of float16");
    expect(begun.stdout).toMatch(/seed 0, float16,\s+cpu/);
    expect(JSON.parse(readFileSync(join(folder, "iris", "run.json"), "utf8")).settings.precision).toBe("float16");
    const changed = await run("train", "iris", "--resume", "--precision", "float32", "--out", "iris");
    expect([changed.code, changed.stderr.includes("precision float32 (the run has float16)")]).toEqual([2, true]);
    const onward = await run("train", "iris", "--resume", "--epochs", "3", "--out", "iris", "--json");
    expect(onward.code, onward.stderr).toBe(0);
    const { results } = recordOf(onward, "evaluation") as { results: { accuracy: number } };
    expect(results.accuracy).toBeGreaterThan(0.5);
  }, 120_000);

  test("what overflowed is said once as the run ends, and stands in its report", async () => {
    const few = ["--limit", "64", "--batch-size", "2", "--epochs", "1", "--threads", "1"];
    const { code, stdout, stderr } = await run(
      "train",
      "lenet-mnist",
      "--precision",
      "float16",
      ...few,
      "--out",
      "lenet",
    );
    expect(code, stderr).toBe(0);
    const said = /(\d+) of 32 batches made no update, since their gradients overflowed float16/g;
    const [note, ...others] = [...stdout.replace(/\s+/g, " ").matchAll(said)];
    expect(others).toEqual([]);
    expect(Number(note?.[1])).toBeGreaterThan(0);
    const report = JSON.parse(readFileSync(join(folder, "lenet", "report.json"), "utf8"));
    expect(report.notes).toEqual([expect.stringContaining(`${note?.[1]} of 32 batches made no update`)]);
    expect(report.settings.precision).toBe("float16");
  }, 60_000);

  test("what cannot be is told before anything is written", async () => {
    const unknown = await run("train", "iris", "--precision", "half", "--out", "half");
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('unknown value of --precision: "half"'),
    ]);
    const compared = await run("train", "depth-mnist", "--precision", "float16", "--out", "half");
    expect(compared.stderr).toContain("precision is for recipes, and depth-mnist is an experiment; leave it out");
    expect(existsSync(join(folder, "half"))).toBe(false);
  }, 60_000);

  test.skipIf(!hasSoftwareGpu || hasHalfGpu)(
    "a card without float16 is told, with the mend",
    async () => {
      const { code, stderr } = await run(
        "train",
        "iris",
        "--precision",
        "float16",
        "--device",
        "webgpu",
        "--out",
        "card",
      );
      expect([code, stderr]).toEqual([2, expect.stringContaining("compute in float32 (--precision float32)")]);
      expect(existsSync(join(folder, "card"))).toBe(false);
    },
    60_000,
  );
});
