/** What the ranks of a run do together at each step: each takes its rows of the batch, and sums come back to all. */
import type { Tensor } from "../../core/tensor.ts";
import { type Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { type Communicator, type Exchanges, shareOf } from "../../distributed/communicator.ts";
import { type Exchange, sumAll, sumParts } from "../../distributed/sums.ts";
import { mul } from "../../ops/index.ts";
import type { Bucket } from "../store/buckets.ts";
import type { GradientPart, Gradients } from "../store/gradients.ts";
import { boundsOf, partOf } from "../store/ownership.ts";
import { gradientsName } from "../store/shard.ts";
import type { GradientTransform, Transformed } from "../transforms/transform.ts";
import type { GradientResult } from "./gradient-step.ts";

/** How ranks share batches. */
export interface RanksOptions {
  readonly communicator: Communicator;
  /** Whether batch normalization takes its moments over the rows of all ranks, or of each. */
  readonly normalization: "global" | "local";
  /** Whether each rank updates its part of the parameters, and remembers of no other. */
  readonly sharded: boolean;
  /** In what numbers gradients are exchanged. */
  readonly exchange: Exchange;
  /** In how many buckets, each while others are computed. */
  readonly buckets: number;
}

/** A rank's rows of a batch. */
export interface Share {
  /** Of the whole batch. */
  readonly samples: number;
  /** The first of this rank's rows, and how many. */
  readonly first: number;
  readonly rows: number;
  /** Whether they count: where there are fewer rows than ranks, some compute a row that is another's, and count for nothing. */
  readonly counts: boolean;
}

/** The rows of a batch of so many samples that are a rank's. */
export function shareOfBatch(samples: number, communicator: Communicator | undefined): Share {
  if (!communicator) return { samples, first: 0, rows: samples, counts: true };
  const { start, end } = shareOf(samples, communicator);
  const counts = end > start;
  return { samples, first: counts ? start : 0, rows: counts ? end - start : 1, counts };
}

/** The same batches, of which no rows are read that other ranks train on, where batches are made so that this can be. */
export function withoutRowsOfOthers<B extends Batch>(
  data: Dataset<B>,
  communicator: Communicator | undefined,
): Dataset<B> {
  const { only } = data.source;
  if (!communicator || !only) return data;
  return new Dataset(
    only((samples) => {
      const { first, rows } = shareOfBatch(samples, communicator);
      return (row) => row >= first && row < first + rows;
    }),
  );
}

/** The rows of each tensor that are a share. */
export function rowsOfShare<B extends Batch>(batch: B, { samples, first, rows }: Share): B {
  if (rows === samples) return batch;
  const indices = Array.from({ length: rows }, (_, i) => first + i);
  return Object.fromEntries(Object.entries(batch).map(([name, tensor]) => [name, gatherRows(tensor, indices)])) as B;
}

/**
 * Of what each rank measured of its rows, what one process would have measured of all; and by what the gradient of this rank's loss is to
 * be multiplied, so that the sum over ranks is that of the whole: its weight among all.
 */
export async function measuredTogether(
  communicator: Communicator,
  own: GradientResult,
  { counts, isWeighted }: { readonly counts: boolean; readonly isWeighted: boolean },
): Promise<{ readonly whole: GradientResult; readonly scale: number }> {
  const weight = counts ? own.weight : 0;
  // A mean over nothing is no number, and counts for nothing.
  const sums = Float64Array.of(
    weight === 0 ? 0 : isWeighted ? own.loss : own.loss * weight,
    weight,
    ...own.statistics.flatMap((all) => Array.from(all, (value) => (counts ? value : 0))),
  );
  await communicator.sum(sums);
  const [loss = Number.NaN, total = 0] = sums;
  let next = 2;
  const statistics = own.statistics.map(({ length }) => {
    next += length;
    return Float32Array.from(sums.subarray(next - length, next));
  });
  const mean = isWeighted ? loss : loss / total;
  return { whole: { loss: mean, weight: total, statistics }, scale: isWeighted ? 1 : weight / total };
}

/** Tensors that each rank computed of its rows, in place: their mean over all rows. */
export async function meanTogether(
  communicator: Communicator,
  tensors: readonly Tensor[],
  { rows, samples, counts }: Share,
): Promise<void> {
  if (tensors.length === 0) return;
  const share = counts ? rows / samples : 0;
  const all = Float64Array.from(
    tensors.flatMap(({ data }) => Array.from(data as Float32Array, (value) => (share === 0 ? 0 : value * share))),
  );
  await communicator.sum(all);
  let next = 0;
  for (const { data } of tensors) for (let i = 0; i < data.length; i++) (data as Float32Array)[i] = all[next++] ?? 0;
}

/** Sums gradients over ranks, each multiplied by its scale first; where they share the update out, those of its part for each. */
export const sumOverRanks = ({ communicator, sharded, exchange }: RanksOptions): GradientTransform => ({
  name: "sumOverRanks",
  completes: true,
  bind(shards) {
    const bounds = new Map(shards.map((shard) => [shard, boundsOf(shard, communicator.size)]));
    const loops = shards.map((shard) => ({
      shard,
      scale: shard.loop([gradientsName], 1, ([g], [scale]) => ({ results: [g && scale && mul(g, scale)] })),
    }));
    const part: GradientPart = {
      range: (shard) => partOf(bounds.get(shard) ?? [], communicator.rank),
      sum: (values) => communicator.sum(values),
    };
    /** A bucket of a shard, or all of it. */
    const sum = async (line: Exchanges, { shard, start, end }: Pick<Bucket, "shard" | "start" | "end">) => {
      const vector = shard.vector(gradientsName).subarray(start, end);
      const within = (bounds.get(shard) ?? []).map((bound) => Math.min(end, Math.max(start, bound)) - start);
      if (sharded) await sumParts(line, vector, within, exchange);
      else await sumAll(line, vector, exchange);
    };
    let begun: Promise<void>[] = [];
    const begin = (bucket: Bucket) => {
      const place = begun.length;
      const line = communicator.aside[place % communicator.aside.length] as Exchanges;
      // On a line that is taken, after what is there.
      const before = begun[place - communicator.aside.length];
      const own = before ? before.then(() => sum(line, bucket)) : sum(line, bucket);
      // Reported when it is waited for.
      own.catch(() => undefined);
      begun.push(own);
    };
    const finish = async () => {
      const all = begun;
      begun = [];
      await communicator.finished(Promise.all(all).then(() => undefined));
    };
    const apply = async (gradients: Gradients): Promise<Transformed> => {
      const isBegun = begun.length > 0;
      if (isBegun) await finish();
      for (const { shard, scale } of loops) {
        if (gradients.scale !== 1) await scale(0, shard.length, [gradients.scale]);
        await shard.fetch(gradientsName);
        if (!isBegun) await sum(communicator, { shard, start: 0, end: shard.length });
        shard.written(gradientsName);
      }
      gradients.scale = 1;
      if (sharded) gradients.part = part;
      return "changed";
    };
    return { begin, apply };
  },
});
