/** A confusion matrix as a table whose cells are the darker the more samples they hold. */
import { count, percent } from "../../core/number-text.ts";
import { shown } from "./shown.ts";

/** Classes beyond which the most frequent confusions are listed instead. */
const mostClasses = 24;
const mostListed = 20;

/** Samples of one class that were taken for another. */
export interface Confusion {
  readonly actual: string;
  readonly predicted: string;
  readonly times: number;
}

/** The most frequent confusions of two classes. */
export function frequentConfusions(matrix: readonly (readonly number[])[], classes: readonly string[]): Confusion[] {
  const nameOf = (place: number) => classes[place] ?? String(place);
  return matrix
    .flatMap((row, i) =>
      row.flatMap((times, k) => (i === k || times === 0 ? [] : [{ actual: nameOf(i), predicted: nameOf(k), times }])),
    )
    .sort((a, b) => b.times - a.times)
    .slice(0, mostListed);
}

/** The table of `[true class][predicted class]`; of many classes the most frequent confusions. */
export function confusionTable(matrix: readonly (readonly number[])[], classes: readonly string[]): string {
  if (matrix.length > mostClasses) {
    const rows = frequentConfusions(matrix, classes).map(
      ({ actual, predicted, times }) =>
        `<tr><th>${shown(actual, 60)}</th><td>${shown(predicted, 60)}</td><td class="n">${count(times)}</td></tr>`,
    );
    return `<p class="soft">The most frequent confusions of ${count(matrix.length)} classes.</p><table><thead><tr><th>True</th><th>Predicted</th><th class="n">Samples</th></tr></thead>${rows.join("")}</table>`;
  }
  const nameOf = (place: number) => shown(classes[place] ?? String(place), 40);
  const head = matrix.map((_, i) => `<th scope="col">${nameOf(i)}</th>`).join("");
  const rows = matrix.map((row, i) => {
    const total = row.reduce((sum, times) => sum + times, 0);
    const cells = row.map((times, k) => {
      // By the root of the share, so that rare confusions are seen too.
      const depth = total === 0 ? 0 : Math.sqrt(times / total);
      const colour = i === k ? "--right" : "--wrong";
      return `<td style="background:rgba(var(${colour}),${(0.7 * depth).toFixed(3)})">${times === 0 ? "·" : count(times)}</td>`;
    });
    return `<tr><th scope="row">${nameOf(i)}</th>${cells.join("")}<th class="n">${total === 0 ? "" : percent((row[i] ?? 0) / total)}</th></tr>`;
  });
  return `<p class="soft">True classes in rows, predicted ones in columns; the last column is the share that was right.</p><table class="matrix"><thead><tr><th></th>${head}<th class="n">right</th></tr></thead>${rows.join("")}</table>`;
}
