/** Records of JSON Lines, one object a line, or of one JSON array of objects; each keeps where in its file it stands. */
import { DataError, FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { isPlainObject } from "../../core/tree.ts";

/** One record of a file, as its fields by name. */
export interface FileRecord {
  /** Its fields. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Where it stands, for errors: `reviews.jsonl: line 3`. */
  readonly where: string;
}

/** A value in a message: its kind, and of short ones what it is. */
export function shownValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string")
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isPlainObject(value)) return `an object of ${Object.keys(value).slice(0, 8).join(", ") || "no fields"}`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

const recordOf = (value: unknown, where: string): FileRecord => {
  if (!isPlainObject(value))
    throw new DataError(`${where} is ${shownValue(value)}, expected an object of fields; write { "name": value, … }`);
  return { fields: value, where };
};

/** What JSON.parse finds wrong, without the text that it repeats. */
export const reasonOf = (error: unknown): string => (error as Error).message.replace(/, (?:\.\.\.)?"[\s\S]*$/, "");

const byteOrderMark = "\uFEFF";

/** Lines of a text or of UTF-8 bytes, cut one at a time: a file may be larger than a string can be. */
function* linesOf(content: string | Uint8Array, what: string): Generator<string> {
  const isText = typeof content === "string";
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let number = 0;
  for (let start = 0; start <= content.length; ) {
    const found = isText ? content.indexOf("\n", start) : content.indexOf(10, start);
    const end = found < 0 ? content.length : found;
    number++;
    try {
      yield isText ? content.slice(start, end) : decoder.decode(content.subarray(start, end));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new FileError(`${what}: line ${number} is no text in UTF-8; save the file in this encoding`, {
        cause: error,
      });
    }
    start = end + 1;
  }
}

/** The record on a line. Throws DataError naming the line where it is no object. @param number of the line, from 1 */
export function recordOfLine(text: string, what: string, number: number): FileRecord {
  const where = `${what}: line ${number}`;
  let value: unknown;
  try {
    value = parseJson(number === 1 && text.startsWith(byteOrderMark) ? text.slice(1) : text);
  } catch (error) {
    throw new DataError(
      `${where} is no JSON (${reasonOf(error)}); expected one object on each line, or one array of objects: correct the line`,
      { cause: error },
    );
  }
  return recordOf(value, where);
}

/**
 * The records of JSON Lines, or of a JSON array, as text or as bytes in UTF-8; which it is, the first sign tells. Empty lines do
 * not count. Throws DataError naming the line, or the place in the array, of what is no object, and for a file without records.
 * @param what the file, for errors
 * @example parseJsonRecords('{"text":"Fine.","label":"good"}\n', "reviews.jsonl")[0].fields // { text: "Fine.", label: "good" }
 */
export function parseJsonRecords(content: string | Uint8Array, what: string): FileRecord[] {
  const records: FileRecord[] = [];
  let number = 0;
  for (const raw of linesOf(content, what)) {
    number++;
    const line = number === 1 && raw.startsWith(byteOrderMark) ? raw.slice(1) : raw;
    if (line.trim() === "") continue;
    if (records.length === 0 && line.trimStart().startsWith("[")) return arrayOf(content, what);
    records.push(recordOfLine(line, what, number));
  }
  if (records.length === 0) throw new DataError(`${what}: has no records, expected one JSON object on each line`);
  return records;
}

function arrayOf(content: string | Uint8Array, what: string): FileRecord[] {
  let values: unknown;
  try {
    const text = typeof content === "string" ? content : new TextDecoder("utf-8", { fatal: true }).decode(content);
    values = parseJson(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new DataError(
      `${what}: begins as a JSON array and is none (${reasonOf(error)}); correct it, or write one object on each line`,
      { cause: error },
    );
  }
  const list = values as readonly unknown[]; // it begins with [
  if (list.length === 0) throw new DataError(`${what}: is an empty array, expected at least one object`);
  return list.map((value, i) => recordOf(value, `${what}: record ${i + 1}`));
}
