/** Fields of records, by the names that options give them. */
import { DataError, nearest } from "../../core/errors.ts";
import { type FileRecord, shownValue } from "./json-records.ts";

/** The value of a field. Throws DataError, naming those that are there, where the record has none of the name. */
export function fieldOf({ fields, where }: FileRecord, name: string, option: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  const names = Object.keys(fields);
  const closest = nearest(name, names);
  throw new DataError(
    `${where}: has no "${name}"; it has ${names.join(", ") || "no fields"}: pass ${option}: "${closest ?? "…"}", or the name of the one that holds it`,
  );
}

/** A field that is a text with something in it. Throws DataError for anything else. */
export function textFieldOf(record: FileRecord, name: string, option: string): string {
  const value = fieldOf(record, name, option);
  if (typeof value === "string" && value.trim() !== "") return value;
  const got = typeof value === "string" ? "empty" : shownValue(value);
  throw new DataError(
    `${record.where}: "${name}" is ${got}, expected a text with something in it; fill it in, or remove the record`,
  );
}
