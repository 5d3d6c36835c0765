/** Batches: consecutive samples stacked along a new leading axis. */
import { BatchSizeError } from "../../core/errors.ts";
import { flag } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { gatherRecord, rowCount, stackRecords, type TensorRecord } from "./rows.ts";
import {
  type IndexedSource,
  indexedSource,
  isIndexed,
  type Samples,
  type Source,
  unnumbered,
  whyUnnumbered,
} from "./source.ts";

/** Options of `Dataset.batch`. */
export interface BatchOptions {
  /** Whether a last batch with fewer samples is left out; default false. */
  readonly dropLast?: boolean;
}

export const checkBatch = optionsOf<BatchOptions>("batch", { dropLast: flag });

/** Batches of `size` samples; rows of in-memory tensors are copied straight into the batch. */
export function batchSource<T extends TensorRecord<T>>(
  source: Source<T>,
  size: number,
  options: BatchOptions,
): Source<T> {
  const { length } = source;
  const dropLast = options.dropLast ?? false;
  if (length !== undefined && size > length && options.dropLast !== false)
    throw new BatchSizeError(
      `batch(${size}): the dataset has ${length} elements; pass a size of at most ${length}, or { dropLast: false } to ` +
        "take them as one smaller batch",
      size,
      length,
    );
  const count = length === undefined ? undefined : dropLast ? Math.floor(length / size) : Math.ceil(length / size);
  if (isIndexed(source) && count !== undefined)
    return indexedSource(count, (index, epoch) => batchAt(source, index * size, size, epoch), {
      fresh: true,
      samples: samplesOfBatches(source, size),
    });
  return {
    length: count,
    fresh: true,
    samples: whyUnnumbered(source),
    async *epoch(epoch, skip) {
      let waiting: T[] = [];
      let batches = 0;
      for await (const sample of source.epoch(epoch, skip * size)) {
        waiting.push(sample);
        if (waiting.length < size) continue;
        yield stackRecords(waiting);
        waiting = [];
        batches++;
      }
      if (waiting.length > 0 && !dropLast) yield stackRecords(waiting);
      else if (batches === 0 && skip === 0)
        throw new BatchSizeError(
          `batch(${size}): the dataset has only ${waiting.length} elements, which dropLast leaves out; pass a smaller size`,
          size,
          waiting.length,
        );
    },
  };
}

/** Each batch as so many smaller ones, of as many samples as can be; a batch of fewer samples as one of each. */
export function partsSource<T extends TensorRecord<T>>(source: Source<T>, parts: number): Source<T> {
  return {
    length: source.length === undefined ? undefined : source.length * parts,
    fresh: true,
    samples: "batches are computed in parts",
    async *epoch(epoch, skip) {
      let left = skip % parts;
      for await (const batch of source.epoch(epoch, Math.floor(skip / parts))) {
        const rows = rowCount(batch, "inParts()");
        const count = Math.min(parts, rows);
        for (let part = left; part < count; part++)
          yield rowsOf(batch, Math.floor((part * rows) / count), Math.floor(((part + 1) * rows) / count));
        left = 0;
      }
    },
  };
}

/** Rows `start` to `end` of each tensor. */
const rowsOf = <T extends TensorRecord<T>>(batch: T, start: number, end: number): T =>
  gatherRecord(
    batch,
    Array.from({ length: end - start }, (_, i) => start + i),
  );

/** Samples `start` to `start + size`, or to the end of the source. */
function samplesOfBatches({ samples = unnumbered, length }: IndexedSource<unknown>, size: number): Samples | string {
  if (typeof samples === "string") return samples;
  return {
    bound: samples.bound,
    of: (index, epoch) => {
      const count = Math.min(size, length - index * size);
      return Array.from({ length: count }, (_, i) => samples.of(index * size + i, epoch)).flat();
    },
  };
}

function batchAt<T extends TensorRecord<T>>(
  source: IndexedSource<T>,
  start: number,
  size: number,
  epoch: number,
): T | Promise<T> {
  const count = Math.min(size, source.length - start);
  if (source.gather) {
    const indices = new Uint32Array(count);
    for (let i = 0; i < count; i++) indices[i] = start + i;
    return source.gather(indices, epoch);
  }
  const samples = Array.from({ length: count }, (_, i) => source.at(start + i, epoch));
  return samples.some((sample) => sample instanceof Promise)
    ? Promise.all(samples).then(stackRecords<T>)
    : stackRecords(samples as T[]);
}
