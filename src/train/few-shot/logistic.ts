/** Multinomial logistic regression with an L2 penalty, to its minimum. */
import { greatest } from "../../core/lists.ts";
import type { LabelledRows, Rows } from "./classifier.ts";
import { type MinimizeOptions, minimize } from "./minimize.ts";

/** Weights [classes, features] row-major, and a bias for each class. */
export interface Logistic {
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/** Logits of rows, [rows, classes]: x Wᵀ + b. */
export function logitsOf({ weights, bias }: Logistic, { count, width, values }: Rows): Float64Array {
  const classes = bias.length;
  const logits = new Float64Array(count * classes);
  for (let i = 0; i < count; i++)
    for (let c = 0; c < classes; c++) {
      let sum = bias[c] as number;
      for (let j = 0; j < width; j++) sum += (values[i * width + j] as number) * (weights[c * width + j] as number);
      logits[i * classes + c] = sum;
    }
  return logits;
}

/** Turns a row of logits into probabilities in place, and returns -log of that of a class. */
export function softmaxInPlace(row: Float64Array, place: number): number {
  const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const wanted = (row[place] as number) - most;
  let sum = 0;
  for (let c = 0; c < row.length; c++) sum += row[c] = Math.exp((row[c] as number) - most);
  for (let c = 0; c < row.length; c++) row[c] = (row[c] as number) / sum;
  return Math.log(sum) - wanted;
}

/** Mean cross-entropy of rows, and the share of those whose class has the highest logit. */
export function measure(model: Logistic, rows: LabelledRows): { readonly loss: number; readonly accuracy: number } {
  const classes = model.bias.length;
  const logits = logitsOf(model, rows);
  let [loss, hits] = [0, 0];
  for (let i = 0; i < rows.count; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const place = rows.places[i] as number;
    if (row.indexOf(greatest(row)) === place) hits++;
    loss += softmaxInPlace(row, place);
  }
  return { loss: loss / rows.count, accuracy: hits / rows.count };
}

/**
 * The weights that minimize Σᵢ -log p(yᵢ | xᵢ) + λ/2 ‖W‖²; the bias is free. That is scikit-learn's LogisticRegression with C = 1/λ. It is
 * deterministic: from zeros, by L-BFGS, in float64.
 */
export function fitLogistic(rows: LabelledRows, strength: number, options: MinimizeOptions): Logistic {
  const { count, width, values, places } = rows;
  const classes = rows.classes.length;
  const split = (x: Float64Array): Logistic => ({
    weights: x.subarray(0, classes * width),
    bias: x.subarray(classes * width),
  });
  const evaluate = (x: Float64Array) => {
    const model = split(x);
    const gradient = new Float64Array(x.length);
    const { weights: dW, bias: db } = split(gradient);
    const probabilities = logitsOf(model, rows);
    let value = 0;
    for (let i = 0; i < count; i++) {
      const row = probabilities.subarray(i * classes, (i + 1) * classes);
      const place = places[i] as number;
      value += softmaxInPlace(row, place);
      row[place] = (row[place] as number) - 1;
      for (let c = 0; c < classes; c++) {
        // d/dlogit = p - [c = y]
        const g = row[c] as number;
        db[c] = (db[c] as number) + g;
        for (let j = 0; j < width; j++)
          dW[c * width + j] = (dW[c * width + j] as number) + g * (values[i * width + j] as number);
      }
    }
    for (let k = 0; k < dW.length; k++) {
      const w = model.weights[k] as number;
      value += (strength / 2) * w * w;
      dW[k] = (dW[k] as number) + strength * w;
    }
    // Means over samples, so that the tolerance does not depend on their number.
    return { value: value / count, gradient: gradient.map((g) => g / count) };
  };
  return split(minimize(evaluate, new Float64Array(classes * (width + 1)), options));
}
