/** Ranks and similarity of features: by hand, invariant to what they should be, and bad input. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { type Batch, fromTensors } from "../../data/pipeline/dataset.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import { conv2d, dense, flatten, sequential } from "../../nn/index.ts";
import { featureRank } from "./feature-rank.ts";
import { layerSimilarity } from "./layer-similarity.ts";

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** A layer that multiplies rows by a matrix [outputs, inputs]. */
function product(rows: readonly (readonly number[])[]) {
  const layer = dense(rows.length, { bias: false });
  layer.trace({ dtype: "float32", shape: [1, rows[0]?.length ?? 1] });
  const weight = layer.own.get("weight");
  if (weight) weight.value = tensor(rows as number[][], { dtype: "float32" });
  return layer;
}
const identity = (size: number) =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => Number(i === j)));
const rows = (values: readonly (readonly number[])[]) => ({ x: tensor(values as number[][], { dtype: "float32" }) });

test("ranks by hand: of equal singular values their number, of one 1, of 3 and 1 in between", async () => {
  const plain = { centered: false };
  const ranksOf = async (values: readonly (readonly number[])[], options = plain) => {
    const [found] = await featureRank(product(identity(values[0]?.length ?? 1)), rows(values), options);
    return [found?.effective, found?.stable, found?.most];
  };
  const equal = await ranksOf(identity(3));
  expect(equal[0]).toBeCloseTo(3, 10);
  expect(equal.slice(1)).toEqual([3, 3]);
  const one = await ranksOf([
    [1, 2],
    [2, 4],
    [3, 6],
  ]);
  expect(one[0]).toBeCloseTo(1, 5);
  expect(one[1]).toBeCloseTo(1, 10);
  // σ = 3, 1: p = 3/4, 1/4; exp(-Σ p ln p) = 4 / 3^(3/4). Energy 10 over 9.
  const two = await ranksOf([
    [3, 0],
    [0, 1],
  ]);
  expect(two[0]).toBeCloseTo(4 / 3 ** 0.75, 10);
  expect(two[1]).toBeCloseTo(10 / 9, 10);
  // What all samples share is no dimension: centered, nothing is left of equal rows.
  const same = [
    [5, 1],
    [5, 1],
    [5, 1],
  ];
  expect(await ranksOf(same, { centered: true })).toEqual([0, 0, 2]);
  expect((await ranksOf(same))[0]).toBeCloseTo(1, 6);
  expect(await ranksOf([[0], [0]])).toEqual([0, 0, 1]);
});

test("ranks of convolutions count every place; those of a file are those of its module", async () => {
  const model = sequential([conv2d(3, 3, { activation: "relu" }), flatten(), dense(4)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 5, 5] });
  const batch = { x: new Tensor("float32", [30, 1, 5, 5], new Random(keyOf(2)).normals(750)) };
  const found = await featureRank(model, batch);
  expect(found.map(({ path, features, most }) => [path, features, most])).toEqual([
    ["layers.0", 27, 27],
    ["layers.2", 4, 4],
  ]);
  const read = await featureRank(modelFromOnnx(encodeOnnx(model).bytes), batch);
  expect(read.at(-1)?.effective).toBeCloseTo(found[1]?.effective ?? 0, 4);
  const only = await featureRank(model, batch, { layers: "layers.2" });
  expect(only.map(({ path }) => path)).toEqual(["layers.2"]);
});

/** Normal rows of four features. */
const data = (samples: number): Batch => ({
  x: new Tensor("float32", [samples, 4], new Random(keyOf(9)).normals(4 * samples)),
  y: new Tensor("int32", [samples], new Int32Array(samples)),
});
const skewed = [
  [1, 0, 0, 0],
  [0, 2, 0, 0],
  [0.5, 0, 3, 0],
];

test("similarity is 1 for features that were turned and scaled, not for those that were stretched", async () => {
  const turn = Math.PI / 5;
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  const turned = skewed[0]?.map((_, j) => [
    7 * (c * (skewed[0]?.[j] ?? 0) - s * (skewed[1]?.[j] ?? 0)),
    7 * (s * (skewed[0]?.[j] ?? 0) + c * (skewed[1]?.[j] ?? 0)),
    7 * (skewed[2]?.[j] ?? 0),
  ]);
  const rotated = [0, 1, 2].map((i) => turned?.map((column) => column[i] ?? 0) ?? []);
  const stretched = skewed.map((row, i) => row.map((w) => w * (i === 0 ? 10 : 1)));
  const samples = fromTensors(data(64)).batch(32);
  const alike = async (other: readonly (readonly number[])[]) =>
    (await layerSimilarity(product(skewed), product(other), samples)).values[0] ?? Number.NaN;
  expect(await alike(rotated)).toBeCloseTo(1, 5);
  expect(await alike(stretched)).toBeLessThan(0.9);
  // Features of other samples' directions have nothing in common but chance.
  expect(Math.abs(await alike([[0, 0, 0, 1]]))).toBeLessThan(0.15);
});

test("of one model with itself the diagonal is 1 and the table symmetric; a constant layer has none", async () => {
  const model = sequential([dense(6, { activation: "relu" }), dense(5, { activation: "relu" }), dense(2)]);
  model.initialize(keyOf(4), { dtype: "float32", shape: [1, 4] });
  const weight = model.parameters().get("layers.2.weight");
  const { rows, columns, values, samples } = await layerSimilarity(model, model, fromTensors(data(48)).batch(16));
  expect([rows.map(({ path }) => path), samples]).toEqual([["layers.0", "layers.1", "layers.2"], 48]);
  expect(columns).toEqual(rows);
  for (const i of [0, 1, 2]) expect(values[4 * i]).toBeCloseTo(1, 7);
  expect(values[1]).toBeCloseTo(values[3] ?? 0, 7);
  const one = await layerSimilarity(model, model, fromTensors(data(48)).batch(16), { batches: 1, layers: "layers.0" });
  expect([one.samples, one.values.length]).toEqual([16, 1]);
  if (weight) weight.value = new Tensor("float32", weight.shape, new Float32Array(10));
  const constant = await layerSimilarity(model, model, fromTensors(data(48)).batch(16), { layers: "layers.2" });
  expect(constant.values[0]).toBeNaN();
});

test("two models of other widths and one within the other", async () => {
  const inner = sequential([dense(3, { activation: "relu" })]);
  const outer = sequential([inner, dense(2)]);
  outer.initialize(keyOf(4), { dtype: "float32", shape: [1, 4] });
  const { rows, columns, values } = await layerSimilarity(outer, inner, fromTensors(data(40)).batch(40));
  expect(rows.map(({ path }) => path)).toEqual(["layers.0.layers.0", "layers.1"]);
  expect(columns.map(({ path }) => path)).toEqual(["layers.0"]);
  expect(values[0]).toBeCloseTo(1, 7);
});

test("bad input says what to do", async () => {
  const model = product(skewed);
  const whole = data(8);
  expect(await messageOf(featureRank(model, whole, { layers: "layer" }))).toContain('unknown layer "layer"');
  expect(await messageOf(featureRank(model, data(1)))).toContain("the batch has 1 samples; pass from 2 to 1024");
  expect(await messageOf(featureRank(model, data(1025)))).toContain("data.batch(256)");
  expect(await messageOf(featureRank(model, { image: whole["x"] } as never))).toContain("which a batch calls x");
  expect(await messageOf(featureRank(dense(2), whole))).toContain("DataError");
  const few = fromTensors(data(6)).batch(3);
  expect(await messageOf(layerSimilarity(model, model, few))).toContain("none of 2 batches has 4 samples");
  expect(await messageOf(layerSimilarity(model, model, fromTensors(data(8)).batch(4), { batches: 0 }))).toContain(
    "layerSimilarity: batches is 0; pass a whole number from 1",
  );
  const [bad] = await featureRank(
    model,
    rows([
      [Number.NaN, 1, 1, 1],
      [1, 1, 1, 1],
    ]),
  );
  expect(bad?.effective).toBeNaN();
});
