/** What baselines of tables have in common: the parts of a table, what a baseline reached, and the checks of both. */
import { DataError, ShapeError } from "../../core/errors.ts";
import { type Key, Random } from "../../core/random.ts";
import { showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Rows } from "../few-shot/classifier.ts";
import type { ComparedMetric } from "./compared-metric.ts";

/** What is predicted of each row: one of several classes, or a number. */
export type TableLabels =
  | {
      readonly kind: "classes";
      /** [rows], 0 … classes-1 */
      readonly y: Tensor<"int32">;
      readonly classes: number;
    }
  | {
      readonly kind: "numbers";
      /** [rows] */
      readonly y: Tensor<"float32">;
    };

/** Rows of a table and their labels. */
export interface TablePart {
  /** [rows, features], finite: imputed, standardized, categories one-hot. */
  readonly x: Tensor<"float32">;
  /** One label for each row. */
  readonly labels: TableLabels;
}

/** A table that is split three ways. */
export interface TableParts {
  /** What baselines are fitted on. */
  readonly train: TablePart;
  /** What their settings are chosen by. */
  readonly validation: TablePart;
  /** What the chosen one is measured on, once. */
  readonly test: TablePart;
}

/** What a baseline reached. */
export interface BaselineResult {
  /** Such as "logistic regression". */
  readonly name: string;
  /** What was chosen on the validation part, such as "C = 0.1", and what the time did not allow. */
  readonly settings: string;
  /** On the validation part; NaN of a baseline that was left out. */
  readonly validation: number;
  /** On the test part; NaN of a baseline that was left out. */
  readonly test: number;
  /** What `validation` and `test` are, such as `accuracy`, a share of rows, or `rmse`, the root of the mean squared error. */
  readonly metric: ComparedMetric;
  /** How long choosing, fitting and measuring took. */
  readonly seconds: number;
}

/** Rows with their labels as numbers. */
export interface TableRows extends Rows {
  /** The class of each row, or its number. */
  readonly targets: Float64Array;
  /** Number of classes; 0 where numbers are predicted. */
  readonly classes: number;
}

/** What a baseline may use. */
export interface Limits {
  readonly key: Key;
  /** How long it may take, about. */
  readonly seconds: number;
  /** Rows that are predicted after fitting, for what predicts slowly. */
  readonly later: number;
}

/** A baseline whose settings are chosen. */
export interface FittedBaseline {
  readonly settings: string;
  readonly validation: number;
  /** Fits once more with the settings, to more rows; where time was short to as large a share of them. Gives the class of each row, or its number. */
  refit(rows: TableRows): (rows: Rows) => Float64Array;
}

/** A simple predictor of tables. */
export interface TableBaseline {
  readonly name: string;
  /** Chooses settings on `validation`, fitted on `train`. */
  fit(train: TableRows, validation: TableRows, limits: Limits): FittedBaseline;
}

/** A part as rows. Throws ShapeError for parts that do not fit the first, DataError for features that are not finite and labels that are none. */
export function tableRows(where: string, { x, labels }: TablePart, like?: TableRows): TableRows {
  const [count = 0, width = 0] = x.shape;
  if (x.shape.length !== 2 || count === 0 || width === 0)
    throw new ShapeError(`${where}: x is ${showShape(x.shape)}; pass [rows, features], with some of both`);
  if (labels.y.shape.length !== 1 || labels.y.shape[0] !== count)
    throw new ShapeError(
      `${where}: labels are ${showShape(labels.y.shape)}; pass one for each of the rows, [${count}]`,
    );
  const classes = labels.kind === "classes" ? labels.classes : 0;
  if (like && (like.width !== width || like.classes !== classes))
    throw new ShapeError(
      `${where}: has ${width} features and ${classes} classes, the training part ${like.width} and ${like.classes}; pass parts of one table`,
    );
  const values = Float64Array.from(x.data);
  const odd = values.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0)
    throw new DataError(
      `${where}: feature ${odd % width} of row ${Math.floor(odd / width)} is ${values[odd]}; impute it, or leave the row out`,
    );
  const targets = Float64Array.from(labels.y.data);
  const isLabel = (label: number) =>
    classes === 0 ? Number.isFinite(label) : Number.isInteger(label) && label >= 0 && label < classes;
  const stray = targets.findIndex((label) => !isLabel(label));
  if (stray >= 0)
    throw new DataError(
      `${where}: the label of row ${stray} is ${targets[stray]}; pass ${classes === 0 ? "finite numbers" : `classes from 0 to ${classes - 1}`}`,
    );
  return { count, width, values, targets, classes };
}

/** Accuracy of classes, root mean squared error of numbers. */
export function scoreOf(predicted: ArrayLike<number>, { count, targets, classes }: TableRows): number {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const error = (predicted[i] as number) - (targets[i] as number);
    sum += classes > 0 ? Number(error === 0) : error * error;
  }
  return classes > 0 ? sum / count : Math.sqrt(sum / count);
}

/** Whether a score is better than another: a higher accuracy, a lower error. */
export const isBetter = ({ classes }: TableRows, score: number, than: number): boolean =>
  classes > 0 ? score > than : score < than;

/** What is tried; of equal scores the lower loss wins, then the earlier. */
export interface Attempt {
  readonly score: number;
  readonly loss: number;
}

/** The best of what was tried. */
export function bestOf<T extends Attempt>(rows: TableRows, attempts: readonly T[]): T {
  const [first, ...others] = attempts;
  return others.reduce(
    (best, own) =>
      isBetter(rows, own.score, best.score) || (own.score === best.score && own.loss < best.loss) ? own : best,
    first as T,
  );
}

/** The class with the highest score of each row of [rows, classes]; of equal ones the first. */
export function classOf(scores: Float64Array, classes: number): Float64Array {
  const found = new Float64Array(scores.length / classes);
  for (let i = 0; i < found.length; i++) {
    let best = 0;
    for (let c = 1; c < classes; c++)
      if ((scores[i * classes + c] as number) > (scores[i * classes + best] as number)) best = c;
    found[i] = best;
  }
  return found;
}

/** Mean cross-entropy of probabilities [rows, classes]; a class of probability 0 counts as one of 1e-12. */
export function crossEntropyOf(probabilities: Float64Array, { count, targets, classes }: TableRows): number {
  let sum = 0;
  for (let i = 0; i < count; i++)
    sum -= Math.log(Math.max(1e-12, probabilities[i * classes + (targets[i] as number)] as number));
  return sum / count;
}

/** So many of the rows, drawn without replacement; all where there are no more. */
export function someRows(rows: TableRows, most: number, key: Key): TableRows {
  const { count, width, values, targets } = rows;
  if (most >= count) return rows;
  const chosen = new Random(key).permutation(count).subarray(0, most).sort();
  const own = new Float64Array(most * width);
  for (const [i, row] of chosen.entries()) own.set(values.subarray(row * width, (row + 1) * width), i * width);
  return { ...rows, count: most, values: own, targets: Float64Array.from(chosen, (row) => targets[row] as number) };
}

/** Rows that a trial of speed takes. */
const triedRows = 4000;

/**
 * How many seconds `attempt` would take on all rows, by how long it takes on four thousand. Trees take longer by the log of the rows, which is
 * reckoned with.
 */
export function secondsOnAll(all: TableRows, { key }: Limits, attempt: (rows: TableRows) => void): number {
  const tried = someRows(all, triedRows, key);
  attempt(tried); // The first time is spent on compiling.
  const began = performance.now();
  attempt(tried);
  const growth = Math.log2(1 + all.count) / Math.log2(1 + tried.count);
  return ((performance.now() - began) / 1000) * (all.count / tried.count) * growth;
}

/** So many of the rows, 200 at least, that what takes `needed` seconds on all ends in time. */
export const rowsWithin = (all: TableRows, { key, seconds }: Limits, needed: number): TableRows =>
  someRows(all, Math.max(200, Math.floor((all.count * seconds) / needed)), key);

/** As large a share of `rows` as `used` was of `all`. */
export const sameShare = (rows: TableRows, used: Rows, all: Rows, key: Key): TableRows =>
  someRows(rows, Math.ceil((rows.count * used.count) / all.count), key);

/** The rows of two parts. */
export const joinedRows = (first: TableRows, second: TableRows): TableRows => ({
  ...first,
  count: first.count + second.count,
  values: joined(first.values, second.values),
  targets: joined(first.targets, second.targets),
});

function joined(a: Float64Array, b: Float64Array): Float64Array {
  const both = new Float64Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** ", on 1,000 of 5,000 rows" where some were left out. */
export const rowsNote = (used: Rows, all: Rows): string =>
  used.count === all.count
    ? ""
    : `, on ${used.count.toLocaleString("en-US")} of ${all.count.toLocaleString("en-US")} rows`;
