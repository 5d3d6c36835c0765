/** A row of a model's output for a person and for a program. */

import { greatest } from "../../core/lists.ts";
import { percent } from "../../core/number-text.ts";
import { size } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";

export interface Described {
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The class and its probability where there are classes, the labels above one half where there are labels, the numbers otherwise. */
export function describeOutput(
  y: Tensor,
  row: number,
  {
    classes,
    labels,
  }: { readonly classes?: readonly string[] | undefined; readonly labels?: readonly string[] | undefined },
): Described {
  const width = size(y.shape.slice(1));
  const output = Array.from({ length: width }, (_, i) => Number(y.data[row * width + i]));
  if (labels?.length === width) return describeLabels(output, labels);
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

/** Labels by their log odds, the likeliest first. */
function describeLabels(output: readonly number[], labels: readonly string[]): Described {
  const found = labels
    .map((name, i) => ({ name, probability: 1 / (1 + Math.exp(-(output[i] ?? 0))) }))
    .sort((a, b) => b.probability - a.probability);
  const likely = found.filter(({ probability }) => probability > 0.5);
  const show = ({ name, probability }: (typeof found)[number]) => `${name} (${percent(probability)})`;
  const text =
    likely.length > 0 ? likely.map(show).join(", ") : `none; at most ${found.slice(0, 1).map(show).join("")}`;
  return { text, fields: { labels: likely.map(({ name }) => name), probabilities: found, output } };
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
