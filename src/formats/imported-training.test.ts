/** Graphs of files trained by `fit`: alone, within other models, partly frozen, with batch normalization. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../core/random.ts";
import { copyOf, sameTensor, Tensor, tensor } from "../core/tensor.ts";
import { fromTensors } from "../data/pipeline/dataset.ts";
import { input, type Value } from "../graph/ir.ts";
import { signed } from "../models/testing/fill.ts";
import { type Context, crossEntropy, dense, Module, meanSquaredError } from "../nn/index.ts";
import * as ops from "../ops/index.ts";
import { fit } from "../train/fit.ts";
import { adam, sgd } from "../train/optimizers/index.ts";
import type { ImportedModule } from "./imported-module.ts";
import { modelFromOnnx } from "./onnx-model.ts";
import { classifier, fileOf, runImported, weight } from "./testing/onnx-files.ts";

const random = new Random(keyOf(11));
const images = signed("input 20", [24, 1, 6, 6]);
const labels = tensor(
  Array.from({ length: 24 }, () => random.integer(3)),
  { dtype: "int32" },
);
const data = fromTensors({ x: images, y: labels }).batch(8);

test("its loss falls, and what is frozen does not move a bit", async () => {
  const model = classifier();
  model.freeze("conv");
  const before = new Map([...model.parameters()].map(([path, { value }]) => [path, copyOf(value as Tensor)]));
  const { history } = await fit(model, data, {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 8,
  });
  const losses = history.map(({ loss }) => loss as number);
  expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) * 0.8);
  const same = [...model.parameters()].filter(([path, { value }]) =>
    sameTensor(value as Tensor, before.get(path) as Tensor),
  );
  expect(same.map(([path]) => path)).toEqual(["conv.weight", "conv.bias"]);
  // What was trained is what is asked.
  const one = new Tensor("float32", [1, 1, 6, 6], images.data.slice(0, 36) as Float32Array);
  expect(sameTensor(await runImported(model, one), await runImported(classifier(), one))).toBe(false);
});

test("as a part of another model", async () => {
  class Wrapped extends Module {
    readonly base = classifier();
    readonly head = dense(2);
    protected call(x: Value, context: Context): Value {
      return this.head.apply(this.base.apply(x, context) as Value, context);
    }
  }
  const model = new Wrapped();
  const target = fromTensors({ x: images, y: signed("input 4", [24, 2]) }).batch(8);
  const { history } = await fit(model, target, {
    loss: meanSquaredError(),
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 4,
  });
  expect(history[3]?.["loss"]).toBeLessThan(history[0]?.["loss"] ?? 0);
  expect([...model.parameters().keys()]).toContain("base.conv.weight");
});

describe("with batch normalization", () => {
  const normalized = () => {
    const x = input("float32", [4, 2, 3], "x");
    const statistics = ["scale", "bias", "mean", "var"].map((name) =>
      weight(`bn.${name}`, [2], name === "mean" || name === "bias" ? tensor([0, 0]) : tensor([1, 1])),
    );
    const y = ops.batchNormInference(x, statistics as [Value, Value, Value, Value]);
    return modelFromOnnx(fileOf([x], [ops.reshape(y, [4, 6])]));
  };
  const [x, y] = [signed("input 30", [4, 2, 3]), signed("input 31", [4, 6])];
  const train = (model: ImportedModule) =>
    fit(model, fromTensors({ x, y }).batch(4), {
      loss: meanSquaredError(),
      optimizer: sgd({ learningRate: 0 }),
      epochs: 1,
    });
  const statistic = (model: ImportedModule, name: string) =>
    model.parameters().get(`bn.${name}`)?.value?.toNumbers() ?? [];

  test("running statistics follow the batch by ONNX's momentum, 0.9", async () => {
    const model = normalized();
    await train(model);
    for (const channel of [0, 1]) {
      const own = x.toNumbers().filter((_, i) => Math.floor(i / 3) % 2 === channel);
      const mean = own.reduce((sum, element) => sum + element, 0) / 12;
      const variance = own.reduce((sum, element) => sum + (element - mean) ** 2, 0) / 11;
      expect(statistic(model, "mean")[channel]).toBeCloseTo(0.1 * mean, 6);
      expect(statistic(model, "var")[channel]).toBeCloseTo(0.9 + 0.1 * variance, 6);
    }
  });

  test("frozen ones stay, and normalize as in prediction", async () => {
    const model = normalized();
    model.freeze("bn.*");
    model.unfreeze("bn.scale");
    await train(model);
    expect([statistic(model, "mean"), statistic(model, "var")]).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test("one element a channel is refused while training", () => {
    const x = input("float32", [1, 2], "x");
    const values = ["a", "b", "c", "d"].map((name) => weight(name, [2])) as [Value, Value, Value, Value];
    const model = modelFromOnnx(fileOf([x], [ops.batchNormInference(x, values)]));
    const key = input("uint32", [2], "key");
    expect(() => model.trace({ dtype: "float32", shape: [1, 2] }, { training: true, key })).toThrow(
      "has one element a channel in its input [1, 2], whose variance is zero; use a larger batch, or freeze it",
    );
  });
});
