/** How time series are asked for, and recognized. */
import { DataError } from "../../core/errors.ts";
import { quoted } from "../../core/printable.ts";
import { type ColumnType, parseDate } from "../../data/tables/column-kinds.ts";
import type { DataKind } from "../kinds/data-kind.ts";
import { taskOfColumn } from "../tables/target.ts";
import { placeOf, stepText, usualStep } from "./time-steps.ts";

/** Rows that show a step, at least. */
const fewest = 40;
/** Shares of rows that lie on the steps, and of steps that have a row, at least. */
const [onSteps, present] = [0.98, 0.8];

/** Rows of a table in the order of time, whose next values are forecast. */
export const seriesKind: DataKind = {
  recipe: "series",
  tasks: ["forecast"],
  recognize(data, { task, target }) {
    if (data.kind !== "table" || task !== undefined) return undefined;
    const [time, ...others] = data.columns.filter(({ kind }) => kind === "date");
    // With several dates it is not clear which tells the order.
    if (!time || others.length > 0 || !areMeasures(data.columns, time, target)) return undefined;
    const at = data.columns.indexOf(time);
    const step = regularStep(
      data.rows.map((cells) => cells[at] ?? ""),
      time.dateFormat ?? "",
    );
    return step === undefined
      ? undefined
      : `a table in the order of time, by ${quoted(time.name)} in steps of ${step}, whose next numbers are forecast (--task regression predicts a column of its rows by the others)`;
  },
};

/**
 * Whether all columns beside the time are measures, among them what is to be predicted, if that is said. A category, or a number of few values, may
 * tell series or kinds of events apart, or be what a measure is predicted by.
 */
function areMeasures(columns: readonly ColumnType[], time: ColumnType, target: string | undefined): boolean {
  const beside = columns.filter((column) => column !== time && column.kind !== "constant" && column.kind !== "empty");
  const isMeasure = (column: ColumnType) => column.kind === "number" && !taskOfColumn(column, "auto").isClasses;
  const named = target?.split(",").map((name) => name.trim()) ?? [];
  const names = new Set(beside.map(({ name }) => name));
  return beside.length > 0 && beside.every(isMeasure) && named.every((name) => names.has(name));
}

/** The step of dates that follow one another in (almost) regular steps, none twice, in a few words; nothing where they do not. */
function regularStep(cells: readonly string[], format: string): string | undefined {
  const moments = cells.map((cell) => parseDate(cell, format) ?? Number.NaN);
  const [first = 0, last = 0] = [moments[0], moments.at(-1)];
  const rising = first <= last ? moments : moments.toReversed();
  // NaN is not above anything.
  const isOrdered = rising.every((moment, i) => i === 0 || moment > (rising[i - 1] as number));
  if (rising.length < fewest || !isOrdered) return undefined;
  try {
    const step = usualStep([rising], true);
    const places = rising.map((moment) => placeOf(moment, step));
    const whole = places.filter(Number.isInteger).length;
    const steps = Math.round(places.at(-1) ?? 0) + 1;
    return whole >= onSteps * rising.length && rising.length >= present * steps ? stepText(step) : undefined;
  } catch (error) {
    // No usual step.
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
