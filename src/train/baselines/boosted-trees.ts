/** Gradient-boosted trees on histograms (Friedman 2001; Ke et al. 2017): each tree fits what those before leave over. */
import { count, nonNegative, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { keyOf, Random } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Rows } from "../few-shot/classifier.ts";
import {
  type Attempt,
  bestOf,
  classOf,
  crossEntropyOf,
  rowsNote,
  rowsWithin,
  sameShare,
  scoreOf,
  secondsOnAll,
  type TableBaseline,
  type TableLabels,
  type TableRows,
  tableRows,
} from "./baseline.ts";
import { type Binned, binRows } from "./binned.ts";
import { classCounts, meanOf } from "./constant.ts";
import { addTree, growTree, type Tree } from "./histogram-tree.ts";
import { type TableModel, tableModel } from "./table-model.ts";

/** Options of `boostedTrees`. */
export interface BoostedTreesOptions {
  /** How many trees in turn, of classes one for each; default 100. */
  readonly rounds?: number;
  /** What a tree's answer is multiplied by; default 0.1. */
  readonly learningRate?: number;
  /** Leaves of a tree at most; default 31. */
  readonly leaves?: number;
  /** Rows that a leaf has at least; default 20. */
  readonly leastLeaf?: number;
  /** λ of the penalty on a leaf's answer; default 0. */
  readonly penalty?: number;
}

const checkOptions = optionsOf<BoostedTreesOptions>("boostedTrees", {
  rounds: count(),
  learningRate: positive,
  leaves: count(2),
  leastLeaf: count(),
  penalty: nonNegative,
});

/** Trees by round, one for each column of the scores. */
interface Boosted {
  readonly start: Float64Array;
  readonly rounds: readonly (readonly Tree[])[];
  readonly learningRate: number;
}

/** The least curvature: that of a class which is certain is rounded to 0. */
const leastCurvature = 1e-12;

/** Turns scores [rows, columns] into probabilities [rows, classes]: two classes share one score, the log of their odds. */
function probabilities(scores: Float64Array, { classes }: TableRows): Float64Array {
  if (classes === 2) {
    const found = new Float64Array(2 * scores.length);
    for (const [i, score] of scores.entries()) {
      found[2 * i + 1] = 1 / (1 + Math.exp(-score));
      found[2 * i] = 1 - (found[2 * i + 1] as number);
    }
    return found;
  }
  const found = scores.slice();
  for (let from = 0; from < found.length; from += classes) {
    const row = found.subarray(from, from + classes);
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += row[c] = Math.exp((row[c] as number) - most);
    for (let c = 0; c < classes; c++) row[c] = (row[c] as number) / sum;
  }
  return found;
}

/** Scores before any tree: the mean, the log of the odds, or the logs of the classes' shares. */
function startOf(rows: TableRows): Float64Array {
  if (rows.classes === 0) return Float64Array.of(meanOf(rows));
  const logs = classCounts(rows).map((count) => Math.log(Math.max(count, 1e-6) / rows.count));
  return rows.classes === 2 ? Float64Array.of((logs[1] as number) - (logs[0] as number)) : logs;
}

/** Grows rounds of trees; after each `goesOn` sees what has grown. */
function boost(
  rows: TableRows,
  binned: Binned,
  { rounds: wanted = 100, learningRate = 0.1, leaves = 31, leastLeaf = 20, penalty = 0 }: BoostedTreesOptions,
  goesOn: (latest: readonly Tree[], all: Boosted) => boolean = () => true,
): Boosted {
  const { count, classes, targets, width } = rows;
  const start = startOf(rows);
  const columns = start.length;
  const scores = new Float64Array(count * columns);
  for (let i = 0; i < scores.length; i++) scores[i] = start[i % columns] as number;
  const growth = { features: width, leastLeaf, depth: Number.POSITIVE_INFINITY, leaves, penalty };
  const random = new Random(keyOf(0)); // All features are tried: nothing is drawn.
  const channel = new Int32Array(count);
  const rounds: (readonly Tree[])[] = [];
  const all = { start, rounds, learningRate };
  while (rounds.length < wanted) {
    const shares = classes > 0 ? probabilities(scores, rows) : scores;
    const trees = Array.from({ length: columns }, (_, column) => {
      const label = classes === 2 ? 1 : column;
      const [values, weights] = [new Float64Array(count), new Float64Array(count)];
      for (let i = 0; i < count; i++) {
        if (classes === 0) {
          values[i] = (targets[i] as number) - (scores[i] as number);
          weights[i] = 1;
        } else {
          // -d/dscore = [y = label] - p, and the curvature p (1 - p)
          const p = shares[i * classes + label] as number;
          values[i] = Number(targets[i] === label) - p;
          weights[i] = Math.max(leastCurvature, p * (1 - p));
        }
      }
      const order = Int32Array.from({ length: count }, (_, i) => i);
      return growTree(binned, { channels: 1, channel, values, weights }, order, growth, random);
    });
    for (const [column, tree] of trees.entries())
      addTree(tree, rows, { sums: scores, stride: columns, column, scale: learningRate });
    rounds.push(trees);
    if (!goesOn(trees, all)) break;
  }
  return all;
}

/** Probabilities [rows, classes], or numbers [rows, 1]. */
function predictedBy({ start, rounds, learningRate }: Boosted, train: TableRows, rows: Rows) {
  const columns = start.length;
  const scores = new Float64Array(rows.count * columns);
  for (let i = 0; i < scores.length; i++) scores[i] = start[i % columns] as number;
  for (const trees of rounds)
    for (const [column, tree] of trees.entries())
      addTree(tree, rows, { sums: scores, stride: columns, column, scale: learningRate });
  return train.classes > 0 ? probabilities(scores, train) : scores;
}

/**
 * Gradient-boosted trees of x [rows, features] and its labels: squared error of numbers, cross-entropy of classes, Newton steps in the
 * leaves, the best split of all next (Friedman 2001, "Greedy Function Approximation"; Ke et al. 2017, "LightGBM"). With the same
 * settings it is scikit-learn's HistGradientBoostingClassifier and HistGradientBoostingRegressor without early stopping. Deterministic.
 *
 * Throws ShapeError where labels do not fit the rows, DataError for features that are not finite.
 * @example
 * const model = boostedTrees(x, { kind: "numbers", y }, { rounds: 50, leaves: 15 });
 */
export function boostedTrees(x: Tensor<"float32">, labels: TableLabels, options: BoostedTreesOptions = {}): TableModel {
  const own = checkOptions(options);
  const rows = tableRows("boostedTrees", { x, labels });
  const boosted = boost(rows, binRows(rows), own);
  return tableModel("boostedTrees", rows, (asked) => predictedBy(boosted, rows, asked));
}

/** Rounds at most, and how many without a lower loss of the validation part end them. */
const [mostRounds, patience] = [400, 25] as const;

/** Boosted trees of several sizes, with as many rounds as lower the loss of the validation part. */
export const boosting: TableBaseline = {
  name: "boosted trees",
  fit(all, validation, limits) {
    const few = 3;
    const needed = secondsOnAll(all, limits, (own) => boost(own, binRows(own), { rounds: few }));
    // Where the time is short rows count for more than a choice.
    const isShort = (2 * 100 * needed) / few > limits.seconds;
    const sizes = isShort ? [31] : [31, 7];
    const train = isShort ? rowsWithin(all, limits, (50 * needed) / few) : all;
    const binned = binRows(train);
    const leastLeaf = Math.max(1, Math.min(20, Math.floor(train.count / 40)));
    const began = performance.now();
    const attempts = sizes.map((leaves, i) => {
      const until = began + (1000 * limits.seconds * (i + 1)) / sizes.length;
      const best = { rounds: 0, loss: Number.POSITIVE_INFINITY, score: Number.NaN };
      let scores: Float64Array | undefined;
      boost(train, binned, { rounds: mostRounds, leaves, leastLeaf }, (latest, { start, rounds, learningRate }) => {
        const stride = start.length;
        scores ??= Float64Array.from({ length: validation.count * stride }, (_, i) => start[i % stride] as number);
        for (const [column, tree] of latest.entries())
          addTree(tree, validation, { sums: scores, stride, column, scale: learningRate });
        const found = train.classes > 0 ? probabilities(scores, train) : scores;
        const score = scoreOf(train.classes > 0 ? classOf(found, train.classes) : found, validation);
        const loss = train.classes > 0 ? crossEntropyOf(found, validation) : score;
        if (loss < best.loss) Object.assign(best, { rounds: rounds.length, loss, score });
        return rounds.length < best.rounds + patience && performance.now() < until;
      });
      return { ...best, leaves } satisfies Attempt & Record<string, unknown>;
    });
    const { leaves, rounds, score } = bestOf(validation, attempts);
    return {
      settings: `${rounds} rounds of trees of ${leaves} leaves${rowsNote(train, all)}`,
      validation: score,
      refit(more) {
        const own = sameShare(more, train, all, limits.key);
        const model = boost(own, binRows(own), { rounds, leaves, leastLeaf });
        return (rows) => {
          const found = predictedBy(model, own, rows);
          return own.classes > 0 ? classOf(found, own.classes) : found;
        };
      },
    };
  },
};
