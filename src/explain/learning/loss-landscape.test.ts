/** The loss around parameters: on a quadratic by hand, filters by their norms, and the model as it was, also after an error. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { type Batch, fromTensors } from "../../data/pipeline/dataset.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import { batchNorm, type Context, crossEntropy, dense, meanSquaredError, sequential } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { evaluate } from "../../train/evaluate.ts";
import { filterDirection, lossLandscape } from "./loss-landscape.ts";

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: Error) => `${error.name}: ${error.message}`,
  );
const samples: Batch = {
  x: new Tensor("float32", [30, 3], new Random(keyOf(1)).normals(90)),
  y: new Tensor(
    "int32",
    [30],
    Int32Array.from({ length: 30 }, (_, i) => i % 3),
  ),
};
const data = fromTensors(samples).batch(15);

function classifier() {
  const model = sequential([dense(8, { activation: "relu" }), batchNorm(), dense(3)]);
  model.initialize(keyOf(2), { dtype: "float32", shape: [1, 3] });
  return model;
}
const valuesOf = (model: ReturnType<typeof classifier>) =>
  Array.from(model.parameters().values(), ({ value }) => Array.from(value?.data ?? [], Number));

test("a direction has in each filter the norm of the parameter's own, along either axis", () => {
  const own = tensor(
    [
      [3, 4],
      [0, 0],
      [5, 12],
    ],
    { dtype: "float32" },
  );
  const normsOf = (d: Float32Array, filters: readonly (readonly number[])[]) =>
    filters.map((places) => Math.hypot(...places.map((i) => d[i] ?? 0)));
  const rows = normsOf(filterDirection(own, 0, new Random(keyOf(1))), [
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  for (const [i, norm] of [5, 0, 13].entries()) expect(rows[i]).toBeCloseTo(norm, 5);
  const columns = normsOf(filterDirection(own, 1, new Random(keyOf(1))), [
    [0, 2, 4],
    [1, 3, 5],
  ]);
  for (const [i, norm] of [Math.sqrt(34), Math.sqrt(160)].entries()) expect(columns[i]).toBeCloseTo(norm, 5);
});

test("of one weight the loss is the parabola of the norm that moves", async () => {
  const model = dense(1, { bias: false });
  model.trace({ dtype: "float32", shape: [1, 1] });
  const weight = model.own.get("weight");
  if (weight) weight.value = tensor([[2]], { dtype: "float32" });
  const line = fromTensors({ x: tensor([[1]], { dtype: "float32" }), y: tensor([[2]], { dtype: "float32" }) }).batch(1);
  const found = await lossLandscape(model, line, { loss: meanSquaredError(), steps: 5, radius: 1 });
  expect(found.offsets).toEqual([-1, -0.5, 0, 0.5, 1]);
  expect(found).toMatchObject({ loss: 0, concave: 0, moved: 1 });
  // Both directions are ±2, the filter's own norm: the loss is (±2a ± 2b)².
  const [middle = [], corners = []] = [
    [10, 11, 12, 13, 14].map((i) => found.losses[i] ?? Number.NaN),
    [0, 4].map((i) => found.losses[i] ?? Number.NaN),
  ];
  for (const [i, loss] of [4, 1, 0, 1, 4].entries()) expect(middle[i]).toBeCloseTo(loss, 5);
  expect(corners.map(Math.round).sort((a, b) => a - b)).toEqual([0, 16]);
});

test("a loss that bends down everywhere is concave at every point, and one that is no number has no share", async () => {
  const model = classifier();
  const objectiveOf =
    (factor: number) =>
    (context: Context, { x }: { readonly x: Value }) => ({
      loss: ops.mul(ops.reduceMean(ops.square(model.apply(x, context))), factor),
    });
  const inputs = fromTensors({ x: samples["x"] as Tensor }).batch(30);
  // Of the last weights alone a sum of squares is a parabola, upside down.
  const first = model.parameters().get("layers.0.weight");
  if (first) first.value = new Tensor("float32", first.shape, new Float32Array(24));
  const bias = model.parameters().get("layers.0.bias");
  if (bias) bias.value = new Tensor("float32", bias.shape, new Float32Array(8).fill(1));
  const options = { steps: 5 } as const;
  expect((await lossLandscape(model, inputs, { objective: objectiveOf(-1), ...options })).concave).toBe(1);
  expect((await lossLandscape(model, inputs, { objective: objectiveOf(1), ...options })).concave).toBe(0);
  expect((await lossLandscape(model, inputs, { objective: objectiveOf(Number.NaN), ...options })).concave).toBeNaN();
});

test("the middle is the loss of the model, keys decide the directions, and the model is as it was", async () => {
  const model = classifier();
  const before = valuesOf(model);
  const tensors = Array.from(model.parameters().values(), ({ value }) => value);
  const options = { loss: crossEntropy(), steps: 3, radius: 0.5 } as const;
  const found = await lossLandscape(model, data, options);
  const { results } = await evaluate(model, data, { loss: crossEntropy() });
  expect(found.loss).toBeCloseTo(results["loss"] ?? 0, 6);
  expect(found.losses).toHaveLength(9);
  // Weights of two axes alone: neither biases nor the normalization.
  expect(found.moved).toBe(3 * 8 + 8 * 3);
  expect(valuesOf(model)).toEqual(before);
  expect(Array.from(model.parameters().values(), ({ value }) => value).every((value, i) => value === tensors[i])).toBe(
    true,
  );
  const again = await lossLandscape(model, data, options);
  expect(Array.from(again.losses)).toEqual(Array.from(found.losses));
  const other = await lossLandscape(model, data, { ...options, key: keyOf(5) });
  expect(other.losses[0]).not.toBe(found.losses[0]);
  expect(other.loss).toBe(found.loss);
});

test("a file's weights move by filters of their own layout", async () => {
  const model = modelFromOnnx(encodeOnnx(classifier()).bytes);
  const found = await lossLandscape(model, data, { loss: crossEntropy(), steps: 3 });
  expect(found.loss).toBeCloseTo((await evaluate(model, data, { loss: crossEntropy() })).results["loss"] ?? 0, 6);
  expect(found.moved).toBe(48);
});

test("parameters are back after an error in the middle", async () => {
  const model = classifier();
  const before = valuesOf(model);
  let reads = 0;
  const failing = data.map((batch: Batch) => {
    reads++;
    if (reads > 4) throw new Error("the disk is gone");
    return batch;
  });
  expect(await messageOf(lossLandscape(model, failing, { loss: crossEntropy(), steps: 3 }))).toContain(
    "the disk is gone",
  );
  expect(valuesOf(model)).toEqual(before);
});

test("bad input says what to do", async () => {
  const loss = crossEntropy();
  const model = classifier();
  for (const steps of [2, 4, 1, 5.5])
    expect(await messageOf(lossLandscape(model, data, { loss, steps }))).toContain(
      `lossLandscape: steps is ${steps}; pass an odd whole number from 3`,
    );
  expect(await messageOf(lossLandscape(model, data, { loss, radius: 0 }))).toContain("radius is 0");
  expect(await messageOf(lossLandscape(model, data, {} as never))).toContain(
    "lossLandscape needs a loss or an objective",
  );
  const empty = { epoch: async function* () {} } as unknown as typeof data;
  expect(await messageOf(lossLandscape(model, empty, { loss }))).toContain("the dataset gave no batch");
  expect(await messageOf(lossLandscape(sequential([dense(3)]), data, { loss }))).toContain(
    'parameter "layers.0.weight" has no value; train the model',
  );
});
