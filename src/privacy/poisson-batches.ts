/** Batches of a fixed shape into which every sample comes by itself with the same probability, as privacy by sampling asks for. */
import { OptionError } from "../core/errors.ts";
import { foldIn, type Key, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { type Batch, Dataset } from "../data/pipeline/dataset.ts";
import type { Drawable, Source } from "../data/pipeline/source.ts";
import { weightName } from "../train/engine/objective.ts";

/** How samples are drawn. */
export interface PoissonSampling {
  /** Probability that a sample is in an update. */
  readonly sampleRate: number;
  /** Samples that an update has room for; those that are drawn beyond are left out. */
  readonly capacity: number;
  /** Updates of an epoch. */
  readonly updates: number;
  /** Batches in which the samples of an update come, of `rows` each. */
  readonly parts: number;
  /** Rows of a batch: samples, then padding. */
  readonly rows: number;
  /** Draws the samples. */
  readonly key: Key;
}

/** The logarithm of a bound on the probability of more than `most` of n samples, each drawn with probability q (Chernoff, by relative entropy). */
export function logTail(n: number, q: number, most: number): number {
  const share = (most + 1) / n;
  if (share >= 1) return most + 1 > n ? Number.NEGATIVE_INFINITY : n * Math.log(q);
  if (share <= q) return 0;
  return -n * (share * Math.log(share / q) + (1 - share) * Math.log((1 - share) / (1 - q)));
}

/** The least room for the samples of an update with which a whole training draws more with at most this probability. */
export function capacityFor(n: number, sampleRate: number, steps: number, probability: number): number {
  let [low, high] = [Math.floor(n * sampleRate), n];
  const isEnough = (most: number) => Math.log(steps) + logTail(n, sampleRate, most) <= Math.log(probability);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isEnough(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}

/** The places of the samples of an update: each by itself with probability q; of more than there is room for, some at random. */
export function drawnPlaces(
  random: Random,
  n: number,
  { sampleRate, capacity }: Pick<PoissonSampling, "sampleRate" | "capacity">,
): Uint32Array {
  const places: number[] = [];
  const log = Math.log1p(-sampleRate);
  // Gaps between samples are geometric.
  for (let place = -1; ; ) {
    place += sampleRate >= 1 ? 1 : 1 + Math.floor(Math.log1p(-random.uniform()) / log);
    if (!(place < n)) break;
    places.push(place);
  }
  if (places.length <= capacity) return Uint32Array.from(places);
  return random
    .permutation(places.length)
    .subarray(0, capacity)
    .map((i) => places[i] as number);
}

/**
 * Batches as those of a dataset, of samples drawn so (Poisson sampling). Rows behind them are padding: a sample again, of the weight 0. Batches of an update
 * follow one another; the same key draws the same.
 */
export function poissonBatches<B extends Batch>(
  { samples, drawn }: Drawable<B>,
  sampling: PoissonSampling,
): Dataset<B> {
  const { updates, parts, rows, key } = sampling;
  const ofUpdate = latest((update, epoch) =>
    drawnPlaces(new Random(foldIn(key, "poisson", epoch, update)), samples, sampling),
  );
  const placesOf = (index: number, epoch: number) => {
    const part = index % parts;
    return ofUpdate(Math.floor(index / parts), epoch).subarray(part * rows, (part + 1) * rows);
  };
  const length = updates * parts;
  const source = drawn({
    length,
    rows: (index, epoch) => {
      const places = placesOf(index, epoch);
      return Uint32Array.from({ length: rows }, (_, i) => places[i] ?? 0);
    },
  });
  return new Dataset<B>(withWeights(source, (index, epoch) => placesOf(index, epoch).length, rows));
}

/** The latest update: each is asked for by all of its parts. */
function latest<R>(compute: (update: number, epoch: number) => R): (update: number, epoch: number) => R {
  let known: { readonly update: number; readonly epoch: number; readonly result: R } | undefined;
  return (update, epoch) => {
    if (known?.update !== update || known.epoch !== epoch) known = { update, epoch, result: compute(update, epoch) };
    return known.result;
  };
}

/** Batches with the weights of their rows: 0 of padding, else that which they have, or 1. */
function withWeights<B extends Batch>(
  source: Source<B>,
  countOf: (index: number, epoch: number) => number,
  rows: number,
): Source<B> {
  return {
    length: source.length,
    samples: "each batch is drawn anew",
    async *epoch(epoch, skip) {
      let index = skip;
      for await (const batch of source.epoch(epoch, skip)) {
        const count = countOf(index++, epoch);
        const { [weightName]: given } = batch;
        const weights = Float32Array.from({ length: rows }, (_, row) =>
          row < count ? Number(given?.data[row] ?? 1) : 0,
        );
        for (const [row, weight] of weights.entries())
          if (!(weight >= 0 && weight <= 1))
            throw new OptionError(
              `row ${row} of a batch has the weight ${weight}; weights of samples are from 0 to 1 under privacy, where a sample counts once at most`,
            );
        yield { ...batch, [weightName]: new Tensor("float32", [rows], weights) };
      }
    },
  };
}
