/** Linear models of texts as TF-IDF: logistic regression of classes, ridge regression of numbers, to their minima. */
import { wordsAndPairs } from "../../data/text/text-features.ts";
import { softmaxInPlace } from "../few-shot/logistic.ts";
import { minimize } from "../few-shot/minimize.ts";

/** What of a text is not 0. */
interface SparseRow {
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

/** Words and pairs that are known at most. */
const mostFeatures = 200_000;
/** Steps of L-BFGS. */
const usual = { maxIterations: 100, tolerance: 1e-5 } as const;

/**
 * Words and pairs of words of texts as rows of length 1: (1 + ln n) (1 + ln((1 + N) / (1 + df))) (scikit-learn's TfidfVectorizer with
 * sublinear_tf). What the texts do not have is not read of others.
 */
export function tfIdf(texts: readonly string[]): {
  readonly width: number;
  readonly rowOf: (text: string) => SparseRow;
} {
  const frequencies = new Map<string, number>();
  for (const text of texts)
    for (const feature of new Set(wordsAndPairs(text))) frequencies.set(feature, (frequencies.get(feature) ?? 0) + 1);
  const known = [...frequencies].sort(([, a], [, b]) => b - a).slice(0, mostFeatures);
  const columns = new Map(known.map(([feature], column) => [feature, column]));
  const weights = known.map(([, own]) => Math.log((1 + texts.length) / (1 + own)) + 1);
  return {
    width: known.length,
    rowOf(text) {
      const counts = new Map<number, number>();
      for (const feature of wordsAndPairs(text)) {
        const column = columns.get(feature);
        if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1);
      }
      const own = [...counts].map(([column, n]) => [column, (1 + Math.log(n)) * (weights[column] as number)] as const);
      const length = Math.hypot(...own.map(([, value]) => value)) || 1;
      return {
        columns: Int32Array.from(own, ([column]) => column),
        values: Float64Array.from(own, ([, value]) => value / length),
      };
    },
  };
}

/** What a row weighs for each output: x W + b. */
function outputsOf(row: SparseRow, parameters: Float64Array, outputs: number): Float64Array {
  const found = parameters.slice(parameters.length - outputs);
  for (const [k, column] of row.columns.entries())
    for (let c = 0; c < outputs; c++)
      found[c] = (found[c] as number) + (row.values[k] as number) * (parameters[column * outputs + c] as number);
  return found;
}

/**
 * Weights that minimize the sum of -log p(class), or of half the squared error of a number where there are no classes, and λ/2 ‖W‖²; the
 * bias is free. Gives the class of a text, or its number.
 * @param targets places of classes, or numbers
 * @param strength λ
 */
export function fitSparse(
  texts: readonly string[],
  targets: readonly number[],
  { classes, strength }: { readonly classes: number; readonly strength: number },
): (text: string) => number {
  const { width, rowOf } = tfIdf(texts);
  const rows = texts.map(rowOf);
  const outputs = Math.max(1, classes);
  const start = new Float64Array((width + 1) * outputs);
  if (classes === 0) start[width] = targets.reduce((sum, own) => sum + own, 0) / targets.length;
  const evaluate = (parameters: Float64Array) => {
    const gradient = new Float64Array(parameters.length);
    let value = 0;
    for (const [i, row] of rows.entries()) {
      const g = outputsOf(row, parameters, outputs);
      const target = targets[i] as number;
      if (classes > 0) {
        value += softmaxInPlace(g, target);
        g[target] = (g[target] as number) - 1; // d/dlogit = p - [c = y]
      } else {
        g[0] = (g[0] as number) - target;
        value += (g[0] as number) ** 2 / 2;
      }
      for (let c = 0; c < outputs; c++) {
        const own = g[c] as number;
        gradient[width * outputs + c] = (gradient[width * outputs + c] as number) + own;
        for (const [k, column] of row.columns.entries()) {
          const at = column * outputs + c;
          gradient[at] = (gradient[at] as number) + own * (row.values[k] as number);
        }
      }
    }
    for (let k = 0; k < width * outputs; k++) {
      const w = parameters[k] as number;
      value += (strength / 2) * w * w;
      gradient[k] = (gradient[k] as number) + strength * w;
    }
    return { value: value / rows.length, gradient: gradient.map((g) => g / rows.length) };
  };
  const parameters = minimize(evaluate, start, usual);
  return (text) => {
    const found = outputsOf(rowOf(text), parameters, outputs);
    return classes > 0 ? found.indexOf(found.reduce((a, b) => Math.max(a, b))) : (found[0] as number);
  };
}
