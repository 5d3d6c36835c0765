/** Files of the user's disk, as `<input type="file">` and dropped files give them. */
import { FileError } from "../core/errors.ts";
import { plural } from "../core/number-text.ts";
import { type DialectOptions, sniffDialect } from "../data/tables/dialect.ts";
import { RecordSplitter } from "../data/tables/record-splitter.ts";
import { gunzip, isGzip } from "../storage/gzip.ts";

/** What a file is called in messages. */
export const nameOf = (file: Blob): string =>
  "name" in file && typeof file.name === "string" ? file.name : "the file";

/**
 * The bytes of a file, unpacked where gzip packed them: for `decodeSafetensors`, `modelFromOnnx`, `readIdx` (MNIST), `readWav`. Throws FileError for
 * one that is empty, gone, or changed since it was chosen.
 * @example const { tensors } = decodeSafetensors(await fileBytes(input.files[0]));
 */
export async function fileBytes(file: Blob): Promise<Uint8Array> {
  const name = nameOf(file);
  const buffer = await file.arrayBuffer().catch((cause: Error) => {
    throw new FileError(
      `${name}: the browser cannot read it (${cause.message}); it was moved, changed, or is larger than the page's memory: choose it again`,
      { cause },
    );
  });
  if (buffer.byteLength === 0) throw new FileError(`${name}: is empty (0 bytes); get the file anew`);
  const bytes = new Uint8Array(buffer);
  return isGzip(bytes) ? gunzip(bytes, name) : bytes;
}

/** A table of texts. */
export interface TextTable {
  /** The columns, in their order. */
  readonly names: readonly string[];
  /** A text for each column, in each row. */
  readonly rows: readonly (readonly string[])[];
  /** Whether a comma stands before the decimals of numbers, for `inferColumnTypes` and `parseNumber`. */
  readonly decimalComma: boolean;
  /** What was told by the beginning of the file, such as its separator. */
  readonly notes: readonly string[];
}

/** Bytes whose separators are told by them. */
const headBytes = 1 << 20;

/**
 * The rows of a file of separated values (CSV, TSV; packed by gzip or not), whose encoding, separator and names are told by its beginning.
 * Throws FileError with the line for what is no table, and for a row of another width.
 * @example
 * const { names, rows, decimalComma } = await readTableFile(input.files[0]);
 * const columns = inferColumnTypes(names, rows, { decimalComma }).map((type, at) => ({ type, at }));
 */
export async function readTableFile(file: Blob, options: DialectOptions = {}): Promise<TextTable> {
  const path = nameOf(file);
  const bytes = await fileBytes(file);
  const head = bytes.subarray(0, headBytes);
  const dialect = sniffDialect(head, path, options, head.length === bytes.length);
  const { encoding, markLength, skip, delimiter, newline, header, names, decimalComma, notes } = dialect;
  const text = new TextDecoder(encoding).decode(bytes.subarray(markLength));
  const splitter = new RecordSplitter({ delimiter, newline, path });
  const records = [...splitter.push(text), ...splitter.end()].slice(skip + (header ? 1 : 0));
  if (records.length === 0)
    throw new FileError(`${path}: has no rows under the names of its columns; expected at least one`);
  for (const { cells, line } of records)
    if (cells.length !== names.length)
      throw new FileError(
        `${path}: line ${line} has ${plural(cells.length, "value")}, expected ${names.length}, one for each column; mend the line`,
      );
  return { names, rows: records.map(({ cells }) => cells), decimalComma, notes };
}
