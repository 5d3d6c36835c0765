/** How the samples of one dataset are split among clients, to simulate clients whose data differ. */
import { DataError, OptionError } from "../core/errors.ts";
import { count, positive } from "../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import { classesOf, labelsOf } from "../train/few-shot/classifier.ts";

/** The samples of each client, by their numbers in the dataset. Every sample belongs to exactly one client. */
export type Partition = readonly Uint32Array[];

/** Options of `dirichletPartition`. */
export interface DirichletOptions {
  /** How many clients. */
  readonly clients: number;
  /** Concentration of the Dirichlet distribution: near 0 each client has one class, from 100 on all have about the same mix; default 0.5. */
  readonly alpha?: number;
  /** What the draws depend on; default `keyOf(0)`. */
  readonly key?: Key;
}

/** Options of `classPartition`. */
export interface ClassOptions {
  /** How many clients. */
  readonly clients: number;
  /** Classes of each client; default 2. */
  readonly classesPerClient?: number;
  /** What the draws depend on; default `keyOf(0)`. */
  readonly key?: Key;
}

const checkDirichlet = optionsOf<DirichletOptions>("dirichletPartition", {
  clients: required(count()),
  alpha: positive,
  key: keyType,
});
const classTypes: OptionTypes<ClassOptions> = { clients: required(count()), classesPerClient: count(), key: keyType };
const checkClasses = optionsOf<ClassOptions>("classPartition", classTypes);

/** The numbers of the samples of each class, in random order. */
function byClass(where: string, labels: Tensor, parts: string, least: number, key: Key): Map<number, number[]> {
  const numbers = labelsOf(where, labels);
  if (numbers.length < least)
    throw new DataError(
      `${where}: ${numbers.length} samples for ${least} ${parts}, expected at least one for each; take fewer clients`,
    );
  const samples = new Map<number, number[]>(classesOf(numbers).map((label) => [label, []]));
  for (const place of new Random(foldIn(key, "samples")).permutation(numbers.length))
    samples.get(numbers[place] as number)?.push(place);
  return samples;
}

/**
 * The logarithm of a gamma variable of shape `alpha` (Marsaglia and Tsang 2000; below 1 by their boost), which does not underflow where `alpha`
 * is small.
 */
function logGamma(random: Random, alpha: number): number {
  if (alpha < 1) return logGamma(random, alpha + 1) + Math.log(1 - random.uniform()) / alpha;
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}

/**
 * Splits samples as Hsu et al. (2019, "Measuring the Effects of Non-Identical Data Distribution", sec. 3) do: each client draws a mix of
 * classes q ~ Dirichlet(alpha · p), p being the shares of the classes in the data, and as many samples as the others (one more where the number
 * does not divide) by that mix, of what is left. Deterministic for a key. Throws DataError for fewer samples than clients, ShapeError for labels that
 * are not [samples].
 * @param labels the class of each sample, [samples]
 * @example
 * const parts = dirichletPartition(labels, { clients: 100, alpha: 0.3 });
 * const own = train.select(parts[7]);
 */
export function dirichletPartition(labels: Tensor, options: DirichletOptions): Partition {
  const { clients, alpha = 0.5, key = keyOf(0) } = checkDirichlet(options);
  const samples = [...byClass("dirichletPartition", labels, "clients", clients, key).values()];
  const total = samples.reduce((sum, own) => sum + own.length, 0);
  const shares = samples.map((own) => own.length / total);
  return Array.from({ length: clients }, (_, client) => {
    const random = new Random(foldIn(key, "client", client));
    const logs = shares.map((share) => logGamma(random, alpha * share));
    const length = Math.floor(total / clients) + (client < total % clients ? 1 : 0);
    return Uint32Array.from({ length }, () => {
      // Relative to the largest of the classes that are left, so that one of them always has a weight.
      const most = Math.max(...logs.map((log, i) => (samples[i]?.length ? log : Number.NEGATIVE_INFINITY)));
      const weights = logs.map((log, i) => (samples[i]?.length ? Math.exp(log - most) : 0));
      let at = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
      let drawn = weights.findIndex((weight) => weight > 0);
      for (const [i, weight] of weights.entries()) {
        if (weight === 0) continue;
        drawn = i;
        at -= weight;
        if (at < 0) break;
      }
      return samples[drawn]?.pop() as number;
    });
  });
}

/**
 * Splits samples so that each client has a few classes (McMahan et al. 2017, sec. 3): the samples of each class are cut into shards of about equal
 * size, and each client has as many shards, of different classes. Unlike theirs no shard lies across two classes. Deterministic for a key.
 * Throws OptionError for more classes than there are, and for so few shards that a class would have none; DataError for fewer samples than shards.
 * @param labels the class of each sample, [samples]
 * @example
 * const parts = classPartition(labels, { clients: 100, classesPerClient: 2 });
 */
export function classPartition(labels: Tensor, options: ClassOptions): Partition {
  const { clients, classesPerClient = 2, key = keyOf(0) } = checkClasses(options);
  const shards = clients * classesPerClient;
  const samples = [...byClass("classPartition", labels, "shards", shards, key).values()];
  if (classesPerClient > samples.length)
    throw new OptionError(
      `classPartition: classesPerClient is ${classesPerClient}, and the data has ${samples.length} classes; pass at most so many`,
    );
  if (shards < samples.length)
    throw new OptionError(
      `classPartition: ${clients} clients of ${classesPerClient} classes have ${shards} shards for ${samples.length} classes; take more clients, or more classes for each`,
    );
  const counts = shardCounts(
    samples.map((own) => own.length),
    shards,
    clients,
  );
  const random = new Random(foldIn(key, "shards"));
  const own = Array.from({ length: clients }, (): { classes: Set<number>; samples: number[] } => ({
    classes: new Set(),
    samples: [],
  }));
  for (const place of random.permutation(samples.length)) {
    const [all, count] = [samples[place] ?? [], counts[place] ?? 0];
    // Those who lack the most classes come first, so that all have as many in the end; among equals chance decides.
    const order = Array.from(random.permutation(clients))
      .sort((a, b) => (own[a]?.classes.size ?? 0) - (own[b]?.classes.size ?? 0))
      .slice(0, count);
    for (const [i, client] of order.entries()) {
      const shard = all.slice(Math.floor((i * all.length) / count), Math.floor(((i + 1) * all.length) / count));
      own[client]?.classes.add(place);
      own[client]?.samples.push(...shard);
    }
  }
  return own.map((client) => Uint32Array.from(client.samples));
}

/** Shards of each class: one at least, at most one for each client and each sample, and in between by the classes' sizes. */
function shardCounts(sizes: readonly number[], shards: number, clients: number): readonly number[] {
  const counts = sizes.map(() => 1);
  for (let left = shards - sizes.length; left > 0; left--) {
    const shares = sizes.map((size, i) => {
      const count = counts[i] as number;
      return count < Math.min(size, clients) ? size / (count + 1) : 0;
    });
    const place = shares.indexOf(Math.max(...shares));
    counts[place] = (counts[place] as number) + 1;
  }
  return counts;
}
