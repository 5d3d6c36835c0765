/** Records of files: CSV and TSV with a header, JSON Lines and arrays, Parquet, words with tags of CoNLL; which it is, the name's ending tells. */

import { DataError, FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { isPlainObject } from "../../core/tree.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { endingOf } from "../../storage/ending.ts";
import { parseConll } from "../text/conll.ts";
import { readLines, readRecords } from "./csv-schema.node.ts";
import { type FileRecord, parseJsonRecords } from "./json-records.ts";
import { readParquet } from "./parquet.node.ts";

async function csvRecords(path: string, delimiter: string): Promise<FileRecord[]> {
  let names: readonly string[] | undefined;
  for await (const { values } of readLines(path, { delimiter })) {
    names = values.map((name) => name.trim());
    break;
  }
  const repeated = names?.find((name, i) => names?.indexOf(name) !== i);
  if (repeated !== undefined) throw new FileError(`${path}: two columns are named "${repeated}"; rename one`);
  const records: FileRecord[] = [];
  for await (const { values, line } of readRecords(path, { label: "", delimiter }))
    records.push({
      fields: Object.fromEntries((names ?? []).map((name, i) => [name, values[i]])),
      where: `${path}: line ${line}`,
    });
  return records;
}

/** Whole numbers of 64 bits as numbers where they are exact, else as text; lists and structs likewise. */
function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (isPlainObject(value)) return plainFields(value);
  return value;
}

/** The fields of a row of Parquet as JSON has them. */
export const plainFields = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainValue(value)]));

const parquetRecords = async (path: string): Promise<FileRecord[]> =>
  (await readParquet(path)).map((row, i) => ({ fields: plainFields(row), where: `${path}: row ${i + 1}` }));

/** Records of a .json file; an object over several lines, such as a file of SQuAD, is one. */
async function jsonRecords(path: string): Promise<FileRecord[]> {
  const bytes = await readBytes(path, "records");
  try {
    return parseJsonRecords(bytes, path);
  } catch (error) {
    const whole = wholeObject(bytes);
    if (!whole) throw error;
    return [{ fields: whole, where: path }];
  }
}

function wholeObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = parseJson(new TextDecoder().decode(bytes));
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function conllRecords(path: string): Promise<FileRecord[]> {
  return parseConll(new TextDecoder().decode(await readBytes(path, "sentences")), path);
}

const readers: Readonly<Record<string, (path: string) => Promise<FileRecord[]>>> = {
  ".csv": (path) => csvRecords(path, ","),
  ".tsv": (path) => csvRecords(path, "\t"),
  ".json": jsonRecords,
  ".jsonl": async (path) => parseJsonRecords(await readBytes(path, "records"), path),
  ".ndjson": async (path) => parseJsonRecords(await readBytes(path, "records"), path),
  ".parquet": parquetRecords,
  ...Object.fromEntries([".conll", ".bio", ".iob", ".iob2"].map((ending) => [ending, conllRecords])),
};

/**
 * The records of a file, each with the place where it stands. Values of CSV and TSV are texts; those of Parquet what the columns
 * hold, lists and structs as arrays and objects; a sentence of a CoNLL file has `tokens` and `tags`. Throws FileError when the file is missing, damaged or of another kind, DataError
 * when it has no records or a broken one.
 * @example (await loadRecords("reviews.parquet"))[0].fields // { text: "Fine.", label: 1 }
 */
export async function loadRecords(path: string): Promise<FileRecord[]> {
  const ending = endingOf(path);
  const read = Object.hasOwn(readers, ending) ? readers[ending] : undefined;
  if (!read)
    throw new FileError(
      `${path}: its name ends with "${ending}", expected one of ${Object.keys(readers).join(" ")}; rename or convert it`,
    );
  const records = await read(path);
  if (records.length === 0) throw new DataError(`${path}: has no records, expected at least one`);
  return records;
}
