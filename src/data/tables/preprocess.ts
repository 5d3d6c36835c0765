/** Preprocessing of tables [N, F]: each step is fitted on training data, kept as plain JSON, applied to any data. */
import { DataError, FileError, OptionError, ShapeError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { Tensor } from "../../core/tensor.ts";
import { checkLabels } from "../pipeline/checks.ts";
import { deviationOf, meanOf, presentColumns, quantileOf, tableSize } from "./columns.ts";

/** y = (x - shift) / scale, column by column: standardizing and min-max scaling are both of this form. */
export interface Rescale {
  readonly kind: "rescale";
  readonly shift: readonly number[];
  readonly scale: readonly number[];
}

/** Missing values (NaN) replaced, column by column. */
export interface Impute {
  readonly kind: "impute";
  readonly values: readonly number[];
}

/** Values outside a column's range moved to its ends. */
export interface Clip {
  readonly kind: "clip";
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** A fitted step: `JSON.stringify` keeps it, `parsePreprocessing` reads it back. */
export type Preprocessing = Rescale | Impute | Clip;

/**
 * The step that brings each column to mean 0 and standard deviation 1, fitted on x [N, F], missing values left out; a
 * constant column becomes 0. Apply it with `transform`.
 * @example
 * const step = fitStandardize(train.x);
 * const scaled = transform(test.x, step); // with the moments of the training data
 */
export function fitStandardize(x: Tensor): Rescale {
  const columns = presentColumns(x, "fitStandardize()");
  // Tested by the values: the deviation of equal ones may come out as a rounding error rather than 0.
  const isConstant = (values: Float64Array) => values.every((value) => value === values[0]);
  return {
    kind: "rescale",
    shift: columns.map(meanOf),
    scale: columns.map((values) => (isConstant(values) ? 1 : deviationOf(values))),
  };
}

/**
 * The step that brings each column to the range 0 to 1, fitted on x [N, F], missing values left out; a constant column
 * becomes 0. Apply it with `transform`.
 */
export function fitMinMax(x: Tensor): Rescale {
  const columns = presentColumns(x, "fitMinMax()");
  const shift = columns.map((values) => values.reduce((low, value) => Math.min(low, value)));
  const high = columns.map((values) => values.reduce((top, value) => Math.max(top, value)));
  return { kind: "rescale", shift, scale: high.map((top, i) => top - (shift[i] as number) || 1) };
}

/**
 * The step that fills missing values (NaN) in: with the column's mean or median, fitted on x [N, F], or with one
 * number. Apply it with `transform`.
 */
export function fitImpute(x: Tensor, strategy: "mean" | "median" | number): Impute {
  const { columns } = tableSize(x, "fitImpute()");
  if (typeof strategy === "number") return { kind: "impute", values: new Array<number>(columns).fill(strategy) };
  const center = strategy === "mean" ? meanOf : (values: Float64Array) => quantileOf(values, 0.5);
  return { kind: "impute", values: presentColumns(x, "fitImpute()").map(center) };
}

/**
 * The range outside which a value is an outlier: `zScore` standard deviations around the mean (3 is customary), or
 * `iqr` interquartile ranges beyond the quartiles (1.5; Tukey 1977). Its `transform` clips; see flagOutliers and
 * dropOutliers for the other two ways.
 */
export function fitOutliers(x: Tensor, rule: { readonly zScore: number } | { readonly iqr: number }): Clip {
  const width = "zScore" in rule ? rule.zScore : rule.iqr;
  if (!(width > 0))
    throw new OptionError(`fitOutliers(): got a width of ${width}, expected a positive number such as 3 or 1.5`);
  const ranges = presentColumns(x, "fitOutliers()").map((values): [number, number] => {
    if ("zScore" in rule) {
      const [mean, deviation] = [meanOf(values), deviationOf(values)];
      return [mean - width * deviation, mean + width * deviation];
    }
    const [lower, upper] = [quantileOf(values, 0.25), quantileOf(values, 0.75)];
    return [lower - width * (upper - lower), upper + width * (upper - lower)];
  });
  return { kind: "clip", low: ranges.map(([low]) => low), high: ranges.map(([, high]) => high) };
}

/** What each kind of step does to a value of a column; also the list of kinds there are. */
const rules: {
  readonly [K in Preprocessing["kind"]]: (step: Extract<Preprocessing, { readonly kind: K }>) => {
    readonly width: number;
    readonly change: (value: number, column: number) => number;
  };
} = {
  rescale: ({ shift, scale }) => ({
    width: shift.length,
    change: (value, column) => (value - (shift[column] as number)) / (scale[column] as number),
  }),
  impute: ({ values }) => ({
    width: values.length,
    change: (value, column) => (Number.isNaN(value) ? (values[column] as number) : value),
  }),
  clip: ({ low, high }) => ({
    width: low.length,
    // NaN stays NaN in both.
    change: (value, column) => Math.max(low[column] as number, Math.min(high[column] as number, value)),
  }),
};

/** A new table with fitted steps applied in turn. Throws ShapeError when it has other columns than they were fitted on. */
export function transform(x: Tensor, ...steps: readonly Preprocessing[]): Tensor<"float32"> {
  const { rows, columns } = tableSize(x, "transform()");
  const data = (x.data as Float32Array<ArrayBuffer>).slice();
  for (const step of steps) {
    const { width, change } = (rules[step.kind] as (step: Preprocessing) => ReturnType<(typeof rules)["rescale"]>)(
      step,
    );
    if (width !== columns)
      throw new ShapeError(
        `transform(): the table has ${columns} columns, "${step.kind}" was fitted on ${width}; pass the same columns`,
      );
    for (let i = 0; i < data.length; i++) data[i] = change(data[i] as number, i % columns);
  }
  return new Tensor("float32", [rows, columns], data);
}

const isNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isFinite);

const fieldsOf: { readonly [K in Preprocessing["kind"]]: readonly string[] } = {
  rescale: ["shift", "scale"],
  impute: ["values"],
  clip: ["low", "high"],
};

/** Steps from JSON text that `JSON.stringify` made of them. Throws FileError when it is anything else. */
export function parsePreprocessing(json: string): Preprocessing[] {
  const fail = (problem: string) =>
    new FileError(`preprocessing: ${problem}; write it with JSON.stringify of an array of fitted steps`);
  let steps: unknown;
  try {
    steps = parseJson(json);
  } catch (error) {
    throw fail((error as Error).message);
  }
  if (!Array.isArray(steps)) throw fail("the JSON is no array");
  return steps.map((step: Readonly<Record<string, unknown>> | null, i) => {
    const fields = Object.entries(fieldsOf).find(([kind]) => kind === step?.["kind"])?.[1];
    if (fields === undefined)
      throw fail(
        `step ${i} is of kind ${JSON.stringify(step?.["kind"])}, expected ${Object.keys(fieldsOf).join(", ")}`,
      );
    const lists = fields.map((field) => step?.[field]);
    if (!lists.every(isNumbers) || new Set(lists.map((list) => list.length)).size !== 1)
      throw fail(`step ${i} needs ${fields.join(" and ")} as equally long lists of numbers`);
    return step as object as Preprocessing;
  });
}

/** Classes [N] as float32 [N, classes] with a 1 at the class. Throws DataError naming the row of a label out of range. */
export function oneHot(labels: Tensor, classes: number): Tensor<"float32"> {
  if (labels.shape.length !== 1)
    throw new ShapeError(`oneHot(): the labels have rank ${labels.shape.length}, expected 1; reshape them to [N]`);
  if (!Number.isInteger(classes) || classes < 1)
    throw new DataError(`oneHot(): got ${classes} classes, expected at least 1`);
  checkLabels(labels, classes, "oneHot()");
  const data = new Float32Array(labels.data.length * classes);
  for (let row = 0; row < labels.data.length; row++) data[row * classes + Number(labels.data[row])] = 1;
  return new Tensor("float32", [labels.data.length, classes], data);
}
