/** Metrics on scikit-learn's documented examples and by hand, whole and in two batches. */
import { describe, expect, test } from "vitest";
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { fullTensor, Tensor, tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import {
  accuracy,
  confusionMatrix,
  confusionOf,
  f1,
  perplexity,
  precision,
  recall,
  topKAccuracy,
} from "./classification.ts";
import type { Metric } from "./metric.ts";
import { meanAbsoluteErrorMetric, r2, rootMeanSquaredError } from "./regression.ts";

interface Batch {
  readonly output: Tensor;
  readonly target: Tensor;
}

/** Statistics summed over batches. */
async function measure(metric: Metric, ...batches: readonly Batch[]): Promise<Float64Array> {
  const update = jit((output: Value, target: Value) => metric.update(output, target));
  const totals = new Float64Array(metric.size);
  for (const { output, target } of batches) {
    const statistics = await update(output, target);
    expect([statistics.dtype, statistics.shape]).toEqual(["float32", [metric.size]]);
    for (let i = 0; i < totals.length; i++) totals[i] = (totals[i] ?? 0) + Number(statistics.data[i]);
  }
  return totals;
}

const labels = (values: readonly number[]) => tensor(values, { dtype: "int32" });
const oneHot = (classes: readonly number[], count: number) =>
  tensor(classes.map((at) => Array.from({ length: count }, (_, i) => (i === at ? 1 : 0))));
/** Predictions given as classes. */
const predicted = (output: readonly number[], target: readonly number[], count: number): Batch => ({
  output: oneHot(output, count),
  target: labels(target),
});

describe("scikit-learn's documented examples", () => {
  const classes = predicted([0, 2, 1, 0, 0, 1], [0, 1, 2, 0, 1, 2], 3);
  const regression: Batch = { output: tensor([2.5, 0, 2, 8]), target: tensor([3, -0.5, 2, 7]) };
  const scores: Batch = {
    output: tensor([
      [0.5, 0.2, 0.2],
      [0.3, 0.4, 0.2],
      [0.2, 0.4, 0.3],
      [0.7, 0.2, 0.1],
    ]),
    target: labels([0, 1, 2, 2]),
  };
  const cases: readonly (readonly [string, Metric, Batch, number])[] = [
    ["accuracy_score", accuracy(), predicted([0, 2, 1, 3], [0, 1, 2, 3], 4), 0.5],
    ["top_k_accuracy_score", topKAccuracy(2), scores, 0.75],
    ["precision_score, macro", precision({ classes: 3 }), classes, 2 / 9],
    ["precision_score, micro", precision({ classes: 3, average: "micro" }), classes, 1 / 3],
    ["precision_score, weighted", precision({ classes: 3, average: "weighted" }), classes, 2 / 9],
    ["recall_score, macro", recall({ classes: 3, average: "macro" }), classes, 1 / 3],
    ["recall_score, micro", recall({ classes: 3, average: "micro" }), classes, 1 / 3],
    ["recall_score, weighted", recall({ classes: 3, average: "weighted" }), classes, 1 / 3],
    ["f1_score, macro", f1({ classes: 3 }), classes, 0.8 / 3],
    ["f1_score, micro", f1({ classes: 3, average: "micro" }), classes, 1 / 3],
    ["f1_score, weighted", f1({ classes: 3, average: "weighted" }), classes, 0.8 / 3],
    ["mean_absolute_error", meanAbsoluteErrorMetric(), regression, 0.5],
    ["root_mean_squared_error", rootMeanSquaredError(), regression, Math.sqrt(0.375)],
    ["r2_score", r2(), regression, 1 - 1.5 / 29.1875],
  ];
  test.each(cases)("%s", async (_, metric, batch, expected) => {
    expect(metric.result(await measure(metric, batch))).toBeCloseTo(expected, 7);
    // Statistics add up: two equal batches measure the same.
    expect(metric.result(await measure(metric, batch, batch))).toBeCloseTo(expected, 7);
  });
  test("confusion_matrix, its parts in two batches", async () => {
    const metric = confusionMatrix(3);
    const counts = await measure(metric, predicted([0, 0, 2], [2, 0, 2], 3), predicted([2, 0, 2], [2, 0, 1], 3));
    expect(confusionOf(counts)).toEqual([
      [2, 0, 0],
      [0, 0, 1],
      [1, 0, 2],
    ]);
    expect(metric.result(counts)).toBe(4 / 6);
  });
});

test("rows with an ignored label count neither for nor against", async () => {
  const batch = predicted([0, 2, 1, 0], [0, 1, 9, 9], 3);
  const kept = predicted([0, 2], [0, 1], 3);
  for (const [padded, plain] of [
    [accuracy({ ignoreIndex: 9 }), accuracy()],
    [perplexity({ ignoreIndex: 9 }), perplexity()],
  ] as const)
    expect(padded.result(await measure(padded, batch))).toBeCloseTo(plain.result(await measure(plain, kept)), 6);
});

test("weighted and macro differ by how often classes occur; absent classes do not count", async () => {
  // Class 0: 2 of 3 found, 2 of 2 right. Class 1: 1 of 1 found, 1 of 2 right. Classes 2 and 3 never occur.
  const batch = predicted([0, 0, 1, 1], [0, 0, 0, 1], 4);
  const of = async (metric: Metric) => metric.result(await measure(metric, batch));
  expect(await of(recall({ classes: 4 }))).toBeCloseTo((2 / 3 + 1) / 2, 7);
  expect(await of(recall({ classes: 4, average: "weighted" }))).toBeCloseTo((3 * (2 / 3) + 1) / 4, 7);
  expect(await of(precision({ classes: 4, average: "weighted" }))).toBeCloseTo((3 * 1 + 0.5) / 4, 7);
});

describe("one logit decides between two classes by its sign", () => {
  // Predicted 1, 0, 1, 0; true 1, 0, 0, 1.
  const column: Batch = { output: tensor([[2], [-1], [0.5], [-3]]), target: labels([1, 0, 0, 1]) };
  const flat: Batch = { output: tensor([2, -1, 0.5, -3]), target: tensor([1, 0, 0, 1]) };
  test.each([
    ["a column", column],
    ["a vector", flat],
  ])("%s", async (_, batch) => {
    expect(accuracy().result(await measure(accuracy(), batch))).toBe(0.5);
    expect(confusionOf(await measure(confusionMatrix(2), batch))).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});

test("one-hot targets and sequences", async () => {
  const rows = oneHot([0, 1, 1], 2);
  expect(await measure(accuracy(), { output: rows, target: oneHot([0, 1, 0], 2) })).toEqual(Float64Array.of(2, 3));
  const sequence = rows.reshape([1, 3, 2]);
  const target = labels([0, 1, 0]).reshape([1, 3]);
  for (const metric of [accuracy(), topKAccuracy(1)])
    expect(await measure(metric, { output: sequence, target })).toEqual(Float64Array.of(2, 3));
});

test("perplexity of even odds is the number of classes", async () => {
  const batch: Batch = {
    output: fullTensor("float32", [2, 3, 5], 7),
    target: labels([0, 1, 2, 3, 4, 0]).reshape([2, 3]),
  };
  expect(perplexity().result(await measure(perplexity(), batch))).toBeCloseTo(5, 5);
});

test("r2 keeps its digits when the targets are far from zero", async () => {
  // Targets 10,000 + 0, 1, 2, 3, each predicted 0.5 too high: 1 - 4 · 0.25 / 5.
  const target = tensor([10_000, 10_001, 10_002, 10_003]);
  const output = tensor([10_000.5, 10_001.5, 10_002.5, 10_003.5]);
  expect(r2().result(await measure(r2(), { output, target }))).toBeCloseTo(0.8, 7);
});

test("counts are exact, over many samples too", async () => {
  const count = 200_000;
  const batch: Batch = {
    output: new Tensor(
      "float32",
      [count, 2],
      Float32Array.from({ length: 2 * count }, (_, i) => i % 2),
    ),
    target: new Tensor(
      "int32",
      [count],
      Int32Array.from({ length: count }, (_, i) => (i % 3 === 0 ? 1 : 0)),
    ),
  };
  const right = Math.ceil(count / 3);
  expect(await measure(accuracy(), batch)).toEqual(Float64Array.of(right, count));
  expect(await measure(confusionMatrix(2), batch)).toEqual(Float64Array.of(0, count - right, 0, right));
});

test("nothing measured is not a number", () => {
  for (const metric of [accuracy(), confusionMatrix(2), precision({ classes: 2 }), perplexity(), r2()])
    expect(metric.result(new Float64Array(metric.size))).toBeNaN();
});

test("mistakes are reported while tracing", () => {
  const [output, target] = [input("float32", [4, 3]), input("int32", [4])];
  expect(() => confusionMatrix(10).update(output, target)).toThrow(
    "confusionMatrix: output [4, 3] has 3 classes, expected 10; pass classes: 3",
  );
  expect(() => accuracy().update(output, input("int32", [5]))).toThrow(ShapeError);
  expect(() => accuracy().update(output, input("float32", [4]))).toThrow(DTypeError);
  expect(() => topKAccuracy(4).update(output, target)).toThrow(ShapeError);
  expect(() => topKAccuracy(0)).toThrow(OptionError);
  expect(() => f1({ classes: 3, average: "binary" as "macro" })).toThrow(OptionError);
});
