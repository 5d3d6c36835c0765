/** A row of a model's output for a person and for a program. */

import { greatest } from "../../core/lists.ts";
import { percent } from "../../core/number-text.ts";
import { size } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";

export interface Described {
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The class and its probability where there are classes, the numbers otherwise. */
export function describeOutput(y: Tensor, row: number, classes: readonly string[] | undefined): Described {
  const width = size(y.shape.slice(1));
  const output = Array.from({ length: width }, (_, i) => Number(y.data[row * width + i]));
  if (!classes || classes.length !== width)
    return { text: output.map((value) => Number(value.toPrecision(6))).join(", "), fields: { output } };
  const probabilities = probabilitiesOf(output);
  const order = probabilities.map((_, i) => i).sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
  const show = (i: number) => `${classes[i]} (${percent(probabilities[i] ?? 0)})`;
  const [best = 0, ...others] = order;
  return {
    text: `${show(best)}   then ${others.slice(0, 2).map(show).join(", ")}`,
    fields: { class: classes[best], probability: probabilities[best], probabilities, output },
  };
}

/** The output itself where it is a distribution already, else its softmax. */
function probabilitiesOf(output: readonly number[]): number[] {
  const sum = output.reduce((total, value) => total + value, 0);
  if (output.every((value) => value >= 0) && Math.abs(sum - 1) < 1e-4) return [...output];
  const highest = greatest(output);
  const powers = output.map((value) => Math.exp(value - highest));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}
