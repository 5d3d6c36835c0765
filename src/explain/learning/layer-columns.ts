/** Statistics of a layer in words and numbers, as tables show them. */
import type { LayerStatistics } from "./layer-statistics.ts";

/** Three digits; `-` of what there is not. */
export const numberText = (value: number | undefined): string =>
  value === undefined ? "-" : String(Number(value.toPrecision(3)));
/** A share in per cent. */
export const shareText = (share: number): string =>
  Number.isNaN(share) ? "NaN" : `${Number((100 * share).toFixed(1))} %`;

/** Numbers of a layer as a table shows them. */
export const layerColumns: readonly (readonly [head: string, of: (layer: LayerStatistics) => string])[] = [
  ["Mean", ({ mean }) => numberText(mean)],
  ["Deviation", ({ deviation }) => numberText(deviation)],
  ["Zeros", ({ zeros }) => shareText(zeros)],
  ["Dead units", ({ dead }) => shareText(dead)],
  ["Weights", ({ weights }) => numberText(weights?.norm)],
  ["Gradient", ({ weights }) => numberText(weights?.gradient)],
  ["Gradient / weights", ({ weights }) => numberText(weights?.ratio)],
];
