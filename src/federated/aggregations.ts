/** How the updates of a round become one: by their mean, or by rules that a few lying clients cannot move far. */
import { OptionError } from "../core/errors.ts";
import { plural } from "../core/number-text.ts";

/** The update of a client: a vector, and how much it counts for in a mean. */
export interface Contribution {
  /** What the client's training changed. */
  readonly values: Float32Array;
  /** Samples of the client; 1 where all count alike. */
  readonly weight: number;
}

/** A rule by which updates become one. Make one with `mean` or another. */
export interface Aggregation {
  /** For records and messages. */
  readonly name: string;
  /** Numbers that define it. */
  readonly settings: Readonly<Record<string, number>>;
  /** Whether it is a plain mean, which is what sums of SCAFFOLD's control variates and of masked updates need. */
  readonly isMean: boolean;
  /** Whether the coordinator learns the sum of the updates alone; default it sees each. */
  readonly isSecure?: boolean;
  /** The fewest updates that it takes. */
  readonly least: number;
  /** @param updates of at least `least` clients, in the order of their names */
  combine(updates: readonly Contribution[]): Float32Array;
}

/** Weighted by samples (McMahan et al. 2017, algorithm 1). Summed in float64, in the order of the clients' names, so that the order of arrival changes no bit. */
export const mean = (): Aggregation => ({ name: "mean", settings: {}, isMean: true, least: 1, combine: weightedMean });

/**
 * The mean as `mean` has it, of which the coordinator learns the sum alone: clients mask their updates so that the masks cancel (secure aggregation, Bonawitz et al.
 * 2017). A round takes 3 to 255 clients, of whom a third may vanish in it. Values are rounded to 2^-24 before they are added up.
 */
export const secureMean = (): Aggregation => ({ ...mean(), name: "secureMean", isSecure: true });

function weightedMean(updates: readonly Contribution[]): Float32Array {
  const total = updates.reduce((sum, { weight }) => sum + weight, 0);
  const sums = new Float64Array(updates[0]?.values.length ?? 0);
  for (const { values, weight } of updates) {
    const share = weight / total;
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + share * (values[i] as number);
  }
  return Float32Array.from(sums);
}

/** For each element, what a rule makes of its ascending values at all clients. */
function byElement(updates: readonly Contribution[], rule: (sorted: Float64Array) => number): Float32Array {
  const sorted = new Float64Array(updates.length);
  return Float32Array.from({ length: updates[0]?.values.length ?? 0 }, (_, i) => {
    for (const [client, { values }] of updates.entries()) sorted[client] = values[i] as number;
    return rule(sorted.sort());
  });
}

/** The median of each element (Yin et al. 2018, algorithm 1, option I); samples do not count. Right while fewer than half of the clients lie. */
export const median = (): Aggregation => ({
  name: "median",
  settings: {},
  isMean: false,
  least: 1,
  combine: (updates) =>
    byElement(updates, (sorted) => {
      const middle = Math.floor(sorted.length / 2);
      const upper = sorted[middle] as number;
      return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
    }),
});

/**
 * The mean of each element without its largest and smallest values (Yin et al. 2018, algorithm 1, option II); samples do not count. Right while at
 * most this share of the clients lies. Throws OptionError unless the share is from 0 to below 0.5.
 * @param share of the clients that is left out at each end; default 0.1
 */
export function trimmedMean(share = 0.1): Aggregation {
  if (!(share >= 0 && share < 0.5))
    throw new OptionError(`trimmedMean: the share is ${share}; pass a number from 0 to below 0.5`);
  return {
    name: "trimmedMean",
    settings: { share },
    isMean: false,
    least: 1,
    combine: (updates) => {
      // Rounded up: a share that is to be left out is. 7/25 of 25 is a little more than 7 in floats, and no eighth goes for that.
      const cut = Math.min(Math.ceil(share * updates.length - 1e-9), Math.floor((updates.length - 1) / 2));
      return byElement(updates, (sorted) => {
        let sum = 0;
        for (let i = cut; i < sorted.length - cut; i++) sum += sorted[i] as number;
        return sum / (sorted.length - 2 * cut);
      });
    },
  };
}

/**
 * The mean of the `kept` updates that lie nearest to others (Blanchard et al. 2017, sec. 4: each is scored by its squared distances to the nearest n - liars
 * - 2 others); samples do not count. Throws OptionError for counts that are not whole numbers.
 * @param liars how many clients of a round may lie; the round needs 2 · liars + 3 updates
 * @param kept how many are averaged; a round of fewer than `kept` + `liars` + 2 updates averages as many as that leaves
 */
export function multiKrum(liars: number, kept: number): Aggregation {
  if (!Number.isInteger(liars) || liars < 0 || !Number.isInteger(kept) || kept < 1)
    throw new OptionError(`krum: liars is ${liars} and kept is ${kept}; pass whole numbers from 0 and from 1`);
  return {
    name: kept === 1 ? "krum" : "multiKrum",
    settings: { liars, kept },
    isMean: false,
    least: 2 * liars + 3,
    combine: (updates) => {
      const neighbours = updates.length - liars - 2;
      const scores = updates.map(({ values }) => {
        const distances = updates.map(({ values: other }) => squaredDistance(values, other)).sort((a, b) => a - b);
        // The first is its own, 0.
        return distances.slice(1, 1 + neighbours).reduce((sum, distance) => sum + distance, 0);
      });
      const order = scores.map((_, i) => i).sort((a, b) => (scores[a] as number) - (scores[b] as number) || a - b);
      const best = new Set(order.slice(0, Math.min(kept, neighbours)));
      return weightedMean(updates.filter((_, i) => best.has(i)).map(({ values }) => ({ values, weight: 1 })));
    },
  };
}

/** The one update that lies nearest to others (Blanchard et al. 2017); see `multiKrum`. */
export const krum = (liars: number): Aggregation => multiKrum(liars, 1);

/** Aggregations by name. */
const rules = {
  mean: { make: mean, readsLiars: false },
  secureMean: { make: secureMean, readsLiars: false },
  median: { make: median, readsLiars: false },
  trimmedMean: { make: (liars: number, clients: number) => trimmedMean(liars / clients), readsLiars: true },
  multiKrum: { make: (liars: number, clients: number) => multiKrum(liars, clients), readsLiars: true },
} as const;
export type AggregationName = keyof typeof rules;
export const aggregationNames = Object.keys(rules) as readonly AggregationName[];

/**
 * An aggregation by name, as commands have it. Throws OptionError where `trimmedMean` or `multiKrum` is not told how many clients of a round may lie, and where another is.
 * @param liars how many clients of a round may lie
 * @param clients how many a round has
 */
export function aggregationOf(name: AggregationName, liars: number | undefined, clients: number): Aggregation {
  const { make, readsLiars } = rules[name];
  if (readsLiars !== (liars !== undefined))
    throw new OptionError(
      readsLiars
        ? `${name} needs to know how many of ${plural(clients, "client")} of a round may lie; pass liars`
        : `${name} reads no liars; leave them out, or take trimmedMean or multiKrum`,
    );
  if (liars !== undefined && 2 * liars >= clients)
    throw new OptionError(
      `${name}: liars is ${liars}, and a round has ${plural(clients, "client")}; fewer than half can lie`,
    );
  return make(liars ?? 0, clients);
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return sum;
}
