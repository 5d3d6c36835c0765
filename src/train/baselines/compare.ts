/** The simple baselines of a table beside one another, on one split. */
import { count, listOf, positive, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, keyOf } from "../../core/random.ts";
import { type BaselineResult, joinedRows, scoreOf, type TableParts, tableRows } from "./baseline.ts";
import { boosting } from "./boosted-trees.ts";
import { majority, mean } from "./constant.ts";
import { kNearest } from "./k-nearest.ts";
import { logisticRegression, ridgeRegression } from "./linear.ts";
import { forest } from "./random-forest.ts";

/** Options of `compareTableBaselines`. */
export interface CompareBaselinesOptions {
  /** What rows and features are drawn with; default 0. */
  readonly seed?: number;
  /** How long all of them may take, about; default 60. Larger tables are learned from fewer rows, as the settings of a result say. */
  readonly seconds?: number;
  /** Names of those that are tried, such as "k nearest neighbours"; default all. */
  readonly only?: readonly string[];
}

const checkOptions = optionsOf<CompareBaselinesOptions>("compareTableBaselines", {
  seed: count(0),
  seconds: positive,
  only: listOf(string, "names of baselines"),
});

/**
 * What simple baselines reach on a table: the majority class or the mean, logistic or ridge regression, k nearest neighbours, a random
 * forest, boosted trees. Each is fitted on the training part with several settings; with those that do best on the validation part it is
 * fitted to both, and measured once on the test part. A network that is not better than the best of them has not earned its keep.
 *
 * Equal seeds give equal results where the time is enough for all rows. A baseline whose turn comes after the time is over is left out: its settings say so, and its scores are NaN. Throws ShapeError for
 * parts that do not fit one another, DataError for features that are not finite and for labels that are none.
 * @example
 * const results = await compareTableBaselines({ train, validation, test }, { seconds: 20 });
 * const best = results.toSorted((a, b) => b.validation - a.validation)[0]; // by accuracy
 */
export async function compareTableBaselines(
  parts: TableParts,
  options: CompareBaselinesOptions = {},
): Promise<readonly BaselineResult[]> {
  const { seed = 0, seconds = 60, only } = checkOptions(options);
  const train = tableRows("compareTableBaselines: train", parts.train);
  const validation = tableRows("compareTableBaselines: validation", parts.validation, train);
  const test = tableRows("compareTableBaselines: test", parts.test, train);
  const both = joinedRows(train, validation);
  const isClasses = train.classes > 0;
  const all = isClasses
    ? [majority, logisticRegression, kNearest, forest, boosting]
    : [mean, ridgeRegression, kNearest, forest, boosting];
  const baselines = all.filter(({ name }) => only === undefined || only.includes(name));
  const metric = isClasses ? "accuracy" : "rmse";
  const end = performance.now() + 1000 * seconds;
  const results: BaselineResult[] = [];
  for (const [i, { name, fit }] of baselines.entries()) {
    // Other work of the process gets its turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const began = performance.now();
    const left = (end - began) / 1000;
    if (left <= 0) {
      const settings = `left out: the ${seconds} seconds were over; pass more seconds`;
      results.push({ name, settings, validation: Number.NaN, test: Number.NaN, metric, seconds: 0 });
      continue;
    }
    // For the last fit and the test part a third of the time is kept.
    const limits = {
      key: foldIn(keyOf(seed), name),
      seconds: (0.67 * left) / (baselines.length - i),
      later: test.count,
    };
    const fitted = fit(train, validation, limits);
    results.push({
      name,
      settings: fitted.settings,
      validation: fitted.validation,
      test: scoreOf(fitted.refit(both)(test), test),
      metric,
      seconds: (performance.now() - began) / 1000,
    });
  }
  return results;
}
