/** What the inputs of dense layers are like on data: how large their features are, and which go together. */
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { apply } from "../../graph/op.ts";
import { abs, int64s, matmul, mul, Reshape, reduceMax, reduceSum } from "../../ops/index.ts";
import type { WeightedGraph } from "../graph/weighted-graph.ts";
import { groupsOf, observe, requireFinite, type Samples } from "./calibrate.ts";

/** Of the features x [rows, features] that a value holds along its last axis. */
export interface FeatureSizes {
  /** Sum of |x| by feature. */
  readonly sizes: Float64Array;
  /** Sum of x² by feature. */
  readonly squares: Float64Array;
  /** Largest |x| by feature. */
  readonly largest: Float64Array;
}

const featuresOf = (value: Value): number => value.shape.at(-1) ?? 1;

/** The features as rows, of any batch. */
const rowsOf = (value: Value): Value => apply(Reshape, [value, int64s([-1, featuresOf(value)])]);

function addTo(into: Float64Array, { data }: Tensor): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (data[i] as number);
}

/** The sizes of values' features on data. Throws as calibration does. */
export async function featureSizes(
  traced: WeightedGraph,
  values: readonly Value[],
  samples: Samples,
): Promise<ReadonlyMap<Value, FeatureSizes>> {
  const found = values.map((value): FeatureSizes => {
    const [sizes, squares, largest] = [0, 1, 2].map(() => new Float64Array(featuresOf(value)));
    return { sizes, squares, largest } as FeatureSizes;
  });
  const observed = values.flatMap((value) => {
    const sizes = abs(rowsOf(value));
    return [reduceSum(sizes, [0]), reduceSum(mul(sizes, sizes), [0]), reduceMax(sizes, [0])];
  });
  await observe(traced, observed, samples, (_, tensor, i) => {
    const { sizes, squares, largest } = found[Math.floor(i / 3)] as FeatureSizes;
    if (i % 3 === 0) addTo(sizes, tensor);
    else if (i % 3 === 1) addTo(squares, tensor);
    else for (let c = 0; c < largest.length; c++) largest[c] = Math.max(largest[c] as number, Number(tensor.data[c]));
  });
  for (const { squares } of found) for (const square of squares) requireFinite(square);
  return new Map(values.map((value, i) => [value, found[i] as FeatureSizes]));
}

/** The second moments XᵀX of values' features on data, [features, features] each. Throws as calibration does. */
export async function featureMoments(
  traced: WeightedGraph,
  values: readonly Value[],
  samples: Samples,
): Promise<ReadonlyMap<Value, Float64Array>> {
  const found = new Map(values.map((value) => [value, new Float64Array(featuresOf(value) ** 2)]));
  for (const group of groupsOf(values, (value) => 4 * featuresOf(value) ** 2)) {
    const observed = group.map((value) => matmul(rowsOf(value), rowsOf(value), { transA: true }));
    await observe(traced, observed, samples, (_, tensor, i) =>
      addTo(found.get(group[i] as Value) as Float64Array, tensor),
    );
    for (const value of group) for (const moment of found.get(value) as Float64Array) requireFinite(moment);
  }
  return found;
}
