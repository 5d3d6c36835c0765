/** The numbers of an encoded row back as cells, to be read by a person. */
import { encodedWidth, type FieldEncoding, type RowEncoding } from "./row-encoding.ts";

/** A cell with the name of its column. */
export interface Cell {
  readonly name: string;
  /** `""` where it is missing, or a category that is not known. */
  readonly value: string;
}

/** Words of a text that are shown. */
const mostWords = 8;

const dayLength = 86_400_000;

/** The digits that float32 keeps of a number. */
const numberText = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "");

function cellOf(field: FieldEncoding, numbers: readonly number[]): string {
  const [first = Number.NaN] = numbers;
  if (field.kind === "number") return numberText(first);
  if (field.kind === "category") return field.values[first] ?? "";
  if (field.kind === "date") {
    const day = numbers[field.parts.findIndex(({ part }) => part === "day")];
    if (day !== undefined && Number.isFinite(day)) return dateText(day);
    return field.parts
      .flatMap(({ part }, i) => (Number.isFinite(numbers[i]) ? [`${part} ${numbers[i]}`] : []))
      .join(", ");
  }
  if (field.kind === "image") return Number.isNaN(first) ? "" : "an image";
  const weighted = field.words.map((word, place) => ({ word, weight: numbers[place] ?? 0 }));
  const found = weighted.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
  return `${found
    .slice(0, mostWords)
    .map(({ word }) => word)
    .join(" ")}${found.length > mostWords ? " …" : ""}`;
}

function dateText(day: number): string {
  // float32 keeps days since 1970 to some three minutes.
  const date = new Date(Math.round((day * dayLength) / 600_000) * 600_000);
  if (Number.isNaN(date.getTime())) return "";
  const text = date.toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ");
}

/**
 * An encoded row as cells: numbers and categories as they were, dates to ten minutes, of texts the words that are known, the weightiest
 * first.
 * @param numbers as `encodeRows` makes them
 */
export function rowCells({ fields }: RowEncoding, numbers: readonly number[]): Cell[] {
  let at = 0;
  return fields.map((field) => {
    const width = encodedWidth({ fields: [field] });
    at += width;
    return { name: field.name, value: cellOf(field, numbers.slice(at - width, at)) };
  });
}
