/** How time series are asked for. */
import type { DataKind } from "../kinds/data-kind.ts";

/** Rows of a table in the order of time, whose next values are forecast. A table of dates may as well be for one column by the others: who forecasts says so. */
export const seriesKind: DataKind = {
  recipe: "series",
  tasks: ["forecast"],
  recognize: () => undefined,
};
