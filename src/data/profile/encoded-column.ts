/** Columns of a sample as numbers or as codes of their values, for what is computed of them. */
import type { ColumnType } from "../tables/column-kinds.ts";
import { numbersOf } from "./column-profile.ts";

/** A column of the sample. */
export interface EncodedColumn {
  readonly name: string;
  /** Of numbers and dates: values, NaN where they are missing. */
  readonly numbers?: Float64Array;
  /** Of categories: the place of each value among the distinct ones, -1 where it is missing. */
  readonly codes?: Int32Array;
  /** Distinct values of codes. */
  readonly levels: number;
}

/** Codes of texts, -1 for "". */
export function codesOf(cells: readonly string[]): { readonly codes: Int32Array; readonly names: readonly string[] } {
  const places = new Map<string, number>();
  const codes = Int32Array.from(cells, (cell) => {
    if (cell === "") return -1;
    const place = places.get(cell);
    if (place !== undefined) return place;
    places.set(cell, places.size);
    return places.size - 1;
  });
  return { codes, names: [...places.keys()] };
}

/** A column for computing, `undefined` for one of no value for that: ids, constants, free texts. */
export function encodedColumn(type: ColumnType, cells: readonly string[]): EncodedColumn | undefined {
  if (type.kind === "number" || type.kind === "date")
    return { name: type.name, numbers: numbersOf(cells, type), levels: 0 };
  if (type.kind !== "category") return undefined;
  const { codes, names } = codesOf(cells);
  return { name: type.name, codes, levels: names.length };
}
