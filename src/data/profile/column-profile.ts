/** A column's type and figures, of the sums over all its values and of a sample of them. */
import { greatest } from "../../core/lists.ts";
import { count } from "../../core/number-text.ts";
import { type ColumnType, inferColumnTypes, parseDate, parseNumber } from "../tables/column-kinds.ts";
import type { ColumnStream } from "./column-stream.ts";
import { numberFigures } from "./number-figures.ts";
import type { ColumnProfile } from "./profile.ts";

/** Most values that are shown of a category. */
const mostTop = 20;

/** Numbers of cells, NaN where they are missing or none. */
export const numbersOf = (
  cells: readonly string[],
  { kind, decimalComma, dateFormat = "" }: ColumnType,
): Float64Array =>
  Float64Array.from(cells, (cell) => {
    if (cell === "") return Number.NaN;
    return (kind === "date" ? parseDate(cell, dateFormat) : parseNumber(cell, decimalComma)) ?? Number.NaN;
  });

/** What a column is, as its sample says, with what only all rows can say. */
export function columnTypeOf(type: ColumnType, stream: ColumnStream, rows: number): ColumnType {
  if (rows === type.rows) return type;
  const missing = rows - stream.present;
  const distinct = Math.min(stream.values.distinct, stream.present);
  const whole = { ...type, rows, missing, distinct };
  const sampled = `${type.why}, in a sample of ${count(type.rows)} rows`;
  if ((type.kind === "constant" || type.kind === "empty") && distinct > (type.kind === "empty" ? 0 : 1)) {
    // The rest of its values is too rare for the sample.
    const texts = stream.values.top(1000).map(({ value }) => [value]);
    const [rare] = inferColumnTypes([type.name], texts, stream);
    return {
      ...whole,
      kind: rare?.kind === "id" ? "category" : (rare?.kind ?? "category"),
      why: `${count(distinct)} distinct values, of which a sample has ${type.distinct}`,
    };
  }
  const isCounted =
    stream.least % 1 === 0 && stream.most - stream.least + 1 === stream.present && stream.numbers === stream.present;
  if (
    type.kind === "number" &&
    isCounted &&
    type.distinct === type.rows - type.missing &&
    distinct > 0.95 * stream.present
  )
    return {
      ...whole,
      kind: "id",
      why: `whole numbers from ${stream.least} to ${stream.most}, as many as there are rows`,
    };
  return { ...whole, why: sampled };
}

/** Type and figures of a column. */
export function columnProfile(type: ColumnType, stream: ColumnStream, cells: readonly string[]): ColumnProfile {
  const { values: _, ...facts } = type;
  const { kind } = type;
  if (kind === "number" || kind === "date") {
    const values = numbersOf(cells, type).filter((value) => !Number.isNaN(value));
    if (values.length === 0) return facts;
    // Sums over all rows hold where they understood the numbers.
    const isSummed = kind === "number" && stream.numbers >= 0.95 * stream.present;
    const known = isSummed ? stream : undefined;
    return {
      ...facts,
      numbers: numberFigures(values, known, stream.present),
      ...(kind === "number" &&
        stream.values.isExact &&
        type.distinct <= mostTop && { top: stream.values.top(mostTop) }),
    };
  }
  if (kind === "text") {
    const present = cells.filter((cell) => cell !== "");
    const sum = (of: (cell: string) => number) => present.reduce((total, cell) => total + of(cell), 0);
    return {
      ...facts,
      texts: {
        characters: sum(({ length }) => length) / present.length,
        words: sum((cell) => cell.trim().split(/\s+/).length) / present.length,
        longest: greatest(
          present.map(({ length }) => length),
          0,
        ),
      },
    };
  }
  return kind === "category" || kind === "constant" ? { ...facts, top: stream.values.top(mostTop) } : facts;
}
