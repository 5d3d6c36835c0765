/** Calibration: the ranges of a graph's values on data. */
import { DataError, NonFiniteError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { bytesOf, type Value } from "../../graph/ir.ts";
import { mul, reduceMax, reduceMin, reduceSum } from "../../ops/index.ts";
import { FileSession } from "../graph/file-session.ts";
import { encodeObserved, type WeightedGraph } from "../graph/weighted-graph.ts";
import type { Range } from "./grid.ts";
import { Histogram, type RangeMethod, rangeOf } from "./ranges.ts";

/**
 * The first samples of a dataset's first epoch, a batch at a time, at most so many. Throws DataError where there are none, and at their end where all have one label: the
 * ranges of the other classes would be cut off.
 */
async function* calibrationBatches(data: Dataset<Batch>, samples: number): AsyncGenerator<Batch> {
  const labels = new Set<number>();
  let [seen, labelled] = [0, 0];
  for await (const batch of data.epoch(0)) {
    yield batch;
    seen += Object.values(batch)[0]?.shape[0] ?? 0;
    const { y } = batch;
    if (y?.shape.length === 1 && (y.dtype === "int32" || y.dtype === "uint8" || y.dtype === "int64")) {
      for (const label of y.data as Int32Array) labels.add(Number(label));
      labelled += y.data.length;
    }
    if (seen >= samples) break;
  }
  if (seen === 0)
    throw new DataError("calibration: the data has no sample; give some like those that the model will see");
  if (labelled > 1 && labels.size === 1)
    throw new DataError(
      `calibration: all ${labelled} samples are of class ${[...labels][0]}, whose ranges would cut off those of the others; shuffle the data: data.shuffle(keyOf(0))`,
    );
}

/** What calibration looks at. */
export interface Samples {
  readonly data: Dataset<Batch>;
  /** Samples at most, to the end of a batch. */
  readonly samples: number;
}

/** Visits values of the graph on each batch of the samples. Throws DataError as they do. */
export async function observe(
  traced: WeightedGraph,
  values: readonly Value[],
  { data, samples }: Samples,
  visit: (value: Value, tensor: Tensor, i: number) => void,
): Promise<void> {
  const session = await FileSession.open(encodeObserved(traced, values), traced);
  try {
    for await (const batch of calibrationBatches(data, samples))
      for await (const { outputs } of session.runs(batch))
        for (const [i, tensor] of outputs.entries()) visit(values[i] as Value, tensor, i);
  } finally {
    await session.release();
  }
}

/** Throws NonFiniteError for a number of calibration that is none. */
export function requireFinite(found: number): void {
  if (!Number.isFinite(found))
    throw new NonFiniteError(
      `calibration: a value of the model is ${found} on this data; look for NaN and infinities in the data and the weights`,
    );
}

/** Bytes that one pass over the data looks at: of values for a sample, or of what is summed of them. */
const watched = 2 ** 24;

/** Values in groups, each of which is looked at in one pass, by the bytes that each takes. */
export function groupsOf(values: readonly Value[], bytesOfOne: (value: Value) => number): Value[][] {
  const groups: Value[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const value of values) {
    const own = bytesOfOne(value);
    if (bytes + own > watched) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(value);
    bytes += own;
  }
  return groups;
}

/** How ranges are found. */
export interface Calibration extends Samples {
  readonly method: RangeMethod;
}

/** The ranges of values on data. Throws DataError without data or with one class alone, NonFiniteError where a value is not finite. */
export async function calibrate(
  traced: WeightedGraph,
  values: readonly Value[],
  { method, ...samples }: Calibration,
): Promise<ReadonlyMap<Value, Range>> {
  const ranges = new Map<Value, Range>();
  // ONNX Runtime's ReduceMin and ReduceMax pass over NaN, which a sum of products with 0 keeps.
  const ends = values.flatMap((value) => [reduceMin(value), reduceMax(value), reduceSum(mul(value, 0))]);
  const found = values.map(() => ({ low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY }));
  await observe(traced, ends, samples, (_, tensor, i) => {
    const end = Number(tensor.data[0]);
    requireFinite(end);
    const own = found[Math.floor(i / 3)] as { low: number; high: number };
    if (i % 3 === 0) own.low = Math.min(own.low, end);
    else if (i % 3 === 1) own.high = Math.max(own.high, end);
  });
  for (const [i, value] of values.entries()) ranges.set(value, found[i] as Range);
  if (method === "minmax") return ranges;
  for (const group of groupsOf(values, (value) => bytesOf(value) / (value.shape[0] ?? 1))) {
    const histograms = group.map((value) => new Histogram(ranges.get(value) as Range));
    await observe(traced, group, samples, (_, tensor, i) => histograms[i]?.add(tensor.data as Float32Array));
    for (const [i, value] of group.entries()) ranges.set(value, rangeOf(histograms[i] as Histogram, method));
  }
  return ranges;
}
