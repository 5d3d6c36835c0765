/** Statistics, ranks and similarities of a small network's layers as PyTorch and numpy have them (scripts/record-learning-fixtures.py). */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import { activation, batchNorm, crossEntropy, dense, sequential } from "../../nn/index.ts";
import { featureRank } from "./feature-rank.ts";
import { layerSimilarity } from "./layer-similarity.ts";
import { layerStatistics } from "./layer-statistics.ts";

interface Ranks {
  readonly effective: number;
  readonly stable: number;
}
interface Recorded {
  readonly shape: readonly [samples: number, features: number, classes: number];
  readonly x: number[];
  readonly y: number[];
  readonly loss: number;
  readonly parameters: Readonly<Record<string, { readonly shape: number[]; readonly values: number[] }>>;
  readonly statistics: readonly (Readonly<
    Record<"mean" | "deviation" | "zeros" | "dead" | "norm" | "gradient", number>
  > & { readonly path: string })[];
  readonly ranks: readonly Readonly<Record<"centered" | "plain", Ranks>>[];
  readonly similarity: Readonly<Record<"24" | "8", readonly (readonly number[])[]>>;
}
const recorded = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/learning.json", import.meta.url), "utf8"),
) as Recorded;
const [samples, features, classes] = recorded.shape;

const batch = {
  x: tensor(recorded.x, { shape: [samples, features], dtype: "float32" }),
  y: new Tensor("int32", [samples], Int32Array.from(recorded.y)),
};
const model = sequential([dense(10), activation("relu"), dense(6), batchNorm(), activation("relu"), dense(classes)]);
model.trace({ dtype: "float32", shape: [1, features] });
for (const [path, parameter] of model.parameters()) {
  const found = recorded.parameters[path];
  parameter.value = found
    ? tensor(found.values, { shape: found.shape, dtype: "float32" })
    : new Tensor("float32", parameter.shape, new Float32Array(6).fill(path.includes("var") ? 1 : 0));
}

test("statistics of a training step are PyTorch's", async () => {
  const { loss, layers } = await layerStatistics(model, batch, { loss: crossEntropy() });
  expect(loss).toBeCloseTo(recorded.loss, 5);
  expect(layers.map(({ path }) => path)).toEqual(recorded.statistics.map(({ path }) => path));
  for (const [i, { path, weights, ...own }] of layers.entries()) {
    const { norm, gradient, ...outputs } = recorded.statistics[i] as Recorded["statistics"][number];
    for (const name of ["mean", "deviation", "zeros", "dead"] as const)
      expect(own[name], `${path} ${name}`).toBeCloseTo(outputs[name], 5);
    if (!weights) expect(norm).toBe(0);
    else {
      expect(weights.norm, path).toBeCloseTo(norm, 5);
      expect(weights.gradient, path).toBeCloseTo(gradient, 5);
    }
  }
});

test.each(["centered", "plain"] as const)("%s ranks are those of numpy's singular values", async (kind) => {
  const found = await featureRank(model, batch, { centered: kind === "centered" });
  for (const [i, { path, effective, stable }] of found.entries()) {
    const expected = recorded.ranks[i]?.[kind];
    expect(effective, path).toBeCloseTo(expected?.effective ?? 0, 4);
    expect(stable, path).toBeCloseTo(expected?.stable ?? 0, 4);
  }
  expect(found).toHaveLength(recorded.ranks.length);
});

test.each(["24", "8"] as const)("similarities in batches of %s are those of the formula in numpy", async (size) => {
  const { rows, values, samples: count } = await layerSimilarity(model, model, fromTensors(batch).batch(Number(size)));
  const expected = recorded.similarity[size].flat();
  expect([rows.length, count]).toEqual([6, samples]);
  for (const [i, value] of values.entries()) expect(value, String(i)).toBeCloseTo(expected[i] ?? 0, 5);
});
