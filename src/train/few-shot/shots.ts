/** Few samples of each class, drawn by a key: shots with what is left, and episodes of some classes. */
import { DataError, OptionError } from "../../core/errors.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import { classesOf, labelsOf } from "./classifier.ts";

/** Some samples of each class, and all others. */
export interface Shots {
  /** Indices of the samples drawn, class by class. */
  readonly support: Uint32Array;
  /** Indices of all others, ascending. */
  readonly rest: Uint32Array;
}

/** The indices of each class's samples, in the order of a key. */
function drawn(where: string, labels: Tensor, key: Key): ReadonlyMap<number, readonly number[]> {
  const numbers = labelsOf(where, labels);
  return new Map(
    classesOf(numbers).map((label) => {
      const own = numbers.flatMap((other, i) => (other === label ? [i] : []));
      const order = new Random(foldIn(key, label)).permutation(own.length);
      return [label, Array.from(order, (i) => own[i] as number)];
    }),
  );
}

/**
 * Draws `shots` samples of each class by a key. The samples of fewer shots are among those of more, for one key, so that a curve over 1, 2,
 * 4 … shots adds samples. Throws ShapeError for labels that are not [samples], DataError for a class that has fewer samples.
 * @param shots samples of each class, from 1
 * @example
 * const { support, rest } = sampleShots(labels, 4, keyOf(1));
 * const byMeans = prototypes(gatherRows(features, support), gatherRows(labels, support));
 * byMeans.accuracy(gatherRows(features, rest), gatherRows(labels, rest));
 */
export function sampleShots(labels: Tensor, shots: number, key: Key): Shots {
  if (!Number.isSafeInteger(shots) || shots < 1)
    throw new OptionError(`sampleShots: shots is ${shots}; pass a whole number from 1`);
  const classes = drawn("sampleShots", labels, key);
  for (const [label, own] of classes)
    if (own.length < shots)
      throw new DataError(
        `sampleShots: class ${label} has ${own.length} of ${shots} samples; draw fewer, or leave it out`,
      );
  const support = Uint32Array.from([...classes.values()].flatMap((own) => own.slice(0, shots)));
  const isDrawn = new Set(support);
  const rest = Uint32Array.from({ length: labels.data.length }, (_, i) => i).filter((i) => !isDrawn.has(i));
  return { support, rest };
}

/** Options of `episodes`. */
export interface EpisodesOptions {
  /** How many episodes; default 600, as in the papers. */
  readonly count?: number;
  /** Classes of each; default 5. */
  readonly ways?: number;
  /** Samples of each class to learn from; default 1. */
  readonly shots?: number;
  /** Samples of each class to be measured on; default 15. */
  readonly queries?: number;
  /** What the draws depend on; default `keyOf(0)`. */
  readonly key?: Key;
}

const checkOptions = optionsOf<EpisodesOptions>("episodes", {
  count: count(),
  ways: count(2),
  shots: count(),
  queries: count(),
  key: keyType,
});

/** A small task of its own. */
export interface Episode {
  /** The labels of its classes, ascending. */
  readonly classes: readonly number[];
  /** Indices of the samples to learn from, class by class. */
  readonly support: Uint32Array;
  /** Indices of the samples to be measured on, class by class; none of them is in the support. */
  readonly query: Uint32Array;
}

/**
 * Draws episodes (Vinyals et al. 2016, "Matching Networks for One Shot Learning"; Snell et al. 2017, algorithm 1): some classes each, and of
 * each class some samples to learn from and others to be measured on. Deterministic for a key. Throws DataError where there are too few
 * classes with enough samples.
 * @example
 * const accuracies = episodes(labels, { ways: 5, shots: 1 }).map(({ support, query }) =>
 *   prototypes(gatherRows(features, support), gatherRows(labels, support)).accuracy(
 *     gatherRows(features, query), gatherRows(labels, query)));
 */
export function episodes(labels: Tensor, options: EpisodesOptions = {}): readonly Episode[] {
  const { count = 600, ways = 5, shots = 1, queries = 15, key = keyOf(0) } = checkOptions(options);
  const all = [...drawn("episodes", labels, key)].filter(([, own]) => own.length >= shots + queries);
  if (all.length < ways)
    throw new DataError(
      `episodes: ${all.length} classes have ${shots + queries} samples, for ${shots} shots and ${queries} queries; draw ${ways} ways of fewer samples, or fewer ways`,
    );
  return Array.from({ length: count }, (_, index) => {
    const random = new Random(foldIn(key, "episode", index));
    const chosen = Array.from(random.permutation(all.length).subarray(0, ways), (i) => all[i] as (typeof all)[number]);
    chosen.sort(([a], [b]) => a - b);
    const samples = chosen.map(([, own]) => {
      const order = random.permutation(own.length).subarray(0, shots + queries);
      return Array.from(order, (i) => own[i] as number);
    });
    return {
      classes: chosen.map(([label]) => label),
      support: Uint32Array.from(samples.flatMap((own) => own.slice(0, shots))),
      query: Uint32Array.from(samples.flatMap((own) => own.slice(shots))),
    };
  });
}
