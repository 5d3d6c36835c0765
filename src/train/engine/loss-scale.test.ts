/** Training in float16: the loss scale finds its place, what overflows makes no update, and everything that steps are made of goes with it. */
import { describe, expect, test } from "vitest";
import { NonFiniteError, OptionError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import { ranksInProcess } from "../../distributed/in-process.ts";
import type { Value } from "../../graph/ir.ts";
import {
  batchNorm,
  type Context,
  crossEntropy,
  dense,
  lambda,
  meanSquaredError,
  type Sequential,
  sequential,
} from "../../nn/index.ts";
import { mul, reduceMean, sqrt, square } from "../../ops/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../checkpoint.ts";
import { fit, type Progress } from "../fit.ts";
import { adam, muon, sgd } from "../optimizers/index.ts";
import { clipValue, type GradientTransform } from "../transforms/index.ts";
import { LossScale } from "./loss-scale.ts";
import { Trainer } from "./trainer.ts";
import type { TrainingOptions } from "./training-options.ts";

const half = { precision: "float16", compile: { threads: 1 } } as const;
const random = new Random(keyOf(3));
const rows = 48;
const x = new Tensor(
  "float32",
  [rows, 5],
  Float32Array.from({ length: rows * 5 }, () => random.normal()),
);
const y = new Tensor(
  "int32",
  [rows],
  Int32Array.from({ length: rows }, (_, i) => ((x.data[5 * i] ?? 0) > 0 ? 1 : 0)),
);
const data = fromTensors({ x, y }).shuffle(keyOf(1)).batch(8);
const plain = () => sequential([dense(16, { activation: "relu" }), dense(2)]);

interface Case {
  readonly make?: () => Sequential;
  readonly training?: TrainingOptions;
  readonly epochs?: number;
  readonly resume?: Progress;
}

/** A run, with the reports of its steps. */
async function run({ make = plain, training = half, epochs = 3, resume }: Case, communicator?: Communicator) {
  const model = make();
  const scales: number[] = [];
  const result = await fit(model, data, {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: 0.01, epsilon: 1e-4 }),
    epochs,
    callbacks: [
      { name: "scales", onBatch: (_, { reports }) => void scales.push(reports["lossScale"]?.["scale"] ?? 0) },
    ],
    training: { seed: 2, ...training, communicator, ...(resume && { resume }) },
  });
  return { ...result, scales, weights: weightsOf(model) };
}

const weightsOf = (model: Sequential) =>
  [...model.parameters().values()].flatMap(({ value }) => value?.toNumbers() ?? []);

function expectAlike(actual: readonly number[], expected: readonly number[], within: number) {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of actual.entries()) expect(Math.abs(value - (expected[i] ?? 0))).toBeLessThan(within);
}

describe("the loss scale", () => {
  test("doubles after an interval without overflow, halves at each, and gives up below 1, as the rules of PyTorch's GradScaler say", () => {
    const scale = new LossScale({ initial: 8, interval: 3 });
    const moved = (...overflows: readonly boolean[]) =>
      overflows.map((overflowed) => [scale.judge(overflowed), scale.state.scale]);
    expect(moved(false, false, false)).toEqual([
      ["update", 8],
      ["update", 8],
      ["update", 16],
    ]);
    // The count begins anew.
    expect(moved(false, false, true, false, false, false)).toEqual([
      ["update", 16],
      ["update", 16],
      ["skip", 8],
      ["update", 8],
      ["update", 8],
      ["update", 16],
    ]);
    expect(moved(true, true, true, true, true)).toEqual([
      ["skip", 8],
      ["skip", 4],
      ["skip", 2],
      ["skip", 1],
      ["fail", 1],
    ]);
    expect(scale.state.skipped).toBe(5);
    expect(new LossScale().state.scale).toBe(65_536);
    for (const [name, value] of [
      ["scale", 0.25],
      ["scale", Number.NaN],
      ["finite", -1],
    ] as const)
      expect(() => scale.restore({ [name]: value })).toThrow("the checkpoint's loss scale is damaged");
  });

  test("settings that make no sense, and names that are taken", () => {
    const options = { loss: meanSquaredError(), optimizer: sgd() };
    const made = (training: TrainingOptions) => () => new Trainer(plain(), { ...options, training });
    expect(made({ lossScale: { initial: 2 } })).toThrow(
      'lossScale is for products in float16; pass precision: "float16" with it, or leave it out',
    );
    expect(made({ ...half, lossScale: { initial: 0.5 } })).toThrow("initial is 0.5; pass a number from 1");
    expect(made({ ...half, lossScale: { backoff: 1 } })).toThrow("backoff is 1; pass a number above 0, below 1");
    expect(made({ ...half, lossScale: { interval: 0 } })).toThrow("interval is 0; pass a whole number from 1");
    expect(made({ precision: "bfloat16" as "float16" })).toThrow(
      'precision is "bfloat16"; pass "float32" or "float16"',
    );
    const taken: GradientTransform = { name: "lossScale", bind: () => ({ apply: () => "unchanged" }) };
    expect(made({ ...half, transforms: [taken] })).toThrow(OptionError);
    expect(made({ transforms: [taken] })).not.toThrow();
  });
});

/** Roundings of 2^-11, 5e-4, in the gradients of 18 small steps of Adam, each of at most 0.01. */
const nearby = 5e-3;

test.each<[string, Case]>([
  ["of a plain network", {}],
  ["clipped", { training: { clipNorm: 0.3 } }],
  ["accumulated and clipped", { training: { accumulate: 3, clipNorm: 0.3 } }],
  ["accumulated behind a transform", { training: { accumulate: 2, transforms: [clipValue(0.01)] } }],
  ["of groups that other optimizers train", { training: { groups: [{ parameters: "*.weight", optimizer: muon() }] } }],
  ["normalized by the batch", { make: () => sequential([dense(16, { bias: false }), batchNorm(), dense(2)]) }],
])("steps in float16 come to what float32 comes to: %s", async (_, given) => {
  const [narrow, wide] = await Promise.all([
    run({ ...given, training: { ...half, ...given.training } }),
    run({ ...given, training: { compile: half.compile, ...given.training } }),
  ]);
  expectAlike(narrow.weights, wide.weights, nearby);
  expect(narrow.weights).not.toEqual(wide.weights);
  expect(narrow.history.at(-1)?.["loss"]).toBeCloseTo(wide.history.at(-1)?.["loss"] ?? 0, 3);
  expect([narrow.trainer.updates, narrow.trainer.skipped]).toEqual([wide.trainer.updates, 0]);
  expect(narrow.trainer.batches).toBe(18);
});

test("gradients that overflow make no update, and the scale is halved until they do not", async () => {
  const model = plain();
  const trainer = new Trainer(model, {
    loss: crossEntropy(),
    optimizer: sgd({ learningRate: 0.1 }),
    training: { ...half, lossScale: { initial: 2 ** 24 } },
  });
  const batch = { x, y };
  await trainer.prepare(batch);
  const before = weightsOf(model);
  let steps = 0;
  // Gradients of 0.01 and more times 2^24 are beyond 65,504.
  for (let result = await trainer.step(batch); !Number.isFinite(result.gradientNorm); steps++) {
    expect(weightsOf(model)).toEqual(before);
    expect(result.reports["lossScale"]).toEqual({ scale: 2 ** (23 - steps), skipped: steps + 1 });
    expect(Number.isFinite(result.loss)).toBe(true);
    result = await trainer.step(batch);
  }
  expect(steps).toBeGreaterThan(2);
  expect([trainer.batches, trainer.skipped, trainer.updates]).toEqual([steps + 1, steps, 1]);
  expect(weightsOf(model)).not.toEqual(before);
});

test("fit goes on over what overflows, and says so once", async () => {
  const { notes, trainer, history, scales } = await run({ training: { ...half, lossScale: { initial: 2 ** 24 } } });
  expect(trainer.skipped).toBeGreaterThan(2);
  expect(scales.at(-1)).toBe(2 ** (24 - trainer.skipped));
  expect(history.at(-1)?.["loss"]).toBeLessThan(history[0]?.["loss"] ?? 0);
  expect(notes.filter((note) => note.includes("float16"))).toEqual([
    `${trainer.skipped} of 18 batches made no update, since their gradients overflowed float16 at the loss scale that they had; a few are usual, as the scale finds its place, and many say that the run is better computed in float32 (precision)`,
  ]);
  expect((await run({})).notes.filter((note) => note.includes("float16"))).toEqual([]);
});

test("small gradients are lost in float16 without a scale, and are not with it", async () => {
  const stepped = async (training: TrainingOptions) => {
    const model = sequential([dense(1, { initializer: "zeros", bias: false })]);
    const objective = (context: Context, batch: { readonly x: Value }) => ({
      loss: mul(reduceMean(model.apply(batch.x, context)), 2 ** -26),
    });
    const optimizer = sgd({ learningRate: 1 });
    const trainer = new Trainer<{ readonly x: Tensor }>(model, { objective, optimizer, training });
    await trainer.step({ x: tensor([[1]]) });
    return weightsOf(model)[0];
  };
  // The least number of float16 is 2^-24.
  expect(await stepped({ ...half, lossScale: { initial: 1 } })).toBe(0);
  expect(await stepped(half)).toBe(-(2 ** -26));
});

test("a run that goes on from a checkpoint comes to the same bits, with the scale and what was counted", async () => {
  const training = { ...half, lossScale: { initial: 2 ** 24, interval: 5 }, accumulate: 2 };
  const whole = await run({ training, epochs: 4 });
  const begun = await run({ training, epochs: 2 });
  const resume = decodeCheckpoint(encodeCheckpoint(begun.progress));
  const resumed = await run({ training, epochs: 4, resume });
  expect(resumed.weights).toEqual(whole.weights);
  expect([...begun.scales, ...resumed.scales]).toEqual(whole.scales);
  expect(new Set(whole.scales).size).toBeGreaterThan(3);
  expect(resumed.trainer.skipped).toBe(whole.trainer.skipped);
  // Float32 goes on from it too, and float16 from what float32 saved.
  const inFloat32 = await run({ training: { compile: half.compile, accumulate: 2 }, epochs: 3, resume });
  expect(inFloat32.history).toHaveLength(3);
  const wide = await run({ training: { compile: half.compile }, epochs: 1 });
  expect((await run({ epochs: 2, resume: wide.progress })).scales.at(-1)).toBe(65_536);
});

describe("several ranks", () => {
  const together = <T>(size: number, work: (communicator: Communicator) => Promise<T>) =>
    Promise.all(ranksInProcess(size).map(work));

  test.each<[string, TrainingOptions]>([
    ["at each batch", {}],
    ["once for several batches", { accumulate: 3, clipNorm: 0.3 }],
    ["each with its part of the optimizer", { sharded: true }],
  ])("come to what one process comes to, summing %s", async (_, given) => {
    const training = { ...half, ...given };
    const alone = await run({ training });
    const [first, second] = await together(2, (communicator) => run({ training }, communicator));
    expect(second?.weights).toEqual(first?.weights);
    expectAlike(first?.weights ?? [], alone.weights, nearby);
    expect([first?.trainer.updates, first?.trainer.skipped]).toEqual([alone.trainer.updates, 0]);
  });

  test.each<[string, TrainingOptions]>([
    ["at each batch", {}],
    ["once for several batches", { accumulate: 2 }],
  ])("leave out a batch that overflows on one of them alone, summing %s", async (_, given) => {
    // The gradient of the last row is large, and the second rank has it.
    const far = x.data.slice();
    far.fill(200, 5 * (rows - 1));
    const batch = {
      x: new Tensor("float32", x.shape, far),
      y: new Tensor("float32", [rows, 1], new Float32Array(rows)),
    };
    const [first, second] = await together(2, async (communicator) => {
      const model = sequential([dense(1)]);
      const training = { ...half, seed: 2, communicator, ...given };
      const trainer = new Trainer(model, {
        loss: meanSquaredError(),
        optimizer: sgd({ learningRate: 1e-5 }),
        training,
      });
      const scales: (number | undefined)[] = [];
      for (let i = 0; i < 12; i++) scales.push((await trainer.step(batch)).reports["lossScale"]?.["scale"]);
      return { scales, skipped: trainer.skipped, updates: trainer.updates, weights: weightsOf(model) };
    });
    expect(first?.skipped).toBeGreaterThan(0);
    expect(first?.updates).toBeGreaterThan(0);
    expect(second).toEqual(first);
  });
});

test("each step of a GAN has a loss scale of its own", async () => {
  const [generator, critic] = [sequential([dense(4, { activation: "tanh" }), dense(2)]), sequential([dense(1)])];
  const steps = {
    critic: {
      objective: (context: Context, batch: { readonly x: Value }) => {
        const made = context.detached(() => generator.apply(batch.x, context));
        // 2^20 times as steep as the generator's.
        return { loss: mul(reduceMean(square(critic.apply(made, context))), 2 ** 12) };
      },
      optimizer: sgd({ learningRate: 1e-5 }),
      trains: "critic",
    },
    generator: {
      objective: (context: Context, batch: { readonly x: Value }) => ({
        loss: mul(reduceMean(critic.apply(generator.apply(batch.x, context), context)), 2 ** -8),
      }),
      optimizer: sgd({ learningRate: 1e-3 }),
      trains: "generator",
    },
  };
  const trainer = new Trainer<{ x: Tensor }>({ generator, critic }, { steps, training: half });
  for (let i = 0; i < 20; i++) await trainer.step({ x });
  const { critic: ofCritic, generator: ofGenerator } = trainer.state().steps;
  expect(ofGenerator?.memory["lossScale"]).toMatchObject({ scale: 65_536, skipped: 0 });
  expect(ofCritic?.memory["lossScale"]?.["skipped"]).toBeGreaterThan(0);
  expect(trainer.skipped).toBe(ofCritic?.memory["lossScale"]?.["skipped"]);
  expect([ofCritic?.updates, ofGenerator?.updates]).toEqual([10 - trainer.skipped, 10]);
});

describe("what no scale helps", () => {
  test("data that are no numbers are told as in float32, at once", async () => {
    const broken = x.data.slice();
    broken[7] = Number.NaN;
    const bad = fromTensors({ x: new Tensor("float32", x.shape, broken), y }).batch(rows);
    const failed = fit(plain(), bad, { loss: crossEntropy(), optimizer: adam(), epochs: 1, training: half });
    await expect(failed).rejects.toThrow(
      'epoch 1: the loss became NaN at batch 1: "x" of the batch holds NaN or Infinity',
    );
  });

  test("a gradient that is infinite in float32 too is told once the scale is 1, with the parameters as they were", async () => {
    const model = sequential([dense(1, { initializer: "zeros", bias: false }), lambda((value) => sqrt(value))]);
    const trainer = new Trainer(model, {
      loss: meanSquaredError(),
      optimizer: sgd(),
      training: { ...half, lossScale: { initial: 4 } },
    });
    const batch = { x: tensor([[1]]), y: tensor([[1]]) };
    for (const scale of [2, 1]) expect((await trainer.step(batch)).reports["lossScale"]?.["scale"]).toBe(scale);
    const failed = trainer.step(batch);
    await expect(failed).rejects.toThrow(NonFiniteError);
    await expect(failed).rejects.toThrow(/gradient's norm became .* at batch 3; .*compute in float32 \(precision\)/);
    expect(weightsOf(model)).toEqual([0]);
  });

  test("a layer whose outputs are beyond float16 is named", async () => {
    const model = sequential([dense(2, { initializer: "ones" }), dense(1)]);
    const failed = new Trainer(model, { loss: meanSquaredError(), optimizer: sgd(), training: half }).step({
      x: tensor([[40_000, 40_000]]),
      y: tensor([[1]]),
    });
    await expect(failed).rejects.toThrow(/the first layer with a non-finite output is .*layers\.0.*compute in float32/);
  });
});
