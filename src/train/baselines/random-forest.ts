/**
 * Random forests (Breiman 2001): trees of resampled rows, each split among a few features drawn anew, whose votes are averaged. The package
 * ml-random-forest 2.1.0 draws features once a tree instead: on digits (1,077 rows) ten of its trees take 40 s and reach 93.1 %, a hundred
 * of ours 0.3 s and 97.3 %, as scikit-learn's do.
 */
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Rows } from "../few-shot/classifier.ts";
import {
  type Attempt,
  bestOf,
  classOf,
  crossEntropyOf,
  type FittedBaseline,
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
import { meanOf } from "./constant.ts";
import { addTree, growTree, type Tree } from "./histogram-tree.ts";
import { type TableModel, tableModel } from "./table-model.ts";

/** Options of `randomForest`. */
export interface RandomForestOptions {
  /** How many trees; default 100. */
  readonly trees?: number;
  /** Features that are tried at each split; default the root of their number for classes, all of them for numbers. */
  readonly features?: number;
  /** Rows that a leaf has at least; default 1. */
  readonly leastLeaf?: number;
  /** Splits from the root to a leaf at most; default as many as there are. */
  readonly depth?: number;
  /** What rows and features are drawn with; default `keyOf(0)`. */
  readonly key?: Key;
}

const checkOptions = optionsOf<RandomForestOptions>("randomForest", {
  trees: count(),
  features: count(),
  leastLeaf: count(),
  depth: count(),
  key: keyType,
});

/** Trees of one table. */
interface Forest {
  readonly trees: readonly Tree[];
  /** What the mean of the trees is added to. */
  readonly offset: number;
  readonly channels: number;
}

/** Features that are tried at each split where nobody says how many, as scikit-learn has it. */
export const usualFeatures = ({ width, classes }: TableRows): number =>
  classes > 0 ? Math.max(1, Math.floor(Math.sqrt(width))) : width;

/** Grows trees until there are enough, or `isLate` says after at least five that the time is over. */
function growForest(
  rows: TableRows,
  binned: Binned,
  {
    trees: wanted = 100,
    features = usualFeatures(rows),
    leastLeaf = 1,
    depth = Number.POSITIVE_INFINITY,
    key = keyOf(0),
  }: RandomForestOptions,
  isLate: () => boolean = () => false,
): Forest {
  const { count, classes, targets } = rows;
  const offset = classes > 0 ? 0 : meanOf(rows);
  const channel = classes > 0 ? Int32Array.from(targets) : new Int32Array(count);
  const growth = { features, leastLeaf, depth, leaves: Number.POSITIVE_INFINITY, penalty: 0 };
  const trees: Tree[] = [];
  while (trees.length < wanted && (trees.length < 5 || !isLate())) {
    const random = new Random(foldIn(key, trees.length));
    const weights = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const drawn = random.integer(count);
      weights[drawn] = (weights[drawn] as number) + 1;
    }
    const values = classes > 0 ? weights : weights.map((weight, i) => weight * ((targets[i] as number) - offset));
    const order = Int32Array.from(weights.keys()).filter((row) => (weights[row] as number) > 0);
    const own = { channels: Math.max(1, classes), channel, values, weights };
    trees.push(growTree(binned, own, order, growth, random));
  }
  return { trees, offset, channels: Math.max(1, classes) };
}

/** Means of the trees, [rows, channels]: shares of classes, or a number. */
function averages({ trees, offset, channels }: Forest, rows: Rows): Float64Array {
  const sums = new Float64Array(rows.count * channels).fill(offset);
  for (const tree of trees) addTree(tree, rows, { sums, stride: channels, column: 0, scale: 1 / trees.length });
  return sums;
}

/**
 * A random forest (Breiman 2001, "Random Forests") of x [rows, features] and its labels, with splits among at most 255 bins of each
 * feature; otherwise scikit-learn's RandomForestClassifier and RandomForestRegressor with their defaults. Equal keys give equal forests.
 *
 * Its scores are means of the trees' shares of the classes, or the predicted numbers. Throws ShapeError where labels do not fit the rows,
 * DataError for features that are not finite.
 * @example
 * const forest = randomForest(tensor([[0], [1], [5], [6]]), { kind: "classes", y: tensor([0, 0, 1, 1], { dtype: "int32" }), classes: 2 });
 */
export function randomForest(x: Tensor<"float32">, labels: TableLabels, options: RandomForestOptions = {}): TableModel {
  const own = checkOptions(options);
  const rows = tableRows("randomForest", { x, labels });
  const forest = growForest(rows, binRows(rows), own);
  return tableModel("randomForest", rows, (asked) => averages(forest, asked));
}

/** Forests of several widths of the search and sizes of leaves, of which the validation part chooses. */
export const forest: TableBaseline = {
  name: "random forest",
  fit(all, validation, limits): FittedBaseline {
    const { key, seconds } = limits;
    const third = Math.max(1, Math.round(all.width / 3));
    const few = 5;
    const needed = secondsOnAll(all, limits, (own) =>
      growForest(own, binRows(own), { features: third, trees: few, key }),
    );
    const widths = [...new Set([usualFeatures(all), third])];
    const choice = widths.flatMap((features) => [1, 5].map((leastLeaf) => ({ features, leastLeaf })));
    // Where the time is short rows count for more than a choice.
    const isShort = (choice.length * 100 * needed) / few > seconds;
    const candidates = isShort ? [{ features: third, leastLeaf: 1 }] : choice;
    const train = isShort ? rowsWithin(all, limits, (20 * needed) / few) : all;
    const binned = binRows(train);
    const began = performance.now();
    const attempts = candidates.map(({ features, leastLeaf }, i) => {
      const until = began + (1000 * seconds * (i + 1)) / candidates.length;
      const grown = growForest(train, binned, { features, leastLeaf, key }, () => performance.now() > until);
      const found = averages(grown, validation);
      const score = scoreOf(train.classes > 0 ? classOf(found, train.classes) : found, validation);
      const loss = train.classes > 0 ? crossEntropyOf(found, validation) : score;
      return { features, leastLeaf, grown, score, loss } satisfies Attempt & Record<string, unknown>;
    });
    const { features, leastLeaf, grown, score } = bestOf(validation, attempts);
    return {
      settings: `${grown.trees.length} trees, ${features} of ${train.width} features a split, leaves of ${leastLeaf} or more${rowsNote(train, all)}`,
      validation: score,
      refit(more) {
        const own = sameShare(more, train, all, key);
        const anew = growForest(own, binRows(own), { features, leastLeaf, key, trees: grown.trees.length });
        return (rows) => {
          const found = averages(anew, rows);
          return own.classes > 0 ? classOf(found, own.classes) : found;
        };
      },
    };
  },
};
