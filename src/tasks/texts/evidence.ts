/** What words say of classes in training texts, as naive Bayes counts it. */
import { Tensor } from "../../core/tensor.ts";
import { outputsOf, type TextTarget } from "./text-target.ts";

/** Texts that are counted: what is known of words, what is predicted, and of each text its fold, its words, and its target. */
export interface TextsInFolds {
  readonly features: { readonly words: readonly string[] };
  readonly target: TextTarget;
  readonly train: { readonly read: readonly { readonly words: readonly number[] }[]; readonly y: Tensor };
  readonly folds: readonly number[];
}

/** How many more of each word are assumed than were counted. */
const smoothing = 1;

/**
 * For each member what it may know, counted of the texts outside its fold, float32 [members, 1 + words, outputs]: of classes log p(word |
 * class) less its mean over the classes (Wang and Manning 2012, eq. 1), of each label half of log p(word | label) / p(word | not label);
 * nothing of numbers. A word counts once a text.
 */
export function evidenceOf(
  { features: { words }, target, train: { read, y }, folds }: TextsInFolds,
  members: number,
): Tensor<"float32"> {
  const outputs = outputsOf(target);
  const rows = words.length + 1;
  const data = new Float32Array(members * rows * outputs);
  const shape = [members, rows, outputs];
  if (target.kind === "number") return new Tensor("float32", shape, data);
  const has = (text: number, output: number): boolean =>
    target.kind === "classes" ? Number(y.data[text]) === output : Number(y.data[text * outputs + output]) === 1;
  for (let member = 0; member < members; member++) {
    const counts = new Float64Array(rows * outputs);
    const others = new Float64Array(rows * outputs);
    for (const [text, own] of read.entries()) {
      if (folds[text] === member) continue;
      for (let output = 0; output < outputs; output++) {
        const into = has(text, output) ? counts : target.kind === "labels" ? others : undefined;
        if (into === undefined) continue;
        for (const id of own.words) into[id * outputs + output] = (into[id * outputs + output] as number) + 1;
      }
    }
    const own = logShares(counts, rows, outputs);
    const base = target.kind === "classes" ? meanOver(own, outputs) : logShares(others, rows, outputs);
    const scale = target.kind === "classes" ? 1 : 0.5;
    for (let k = outputs; k < own.length; k++)
      data[member * own.length + k] = scale * ((own[k] as number) - (base[k] as number));
  }
  return new Tensor("float32", shape, data);
}

/** Logarithms of the shares that words have of each output's counts [rows, outputs]. */
function logShares(counts: Float64Array, rows: number, outputs: number): Float64Array {
  const totals = new Float64Array(outputs).fill(smoothing * rows);
  for (const [k, own] of counts.entries()) totals[k % outputs] = (totals[k % outputs] as number) + own;
  return counts.map((own, k) => Math.log((own + smoothing) / (totals[k % outputs] as number)));
}

/** The mean over outputs in the place of each, [rows, outputs]. */
function meanOver(values: Float64Array, outputs: number): Float64Array {
  const means = new Float64Array(values.length);
  for (let row = 0; row < values.length; row += outputs) {
    const own = values.subarray(row, row + outputs);
    means.fill(own.reduce((a, b) => a + b, 0) / outputs, row, row + outputs);
  }
  return means;
}
