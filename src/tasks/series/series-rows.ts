/** Rows of a table as series: each row's moment and series, in the order of time, none twice. */
import { DataError } from "../../core/errors.ts";
import { appendTo } from "../../core/lists.ts";
import { count } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { parseNumber } from "../../data/tables/cell-numbers.ts";
import { parseDate } from "../../data/tables/column-kinds.ts";
import type { NamedRow } from "../../data/tables/rows/row-encoding.ts";
import type { SeriesColumns } from "./series-encoding.ts";
import { momentAt, momentText, placeOf, stepText, type TimeStep } from "./time-steps.ts";

/** A row with its moment. */
export interface TimedRow {
  readonly row: NamedRow;
  readonly moment: number;
}

/** The columns that moments and series are read of. */
export interface SeriesKeys {
  readonly time: Omit<SeriesColumns["time"], "step">;
  readonly series?: Pick<NonNullable<SeriesColumns["series"]>, "name"> | undefined;
}

/** Rows of each series by its name, `""` where there is one, ascending in time. Throws DataError for a row without a time, and for two rows of one time. */
export function timedRows(rows: readonly NamedRow[], { time, series }: SeriesKeys): Map<string, TimedRow[]> {
  const found = new Map<string, TimedRow[]>();
  for (const row of rows) {
    const cell = row.cell(time.name);
    const moment =
      time.dateFormat === undefined ? parseNumber(cell, time.decimalComma) : parseDate(cell, time.dateFormat);
    if (moment === undefined)
      throw new DataError(
        `${row.where}: ${quoted(time.name)} is ${quoted(cell)}, expected ${time.dateFormat === undefined ? "a number" : `a date as ${time.dateFormat}`}; correct it, or remove the row`,
      );
    const name = series ? row.cell(series.name) : "";
    if (series && name === "")
      throw new DataError(`${row.where}: has no ${quoted(series.name)}, which tells series apart; fill it in`);
    appendTo(found, name, { row, moment });
  }
  for (const [name, own] of found) {
    own.sort((a, b) => a.moment - b.moment);
    const at = own.findIndex(({ moment }, i) => i > 0 && moment === own[i - 1]?.moment);
    const [one, other] = [own[at - 1]?.row, own[at]?.row];
    if (one && other)
      throw new DataError(
        `${one.where} and ${other.where.split(": ").at(-1)} are both of ${quoted(other.cell(time.name))}${series ? ` and ${quoted(name)}` : ""}; keep one of them, or name ${series ? "a column that tells all series apart" : "the column that tells series apart"}: --series COLUMN`,
      );
  }
  return found;
}

/** Steps that a series may lack for each row that it has, and beside. */
const mostGaps = 20;
const smallGap = 1000;

/** Whole places of rows. Throws DataError for one between steps, and for one that is very far from the others. */
export function placesOf(rows: readonly TimedRow[], step: TimeStep): number[] {
  const places = rows.map(({ moment }) => placeOf(moment, step));
  const odd = places.findIndex((place) => !Number.isInteger(place));
  const stray = rows[odd];
  if (stray) {
    const near = Math.floor(places[odd] as number);
    const [before, after] = [near, near + 1].map((place) => momentText(momentAt(place, step), step));
    throw new DataError(
      `${stray.row.where}: its time is ${momentText(stray.moment, step)}, between ${before} and ${after}, where steps are of ${stepText(step)}; correct it, or pass one row for each step`,
    );
  }
  const gaps = places.slice(1).map((place, i) => place - (places[i] as number));
  const widest = gaps.reduce((best, gap, i) => (gap > (gaps[best] as number) ? i : best), 0);
  if ((places.at(-1) as number) - (places[0] as number) > mostGaps * rows.length + smallGap)
    throw new DataError(
      `${rows[widest]?.row.where} and ${rows[widest + 1]?.row.where.split(": ").at(-1)} are ${count(gaps[widest] as number)} steps of ${stepText(step)} apart; correct the time, or leave out what lies so far away`,
    );
  return places;
}
