/** What a simple forecast of series is: fitted on windows, asked for any other. */
import type { SeriesEncoding } from "./series-encoding.ts";
import type { SeriesGrid, SeriesWindow } from "./series-grid.ts";
import type { SeriesParts } from "./series-parts.ts";

/** Series in parts. */
export interface PartedSeries {
  readonly encoding: SeriesEncoding;
  readonly grids: readonly SeriesGrid[];
  readonly parts: SeriesParts;
}

/** What is forecast of target j of a window, by the steps after it, from 1. */
export type SimpleForecast = (window: SeriesWindow, j: number) => (h: number) => number;

/** A way to forecast with one setting, fitted on windows and on what is known up to the end of the last of them. */
export interface SimpleAttempt {
  /** Empty where there is nothing to choose. */
  readonly settings: string;
  fit(windows: readonly SeriesWindow[]): SimpleForecast;
}
