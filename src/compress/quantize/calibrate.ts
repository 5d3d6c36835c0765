/** Calibration: the ranges of a graph's values on data. */
import { DataError, NonFiniteError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { bytesOf, type Value } from "../../graph/ir.ts";
import { reduceMax, reduceMin } from "../../ops/index.ts";
import { FileSession } from "../graph/file-session.ts";
import { encodeObserved, type WeightedGraph } from "../graph/weighted-graph.ts";
import type { Range } from "./grid.ts";
import { Histogram, type RangeMethod, rangeOf } from "./ranges.ts";

/** The first samples of a dataset's first epoch, a batch at a time, at most so many. Throws DataError where there are none. */
export async function* calibrationBatches(data: Dataset<Batch>, samples: number): AsyncGenerator<Batch> {
  let seen = 0;
  for await (const batch of data.epoch(0)) {
    yield batch;
    seen += Object.values(batch)[0]?.shape[0] ?? 0;
    if (seen >= samples) return;
  }
  if (seen === 0)
    throw new DataError("calibration: the data has no sample; give some like those that the model will see");
}

/** Throws DataError where all samples have one label: the ranges of the other classes would be cut off. */
export async function requireClasses(data: Dataset<Batch>, samples: number): Promise<void> {
  const labels = new Set<number>();
  let count = 0;
  for await (const { y } of calibrationBatches(data, samples)) {
    if (y?.shape.length !== 1 || (y.dtype !== "int32" && y.dtype !== "uint8" && y.dtype !== "int64")) return;
    for (const label of y.data as Int32Array) labels.add(Number(label));
    count += y.data.length;
  }
  if (count > 1 && labels.size === 1)
    throw new DataError(
      `calibration: all ${count} samples are of class ${[...labels][0]}, whose ranges would cut off those of the others; shuffle the data: data.shuffle(keyOf(0))`,
    );
}

/** Visits values of the graph on each batch: of all samples that are data. */
export async function observe(
  traced: WeightedGraph,
  values: readonly Value[],
  data: AsyncIterable<Batch>,
  visit: (value: Value, tensor: Tensor, i: number) => void,
): Promise<void> {
  const session = await FileSession.open(encodeObserved(traced, values), traced);
  try {
    for await (const batch of data)
      for await (const { outputs } of session.runs(batch))
        for (const [i, tensor] of outputs.entries()) visit(values[i] as Value, tensor, i);
  } finally {
    await session.release();
  }
}

/** Bytes of values for a sample that one pass over the data looks at. */
const watched = 2 ** 24;

/** Values in groups, each of which is looked at in one pass. */
function groupsOf(values: readonly Value[]): Value[][] {
  const groups: Value[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const value of values) {
    const own = bytesOf(value) / (value.shape[0] ?? 1);
    if (bytes + own > watched) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(value);
    bytes += own;
  }
  return groups;
}

export interface Calibration {
  readonly data: Dataset<Batch>;
  /** Samples at most, to the end of a batch. */
  readonly samples: number;
  readonly method: RangeMethod;
}

/** The ranges of values on data. Throws DataError without data, NonFiniteError where a value is not finite. */
export async function calibrate(
  traced: WeightedGraph,
  values: readonly Value[],
  { data, samples, method }: Calibration,
): Promise<ReadonlyMap<Value, Range>> {
  await requireClasses(data, samples);
  const ranges = new Map<Value, Range>();
  const ends = values.flatMap((value) => [reduceMin(value), reduceMax(value)]);
  const found = values.map(() => ({ low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY }));
  await observe(traced, ends, calibrationBatches(data, samples), (_, tensor, i) => {
    const end = Number(tensor.data[0]);
    if (!Number.isFinite(end))
      throw new NonFiniteError(
        `calibration: a value of the model is ${end} on this data; look for NaN and infinities in the data and the weights`,
      );
    const own = found[i >> 1] as { low: number; high: number };
    if (i % 2 === 0) own.low = Math.min(own.low, end);
    else own.high = Math.max(own.high, end);
  });
  for (const [i, value] of values.entries()) ranges.set(value, found[i] as Range);
  if (method === "minmax") return ranges;
  for (const group of groupsOf(values)) {
    const histograms = group.map((value) => new Histogram(ranges.get(value) as Range));
    await observe(traced, group, calibrationBatches(data, samples), (_, tensor, i) =>
      histograms[i]?.add(tensor.data as Float32Array),
    );
    for (const [i, value] of group.entries()) ranges.set(value, rangeOf(histograms[i] as Histogram, method));
  }
  return ranges;
}
