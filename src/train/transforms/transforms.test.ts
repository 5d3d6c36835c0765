/** Gradient transforms: accumulation in equal and unequal parts, clipping, and one of your own that draws numbers. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import { crossEntropy, dense, embedding, meanSquaredError, sequential } from "../../nn/index.ts";
import { Trainer } from "../engine/trainer.ts";
import type { TrainingOptions } from "../engine/training-options.ts";
import { fit } from "../fit.ts";
import { adam, sgd } from "../optimizers/index.ts";
import { gradientsName } from "../store/shard.ts";
import { accumulate, clipNorm, clipValue, type GradientTransform, gradientNorms } from "./index.ts";

const random = new Random(keyOf(1));
const normal = (...shape: number[]) =>
  new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );
const weightsOf = (model: ReturnType<typeof sequential>) =>
  [...model.parameters().values()].flatMap(({ value }) => value?.toNumbers() ?? []);

/** Weights after one epoch, and the updates that it took. */
async function trained(rows: { x: Tensor; y: Tensor }, size: number, training: TrainingOptions, epochs = 1) {
  const model = sequential([dense(3)]);
  const { trainer } = await fit(model, fromTensors(rows).batch(size), {
    loss: crossEntropy(),
    optimizer: sgd({ learningRate: 1 }),
    epochs,
    training: { seed: 1, ...training },
  });
  return { weights: weightsOf(model), updates: trainer.updates };
}

function expectClose(actual: readonly number[], expected: readonly number[]) {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i] ?? 0, 5);
}

test("accumulating parts equals one whole batch, also where the parts differ in size", async () => {
  const rows = { x: normal(11, 4), y: tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1], { dtype: "int32" }) };
  const whole = await trained(rows, 11, {});
  for (const [size, count] of [
    [4, 3],
    [3, 4],
    [1, 11],
  ] as const) {
    const parts = await trained(rows, size, { accumulate: count });
    expectClose(parts.weights, whole.weights);
    expect(parts.updates).toBe(1);
  }
});

test("what is held at the end of an epoch makes an update of its own", async () => {
  const rows = {
    x: normal(33, 4),
    y: new Tensor(
      "int32",
      [33],
      Int32Array.from({ length: 33 }, (_, i) => i % 3),
    ),
  };
  expect((await trained(rows, 11, { accumulate: 8 }, 2)).updates).toBe(2);
  expect((await trained(rows, 11, { accumulate: 2 }, 2)).updates).toBe(4);
  expectClose((await trained(rows, 11, { accumulate: 8 })).weights, (await trained(rows, 33, {})).weights);
});

test("parts are weighted by the labels that count in them", async () => {
  const x = new Tensor(
    "int32",
    [4, 6],
    Int32Array.from({ length: 24 }, (_, i) => i % 5),
  );
  const y = Int32Array.from({ length: 24 }, (_, i) => (i < 12 ? (i * 7) % 5 : i % 6 === 0 ? 2 : -100));
  const data = fromTensors({ x, y: new Tensor("int32", [4, 6], y) });
  const run = async (size: number, count: number) => {
    const model = sequential([embedding(5, 4), dense(5)]);
    const { history } = await fit(model, data.batch(size), {
      loss: crossEntropy({ ignoreIndex: -100 }),
      optimizer: sgd({ learningRate: 1 }),
      epochs: 1,
      training: { accumulate: count, seed: 1 },
    });
    return { weights: weightsOf(model), loss: history[0]?.["loss"] ?? 0 };
  };
  const [whole, parts] = [await run(4, 1), await run(2, 2)];
  expectClose(parts.weights, whole.weights);
  expect(parts.loss).toBeCloseTo(whole.loss, 6);
});

test("clipping by value and by norm, and what is reported between them", async () => {
  const batch = { x: tensor([[3, 0.5]]), y: tensor([[-1]]) };
  const stepped = async (transforms: readonly GradientTransform[]) => {
    const model = sequential([dense(1, { initializer: "zeros" })]);
    const trainer = new Trainer(model, {
      loss: meanSquaredError(),
      optimizer: sgd({ learningRate: 1 }),
      training: { transforms },
    });
    const { reports, gradientNorm } = await trainer.step(batch);
    return { reports, gradientNorm, weights: weightsOf(model) };
  };
  // Gradients 2 (0 + 1) (3, 0.5), 2.
  const value = await stepped([clipValue(2), gradientNorms()]);
  expect([...value.weights].sort((a, b) => a - b)).toEqual([-2, -2, -1]);
  expect(value.gradientNorm).toBeCloseTo(Math.hypot(6, 1, 2), 5);
  expect(value.reports["gradientNorms"]?.["layers.0.weight"]).toBeCloseTo(Math.hypot(2, 1), 5);
  const both = await stepped([clipNorm(1), gradientNorms(), clipValue(0.5)]);
  expect(both.reports["gradientNorms"]?.["layers.0.weight"]).toBeCloseTo(Math.hypot(6, 1) / Math.hypot(6, 1, 2), 5);
  const cut = [6, 1, 2].map((own) => -Math.min(own / Math.hypot(6, 1, 2), 0.5)).sort((a, b) => a - b);
  expectClose(
    [...both.weights].sort((a, b) => a - b),
    cut,
  );
});

test("a transform of your own: its randomness differs by step, and a run repeats", async () => {
  const noise: GradientTransform = {
    name: "noise",
    bind: () => ({
      apply({ shards }, { key, batch, weight, report }) {
        const own = new Random(key);
        for (const shard of shards)
          for (const { offset, length } of shard.slots) {
            const vector = shard.vector(gradientsName);
            for (let i = offset; i < offset + length; i++) vector[i] = (vector[i] ?? 0) + own.normal();
          }
        report({ batch, weight, first: Number(shards[0]?.vector(gradientsName)[0]) });
        return "changed";
      },
    }),
  };
  const run = async () => {
    const model = sequential([dense(1)]);
    const trainer = new Trainer(model, {
      loss: meanSquaredError(),
      optimizer: adam(),
      training: { transforms: [noise] },
    });
    const reports = [];
    for (let i = 0; i < 2; i++)
      reports.push((await trainer.step({ x: tensor([[1], [2]]), y: tensor([[1], [2]]) })).reports["noise"]);
    return { reports, weights: weightsOf(model) };
  };
  const [first, again] = [await run(), await run()];
  expect(again).toEqual(first);
  expect(first.reports.map((own) => [own?.["batch"], own?.["weight"]])).toEqual([
    [0, 2],
    [1, 2],
  ]);
  expect(first.reports[0]?.["first"]).not.toBe(first.reports[1]?.["first"]);
});

test("settings that make no sense, and two transforms of one name", () => {
  expect(() => accumulate(0)).toThrow("accumulate is 0; pass a whole number of batches, at least 1");
  expect(() => clipNorm(0)).toThrow("clipNorm is 0; pass a positive norm");
  expect(() => clipValue(Number.NaN)).toThrow("clipValue is NaN");
  const twice = { loss: meanSquaredError(), optimizer: sgd(), training: { transforms: [clipNorm(1)], clipNorm: 1 } };
  expect(() => new Trainer(sequential([dense(1)]), twice)).toThrow('two gradient transforms are named "clipNorm"');
});
