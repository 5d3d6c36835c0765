/** What the inputs of dense layers are like on data: their second moments, and how large they are. */
import type { Tensor } from "../../../core/tensor.ts";
import type { Batch, Dataset } from "../../../data/pipeline/dataset.ts";
import type { Value } from "../../../graph/ir.ts";
import { apply } from "../../../graph/op.ts";
import { abs, int64s, matmul, Reshape, reduceMax, reduceSum } from "../../../ops/index.ts";
import type { WeightedGraph } from "../../graph/weighted-graph.ts";
import { calibrationBatches, observe } from "../calibrate.ts";

/** Of the features x [rows, features] that a value holds along its last axis. */
export interface FeatureStatistics {
  /** XᵀX, [features, features]. */
  readonly moments: Float64Array;
  /** Sum of |x| by feature. */
  readonly sizes: Float64Array;
  /** Largest |x| by feature. */
  readonly largest: Float64Array;
}

/** The statistics of values over the first samples of a dataset. Throws DataError without samples. */
export async function featureStatistics(
  traced: WeightedGraph,
  values: readonly Value[],
  data: Dataset<Batch>,
  samples: number,
): Promise<ReadonlyMap<Value, FeatureStatistics>> {
  const found = new Map<Value, FeatureStatistics>();
  const observed = values.flatMap((value) => {
    const features = value.shape.at(-1) ?? 1;
    found.set(value, {
      moments: new Float64Array(features * features),
      sizes: new Float64Array(features),
      largest: new Float64Array(features),
    });
    // Of any batch.
    const rows = apply(Reshape, [value, int64s([-1, features])]);
    const sizes = abs(rows);
    return [matmul(rows, rows, { transA: true }), reduceSum(sizes, [0]), reduceMax(sizes, [0])];
  });
  const add = (into: Float64Array, { data: own }: Tensor) => {
    for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (own[i] as number);
  };
  await observe(traced, observed, calibrationBatches(data, samples), (_, tensor, i) => {
    const own = found.get(values[Math.floor(i / 3)] as Value);
    if (!own) return;
    if (i % 3 === 0) add(own.moments, tensor);
    else if (i % 3 === 1) add(own.sizes, tensor);
    else
      for (let c = 0; c < own.largest.length; c++)
        own.largest[c] = Math.max(own.largest[c] as number, tensor.data[c] as number);
  });
  return found;
}
