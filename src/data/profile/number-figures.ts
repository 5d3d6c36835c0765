/** Figures of numbers: quartiles, outliers, a histogram. */
import { deviationOf, meanOf } from "../tables/columns.ts";
import type { Histogram, NumberFigures } from "./profile.ts";

const bins = 20;

/** Quantile of sorted values, by linear interpolation (type 7 of Hyndman and Fan 1996). */
function sortedQuantile(sorted: Float64Array, fraction: number): number {
  const place = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(place)] as number;
  return below + (place % 1) * ((sorted[Math.ceil(place)] as number) - below);
}

/** Counts of values between equally distant edges. */
function histogramOf(sorted: Float64Array): Histogram {
  const [least, most] = [sorted[0] as number, sorted.at(-1) as number];
  const width = (most - least) / bins;
  // Numbers so large that their distance is none.
  if (!(width > 0) || !Number.isFinite(width)) return { edges: [least, most], counts: [sorted.length] };
  const counts = new Array<number>(bins).fill(0);
  for (const value of sorted) {
    const bin = Math.min(bins - 1, Math.floor((value - least) / width));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return { edges: Array.from({ length: bins + 1 }, (_, i) => (i === bins ? most : least + i * width)), counts };
}

/** What sums over all values say, where the values at hand are a sample. */
export interface KnownSums {
  readonly least: number;
  readonly most: number;
  readonly mean: number;
  readonly deviation: number;
}

/** Figures of values, of which there is at least one. @param total how many there are in all, where these are a sample */
export function numberFigures(values: Float64Array, known?: KnownSums, total = values.length): NumberFigures {
  const sorted = values.slice().sort();
  const [low, median, high] = [0.25, 0.5, 0.75].map((fraction) => sortedQuantile(sorted, fraction)) as [
    number,
    number,
    number,
  ];
  const spread = high - low;
  const fences = { low: low - 1.5 * spread, high: high + 1.5 * spread };
  let beyond = 0;
  for (const value of sorted) if (value < fences.low || value > fences.high) beyond++;
  return {
    least: known?.least ?? (sorted[0] as number),
    most: known?.most ?? (sorted.at(-1) as number),
    mean: known?.mean ?? meanOf(sorted),
    deviation: known?.deviation ?? deviationOf(sorted),
    quartiles: [low, median, high],
    ...(spread > 0 && { outliers: { count: Math.round((beyond * total) / sorted.length), ...fences } }),
    histogram: histogramOf(sorted),
  };
}
