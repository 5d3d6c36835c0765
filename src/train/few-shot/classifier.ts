/** Classifiers of feature vectors: what they have in common, and the checks of features and labels. */
import { DataError, ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";

/** A classifier of feature vectors, such as a frozen model gives. */
export interface FeatureClassifier {
  /** The labels that it knows, ascending. */
  readonly classes: readonly number[];
  /** Scores of features [samples, features] as [samples, classes], higher for likelier classes, in the order of `classes`. */
  scores(features: Tensor): Tensor<"float32">;
  /** The label with the highest score of each row of features [samples, features], as int32 [samples]; of equal ones the first. */
  predict(features: Tensor): Tensor<"int32">;
  /** Share of samples whose label is predicted. */
  accuracy(features: Tensor, labels: Tensor): number;
}

/** Features as rows of numbers. */
export interface Rows {
  readonly count: number;
  readonly width: number;
  /** Row-major. */
  readonly values: Float64Array;
}

/** Features of samples, and the class of each as its place among the labels. */
export interface LabelledRows extends Rows {
  readonly classes: readonly number[];
  readonly places: Int32Array;
}

/** Throws ShapeError unless features are [samples, features], DataError for none, or for one that is not finite. */
export function rowsOf(where: string, features: Tensor, width?: number): Rows {
  const [count = 0, own = 0] = features.shape;
  if (features.shape.length !== 2)
    throw new ShapeError(
      `${where}: features are ${showShape(features.shape)}; pass [samples, features], such as featuresOf gives`,
    );
  if (width !== undefined && own !== width)
    throw new ShapeError(`${where}: samples have ${own} features; pass ${width} features, as it was made of`);
  if (count === 0 || own === 0) throw new DataError(`${where}: features are ${showShape(features.shape)}; pass some`);
  const values = Float64Array.from(features.toNumbers());
  const odd = values.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0)
    throw new DataError(`${where}: sample ${Math.floor(odd / own)} has a feature that is ${values[odd]}; leave it out`);
  return { count, width: own, values };
}

/** Labels as whole numbers. Throws ShapeError unless they are [samples], DataError for what is no label. */
export function labelsOf(where: string, labels: Tensor, count?: number): readonly number[] {
  const [own = 0] = labels.shape;
  if (labels.shape.length !== 1 || (count !== undefined && own !== count))
    throw new ShapeError(
      `${where}: labels are ${showShape(labels.shape)}; pass one for each sample, [${count ?? "samples"}]`,
    );
  const numbers = labels.toNumbers();
  const odd = numbers.findIndex((label) => !Number.isSafeInteger(label) || label < 0);
  if (odd >= 0)
    throw new DataError(`${where}: the label of sample ${odd} is ${numbers[odd]}; pass whole numbers from 0`);
  return numbers;
}

/** The distinct labels, ascending. */
export const classesOf = (labels: readonly number[]): readonly number[] => [...new Set(labels)].sort((a, b) => a - b);

/** Features with their labels. Throws DataError for fewer than two classes. */
export function labelledRows(where: string, features: Tensor, labels: Tensor): LabelledRows {
  const rows = rowsOf(where, features);
  const numbers = labelsOf(where, labels, rows.count);
  const classes = classesOf(numbers);
  if (classes.length < 2)
    throw new DataError(`${where}: all samples have the label ${classes[0]}; pass samples of two classes at least`);
  const placeOf = new Map(classes.map((label, place) => [label, place]));
  return { ...rows, classes, places: Int32Array.from(numbers, (label) => placeOf.get(label) ?? 0) };
}

/** The rows at some indices. */
export function selectRows(rows: LabelledRows, indices: readonly number[]): LabelledRows {
  const { width, values, places } = rows;
  const selected = new Float64Array(indices.length * width);
  for (const [i, index] of indices.entries())
    selected.set(values.subarray(index * width, (index + 1) * width), i * width);
  const own = Int32Array.from(indices, (index) => places[index] as number);
  return { ...rows, count: indices.length, values: selected, places: own };
}

/** Rows of length 1; a row of zeros stays. */
export function unitRows(rows: Rows): Rows {
  const { count, width } = rows;
  const values = rows.values.slice();
  for (let i = 0; i < count; i++) {
    const row = values.subarray(i * width, (i + 1) * width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) for (let j = 0; j < width; j++) row[j] = (row[j] as number) / length;
  }
  return { count, width, values };
}

/** A classifier of its scores, [samples, classes] row-major. */
export function classifierOf(
  where: string,
  { classes, width }: Pick<LabelledRows, "classes" | "width">,
  score: (rows: Rows) => Float64Array,
): FeatureClassifier {
  const predicted = (rows: Rows): Int32Array => {
    const scores = score(rows);
    return Int32Array.from({ length: rows.count }, (_, i) => {
      let best = 0;
      for (let c = 1; c < classes.length; c++)
        if ((scores[i * classes.length + c] as number) > (scores[i * classes.length + best] as number)) best = c;
      return classes[best] as number;
    });
  };
  return {
    classes,
    scores(features) {
      const rows = rowsOf(where, features, width);
      return new Tensor("float32", [rows.count, classes.length], Float32Array.from(score(rows)));
    },
    predict(features) {
      const rows = rowsOf(where, features, width);
      return new Tensor("int32", [rows.count], predicted(rows));
    },
    accuracy(features, labels) {
      const rows = rowsOf(where, features, width);
      const wanted = labelsOf(where, labels, rows.count);
      const found = predicted(rows);
      return wanted.filter((label, i) => label === found[i]).length / rows.count;
    },
  };
}
