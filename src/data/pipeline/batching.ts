/** Batches: consecutive samples stacked along a new leading axis. */

import { allocate } from "../../core/dtype.ts";
import { BatchSizeError } from "../../core/errors.ts";
import { flag } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { size as sizeOf } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { gatherRecord, mapRecord, rowCount, stackRecords, type TensorRecord } from "./rows.ts";
import {
  type IndexedSource,
  indexedSource,
  isIndexed,
  type Samples,
  type Source,
  unnumbered,
  type Wanted,
  whyUnnumbered,
} from "./source.ts";

/** Options of `Dataset.batch`. */
export interface BatchOptions {
  /** Whether a last batch with fewer samples is left out; default false. */
  readonly dropLast?: boolean;
}

export const checkBatch = optionsOf<BatchOptions>("batch", { dropLast: flag });

/** Batches of `size` samples; rows of in-memory tensors are copied straight into the batch. @param wanted the rows to read; default all */
export function batchSource<T extends TensorRecord<T>>(
  source: Source<T>,
  size: number,
  options: BatchOptions,
  wanted?: Wanted,
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
    return indexedSource(
      count,
      (index, epoch) => batchAt(source, places(source, index * size, size), { epoch, wanted }),
      {
        fresh: true,
        samples: samplesOfBatches(source, size),
        drawable: {
          samples: source.length,
          size,
          drawn: (draw) =>
            indexedSource(
              draw.length,
              (index, epoch) => batchAt(source, draw.rows(index, epoch), { epoch, wanted: undefined }),
              { fresh: true },
            ),
        },
        // What lies in memory is there.
        ...(!source.gather && { only: (own) => batchSource(source, size, options, own) }),
      },
    );
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
    ...(source.only && { only: (wanted) => partsSource(source.only?.(wantedOfParts(wanted, parts)) ?? source, parts) }),
    async *epoch(epoch, skip) {
      let left = skip % parts;
      for await (const batch of source.epoch(epoch, Math.floor(skip / parts))) {
        const rows = rowCount(batch, "inParts()");
        for (const { start, end } of rangesOfParts(rows, parts).slice(left)) yield rowsOf(batch, start, end);
        left = 0;
      }
    },
  };
}

/** The rows of a batch that are its parts: as many parts, but no more than rows. */
function rangesOfParts(rows: number, parts: number): readonly { readonly start: number; readonly end: number }[] {
  const count = Math.min(parts, rows);
  return Array.from({ length: count }, (_, part) => ({
    start: Math.floor((part * rows) / count),
    end: Math.floor(((part + 1) * rows) / count),
  }));
}

/** Which rows of whole batches are wanted, where some of each part are. */
const wantedOfParts =
  (wanted: Wanted, parts: number): Wanted =>
  (rows) => {
    const all = rangesOfParts(rows, parts).flatMap(({ start, end }) => {
      const isWanted = wanted(end - start);
      return Array.from({ length: end - start }, (_, row) => isWanted(row));
    });
    return (row) => all[row] ?? false;
  };

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

/** `size` places from one on, up to the end of the source. */
const places = ({ length }: IndexedSource<unknown>, start: number, size: number): Uint32Array =>
  Uint32Array.from({ length: Math.min(size, length - start) }, (_, i) => start + i);

function batchAt<T extends TensorRecord<T>>(
  source: IndexedSource<T>,
  indices: Uint32Array,
  { epoch, wanted }: { readonly epoch: number; readonly wanted: Wanted | undefined },
): T | Promise<T> {
  if (source.gather) return source.gather(indices, epoch);
  const isWanted = wanted?.(indices.length) ?? (() => true);
  const samples = Array.from(indices, (place, i) => (isWanted(i) ? source.at(place, epoch) : undefined));
  return samples.some((sample) => sample instanceof Promise)
    ? Promise.all(samples).then(stackRead<T>)
    : stackRead(samples as (T | undefined)[]);
}

/** Samples as a batch; zeros stand for those that were not read. */
function stackRead<T extends TensorRecord<T>>(samples: readonly (T | undefined)[]): T {
  const first = samples.find((sample) => sample !== undefined) as T;
  if (!samples.includes(undefined)) return stackRecords(samples as readonly T[]);
  const blank = mapRecord(first, ({ dtype, shape }) => new Tensor(dtype, shape, allocate(dtype, sizeOf(shape))));
  return stackRecords(samples.map((sample) => sample ?? blank));
}
