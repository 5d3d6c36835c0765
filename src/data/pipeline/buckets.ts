/** Batches of sequences of like length, so that little of them is padding. */

import { allocate } from "../../core/dtype.ts";
import { DataError, OptionError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import { count, functionOf, listOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { foldIn, type Key, keyType, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { Dataset, fromIterable } from "./dataset.ts";
import { type Draw, indexedSource } from "./source.ts";

/** Options of `bucketed`, for samples `S` and batches `B`. */
export interface BucketOptions<S, B> {
  /** Samples in a batch; the last batch of an epoch may have fewer. */
  readonly size: number;
  /** Widths that batches may have, rising. A sample goes to the least one that holds it. */
  readonly widths: readonly number[];
  /** Length of a sample, such as the number of its tokens. */
  readonly lengthOf: (sample: S) => number;
  /** A batch of samples that are all to have this width. */
  readonly collate: (samples: readonly S[], width: number) => B;
  /** Draws the order of the samples and of the batches in each epoch; default: as given, short ones first. */
  readonly key?: Key;
}

const checkOptions = optionsOf<BucketOptions<never, unknown>>("bucketed", {
  size: required(count()),
  widths: required(listOf(count(), "rising whole numbers")),
  lengthOf: required(functionOf("(sample) => length")),
  collate: required(functionOf("(samples, width) => batch")),
  key: keyType,
});

/**
 * Batches of samples of like length (Khomenko et al. 2016). What does not fill a batch of its width goes to the next
 * wider one, so that an epoch has few shapes of batches, the same in every epoch. Throws DataError when a sample is longer
 * than the last width.
 * @example
 * bucketed(rows, { size: 32, widths: [8, 16, 32], lengthOf: ({ ids }) => ids.length, collate, key: keyOf(1) })
 */
export function bucketed<S, B>(samples: readonly S[], options: BucketOptions<S, B>): Dataset<B> {
  const { size, widths, lengthOf, collate, key } = checkOptions(options);
  if (widths.some((width, i) => !(width > (widths[i - 1] ?? 0))))
    throw new OptionError(`bucketed: widths are [${widths.join(", ")}]; pass rising whole numbers`);
  const places = samples.map((sample, i) => {
    const place = widths.findIndex((width) => lengthOf(sample) <= width);
    if (place < 0)
      throw new DataError(
        `bucketed: sample ${i} is ${lengthOf(sample)} long, the widest batch has ${widths.at(-1)}; cut it or add a width`,
      );
    return place;
  });
  const { source } = fromIterable(
    function* (epoch) {
      const random = key && new Random(foldIn(key, "buckets", epoch));
      const order = random?.permutation(samples.length) ?? samples.keys();
      const waiting: number[][] = widths.map(() => []);
      for (const index of order) waiting[places[index] ?? 0]?.push(index);
      const batches = packed(waiting, size);
      for (const at of random?.permutation(batches.length) ?? batches.keys()) {
        const { members, place } = batches[at] ?? { members: [], place: 0 };
        yield collate(
          members.map((index) => samples[index] as S),
          widths[place] ?? 0,
        );
      }
    },
    { length: Math.ceil(samples.length / size) },
  );
  // Batches that are drawn are all as wide as the longest sample needs: none shows by its shape which are in it.
  const widest = widths[greatest(places)] ?? 0;
  const drawn = ({ length, rows }: Draw) =>
    indexedSource(length, (index, epoch) =>
      collate(
        Array.from(rows(index, epoch), (place) => samples[place] as S),
        widest,
      ),
    );
  return new Dataset({ ...source, drawable: { samples: samples.length, size, drawn } });
}

interface Packed {
  readonly members: readonly number[];
  /** The bucket whose width they have. */
  readonly place: number;
}

/** Full batches from every bucket; what is left over of one is the beginning of the next. */
function packed(buckets: readonly number[][], size: number): Packed[] {
  const batches: Packed[] = [];
  let rest: Packed = { members: [], place: 0 };
  for (const [place, bucket] of buckets.entries()) {
    if (bucket.length === 0) continue;
    const all = [...rest.members, ...bucket];
    const full = all.length - (all.length % size);
    for (let start = 0; start < full; start += size) batches.push({ members: all.slice(start, start + size), place });
    rest = { members: all.slice(full), place };
  }
  return rest.members.length > 0 ? [...batches, rest] : batches;
}

/** Rows of ids as one tensor int32 [rows, width], padded with `padding` (0) at the end. Throws DataError for a longer row. */
export function padRows(rows: readonly (readonly number[])[], width: number, padding = 0): Tensor<"int32"> {
  const data = allocate("int32", rows.length * width).fill(padding);
  for (const [i, row] of rows.entries()) {
    if (row.length > width)
      throw new DataError(`padRows: row ${i} has ${row.length} ids, the width is ${width}; cut it or widen`);
    data.set(row, i * width);
  }
  return new Tensor("int32", [rows.length, width], data);
}

/**
 * Which ids are tokens, int32 of the same shape: 1 for tokens, 0 for `padding` (default 0). Attention takes it as
 * `mask`.
 */
export const paddingMask = ({ shape, data }: Tensor<"int32">, padding = 0): Tensor<"int32"> =>
  new Tensor(
    "int32",
    shape,
    data.map((id) => (id === padding ? 0 : 1)),
  );
