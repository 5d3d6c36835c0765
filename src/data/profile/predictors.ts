/** What each column alone says of the target: a rule made of one half of the sample, measured on the other. */
import { keyOf, Random } from "../../core/random.ts";
import type { EncodedColumn } from "./encoded-column.ts";
import type { Predictor } from "./profile.ts";

/** Bins of numbers, by their quantiles. */
const mostBins = 64;
/** Rows that a judgement needs. */
const fewestRows = 20;
/** So good a prediction by one column is more than data usually holds. */
const [leakingAccuracy, leakingFit] = [0.98, 0.98];

/** Both halves of the rows, in an order of chance. */
function halves(rows: readonly number[]): readonly [readonly number[], readonly number[]] {
  const order = Array.from(new Random(keyOf(2)).permutation(rows.length), (i) => rows[i] as number);
  return [order.slice(0, order.length >> 1), order.slice(order.length >> 1)];
}

/** The group that each row is in: by the code, or by the quantile of the number; a missing value is a group of its own. */
function groupsOf(column: EncodedColumn, train: readonly number[]): (row: number) => number {
  const { codes, numbers } = column;
  if (codes) return (row) => (codes[row] as number) + 1;
  if (!numbers) return () => 0;
  const sorted = Float64Array.from(train, (row) => numbers[row] as number)
    .filter((value) => !Number.isNaN(value))
    .sort();
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  const from = distinct.length <= mostBins ? distinct : sorted;
  const bins = Math.min(mostBins, from.length);
  // Edges lie between values, so that a value that is only in the other half falls to its neighbour.
  const edges = Array.from({ length: Math.max(0, bins - 1) }, (_, i) => {
    const at = Math.floor(((i + 1) * from.length) / bins);
    return ((from[at - 1] as number) + (from[at] as number)) / 2;
  });
  return (row) => {
    const value = numbers[row] as number;
    if (Number.isNaN(value)) return 0;
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((edges[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

/** The most frequent class of each group, and of all. */
function majority(rows: readonly number[], groupOf: (row: number) => number, classes: Int32Array, levels: number) {
  const tables = new Map<number, Int32Array>();
  for (const row of rows) {
    const group = groupOf(row);
    const table = tables.get(group) ?? new Int32Array(levels);
    tables.set(group, table);
    table[classes[row] as number] = (table[classes[row] as number] as number) + 1;
  }
  return new Map(
    Array.from(tables, ([group, table]) => [group, table.indexOf(table.reduce((a, b) => Math.max(a, b), 0))]),
  );
}

function predictClass(column: EncodedColumn, classes: Int32Array, levels: number, rows: readonly number[]): Predictor {
  const [train, test] = halves(rows);
  const overall = majority(train, () => 0, classes, levels).get(0);
  const groupOf = groupsOf(column, train);
  const rule = majority(train, groupOf, classes, levels);
  const share = (guess: (row: number) => number | undefined) =>
    test.filter((row) => guess(row) === classes[row]).length / test.length;
  const [score, baseline] = [share((row) => rule.get(groupOf(row)) ?? overall), share(() => overall)];
  // Where one class is nearly all, little is left to predict: the errors that remain have to be few beside those.
  const leaks = score >= leakingAccuracy && 1 - score <= 0.1 * (1 - baseline) && baseline < 1;
  return { column: column.name, score, baseline, leaks };
}

/** R² of predictions on the other half; the better one of the means of groups and of a line. */
function predictNumber(column: EncodedColumn, target: Float64Array, rows: readonly number[]): Predictor {
  const [train, test] = halves(rows);
  const mean = train.reduce((sum, row) => sum + (target[row] as number), 0) / train.length;
  const groupOf = groupsOf(column, train);
  const sums = new Map<number, [sum: number, count: number]>();
  for (const row of train) {
    const own = sums.get(groupOf(row)) ?? [0, 0];
    sums.set(groupOf(row), [own[0] + (target[row] as number), own[1] + 1]);
  }
  const means = (row: number) => {
    const own = sums.get(groupOf(row));
    return own ? own[0] / own[1] : mean;
  };
  const fits = [means, ...(column.numbers ? [lineOf(column.numbers, target, train, mean)] : [])];
  const errors = (guess: (row: number) => number) =>
    test.reduce((sum, row) => sum + ((target[row] as number) - guess(row)) ** 2, 0);
  const whole = errors(() => mean);
  const score = whole > 0 ? Math.max(...fits.map((fit) => 1 - errors(fit) / whole)) : 0;
  return { column: column.name, score: Math.max(0, score), baseline: 0, leaks: score >= leakingFit };
}

function lineOf(x: Float64Array, y: Float64Array, rows: readonly number[], meanY: number): (row: number) => number {
  const known = rows.filter((row) => !Number.isNaN(x[row] as number));
  const meanX = known.reduce((sum, row) => sum + (x[row] as number), 0) / known.length;
  let [xx, xy] = [0, 0];
  for (const row of known) {
    xx += ((x[row] as number) - meanX) ** 2;
    xy += ((x[row] as number) - meanX) * ((y[row] as number) - meanY);
  }
  const slope = xx > 0 ? xy / xx : 0;
  return (row) => (Number.isNaN(x[row] as number) ? meanY : meanY + slope * ((x[row] as number) - meanX));
}

/** What each column alone predicts, best first; none where there are too few rows with a target. */
export function predictorsOf(columns: readonly EncodedColumn[], target: EncodedColumn): Predictor[] {
  const { numbers, codes, levels } = target;
  const length = (numbers ?? codes ?? []).length;
  const rows = Array.from({ length }, (_, row) => row).filter((row) =>
    codes ? (codes[row] as number) >= 0 : !Number.isNaN(numbers?.[row]),
  );
  if (rows.length < fewestRows) return [];
  const others = columns.filter(({ name }) => name !== target.name);
  const found = others.map((column) =>
    codes ? predictClass(column, codes, levels, rows) : predictNumber(column, numbers as Float64Array, rows),
  );
  return found.sort((a, b) => b.score - a.score);
}
