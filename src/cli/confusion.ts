/** A confusion matrix as text: true classes in rows, predicted ones in columns. */
import { greatest } from "../core/lists.ts";
import { count, percent } from "../core/number-text.ts";
import { cut, pad, widest } from "./text.ts";

/** How often a class was taken for which. */
interface Mistake {
  readonly actual: string;
  readonly predicted: string;
  readonly times: number;
}

/**
 * Lines no wider than `columns`. When the matrix does not fit, the most frequent mistakes are listed instead.
 */
export function showConfusion(
  matrix: readonly (readonly number[])[],
  classes: readonly string[],
  columns: number,
): string[] {
  const nameOf = (index: number) => classes[index] ?? String(index);
  const longest = widest(matrix.map((_, i) => nameOf(i)));
  const digits = greatest(matrix.flat().map((times) => count(times).length));
  const labelWidth = Math.min(longest, 16);
  const recallWidth = 10;
  const room = Math.floor((columns - labelWidth - recallWidth) / matrix.length);
  if (room < digits + 1) return showMistakes(matrix, nameOf);
  const width = Math.min(room, Math.max(digits, Math.min(longest, 12)) + 2);
  const heading = matrix.map((_, i) => pad(cut(nameOf(i), width - 1), width, "right")).join("");
  const lines = matrix.map((row, i) => {
    const total = row.reduce((sum, times) => sum + times, 0);
    const cells = row.map((times) => (times === 0 ? "·" : count(times)).padStart(width)).join("");
    const recall = total === 0 ? "" : percent((row[i] ?? 0) / total);
    return `${pad(cut(nameOf(i), labelWidth), labelWidth)}${cells}${recall.padStart(recallWidth)}`;
  });
  return [
    "Confusion matrix: the true class in rows, what was predicted in columns",
    `${" ".repeat(labelWidth)}${heading}${"right".padStart(recallWidth)}`,
    ...lines,
  ];
}

function showMistakes(matrix: readonly (readonly number[])[], nameOf: (index: number) => string): string[] {
  const mistakes: Mistake[] = matrix.flatMap((row, i) =>
    row.flatMap((times, k) => (i === k || times === 0 ? [] : [{ actual: nameOf(i), predicted: nameOf(k), times }])),
  );
  mistakes.sort((a, b) => b.times - a.times);
  return [
    `Most frequent mistakes among ${matrix.length} classes (true class, then what was predicted)`,
    ...mistakes
      .slice(0, 10)
      .map(({ actual, predicted, times }) => `${count(times).padStart(6)}  ${cut(actual, 30)} → ${cut(predicted, 30)}`),
  ];
}
