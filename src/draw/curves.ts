/** Learning curves of a run: each result by epoch, on the training and the validation data. */
import { scaleLinear } from "d3-scale";
import { greatest, least } from "../core/lists.ts";
import { linePlot, type PlotOptions } from "./plot.ts";

/** Of the names of results on validation data. */
export const validationPrefix = "validation_";

/** Round whole epochs, some eight of them at most. */
export const wholeTicks = (epochs: number): readonly number[] =>
  scaleLinear().domain([1, epochs]).ticks(Math.min(8, epochs)).filter(Number.isInteger);

/** What an axis spans; from nought to 1 where there is no number. */
const domainOf = (low: number, high: number): readonly [number, number] =>
  high > low ? [low, high] : high === low ? [low - 1, high + 1] : [0, 1];

/**
 * A figure for each result, `curve-loss.svg`; none of a single epoch, or of what is shown as a matrix.
 * @param size in pixels; default that of `linePlot`
 */
export function curvesOf(
  history: readonly Readonly<Record<string, number>>[],
  size: Pick<PlotOptions, "width" | "height"> = {},
): Readonly<Record<string, string>> {
  // Some are of validation data alone.
  const all = Object.keys(history[0] ?? {}).map((name) => name.replace(new RegExp(`^${validationPrefix}`), ""));
  const names = [...new Set(all)].filter((name) => !name.endsWith("confusionMatrix"));
  if (history.length < 2) return {};
  return Object.fromEntries(
    names.map((name) => {
      const series = [
        ["training", name],
        ["validation", `${validationPrefix}${name}`],
      ] as const;
      const lines = series.map(([label, key]) => ({
        name: label,
        points: history.flatMap((result, i) => (key in result ? [[i + 1, result[key] ?? Number.NaN] as const] : [])),
      }));
      const values = lines.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
      const figure = linePlot(
        lines.filter(({ points }) => points.length > 0),
        {
          ...size,
          title: `${name} by epoch`,
          x: { label: "epoch", domain: [1, history.length], ticks: wholeTicks(history.length) },
          // Accuracies near 1 and losses near their end differ by little: the axis is theirs, not from 0.
          y: { label: name, domain: domainOf(least(values), greatest(values)) },
        },
      );
      return [`curve-${name}.svg`, figure];
    }),
  );
}
