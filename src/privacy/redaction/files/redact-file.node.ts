/** Files without personal data, as they come: texts by lines, tables by cells, JSON by values, pictures without metadata. */

import { stringify } from "csv-stringify/sync";
import { DataError, FileError, unknownName } from "../../../core/errors.ts";
import { parseJson } from "../../../core/json.ts";
import { RecordSplitter, type TableRow } from "../../../data/tables/record-splitter.ts";
import { openTable, requireWidth, type TableOptions } from "../../../data/tables/table-file.node.ts";
import { readHead, textBlocks } from "../../../data/tables/text-blocks.node.ts";
import { sniffEncoding } from "../../../data/tables/text-encoding.ts";
import { readBytes } from "../../../storage/atomic.node.ts";
import { endingOf } from "../../../storage/ending.ts";
import { withoutMetadata } from "../../metadata/picture-metadata.ts";
import type { Redactor } from "../redact-text.ts";
import { type Field, redactFields } from "./fields.ts";
import { redactJson } from "./json-values.ts";
import { linesIn, type PlacedChange, placesOf } from "./places.ts";

/** What is done to a file. */
export interface FileRedaction {
  /** What takes personal data out of texts: `redactor(…)`. */
  readonly redact: Redactor;
  /** Columns of tables and fields of JSON that are looked at; default all. */
  readonly columns?: readonly string[] | undefined;
  /** How tables are read. */
  readonly table?: TableOptions | undefined;
}

/** A part of the file that is written, and what was changed in it. */
export interface RedactedPart {
  readonly content: string | Uint8Array;
  readonly changes: readonly PlacedChange[];
  /** Parts of a picture's file that were left out. */
  readonly removed?: number;
}

type FileParts = AsyncGenerator<RedactedPart>;

/** Characters that are searched at once. */
const searched = 1 << 16;
/** Characters of a key of several lines, which a block may not cut. */
const longestKey = 1 << 16;

/** Where a block may be cut: before a private key whose end is in the next one. */
function cutOf(text: string): number {
  const begin = text.lastIndexOf("-----BEGIN");
  return begin >= 0 && text.indexOf("-----END", begin) < 0 && text.length - begin < longestKey ? begin : text.length;
}

/** The text of a file in parts of whole lines. Throws FileError for what is no text. */
async function* textParts(path: string): AsyncGenerator<string> {
  const { head } = await readHead(path);
  let rest = "";
  for await (const block of textBlocks(path, sniffEncoding(head, path, "text"))) {
    const text = rest + block;
    let from = 0;
    while (text.length - from > searched) {
      const line = text.lastIndexOf("\n", from + searched) + 1;
      // A longer line is one part.
      const end = line > from ? line : text.indexOf("\n", from) + 1 || text.length;
      const cut = from + cutOf(text.slice(from, end));
      if (cut === from) break;
      yield text.slice(from, cut);
      from = cut;
    }
    rest = text.slice(from);
  }
  if (rest !== "") yield rest;
}

async function* redactedText(path: string, { redact }: FileRedaction): FileParts {
  let line = 1;
  for await (const text of textParts(path)) {
    const { text: content, changes } = await redact(text);
    yield { content, changes: placesOf(text, changes, line) };
    line += linesIn(text);
  }
}

/** Whether a column is looked at. Throws OptionError for columns that are not there. */
function wantedOf(columns: readonly string[] | undefined, names: readonly string[]): (name: string) => boolean {
  const stray = columns?.find((name) => !names.includes(name));
  if (stray !== undefined) throw unknownName("column", stray, names);
  return (name) => columns?.includes(name) ?? true;
}

async function* redactedTable(path: string, { redact, columns, table }: FileRedaction): FileParts {
  const { dialect } = await openTable(path, table);
  if (!dialect) return;
  const { names, delimiter, newline, header } = dialect;
  const isWanted = wantedOf(columns, names);
  const places = [...names.keys()].filter((i) => isWanted(names[i] ?? ""));
  const splitter = new RecordSplitter({ ...dialect, path });
  let [before, ending] = [dialect.skip + (header ? 1 : 0), newline as string];
  const write = (rows: readonly (readonly string[])[]) =>
    stringify(rows as string[][], { delimiter, record_delimiter: ending, escape_formulas: false });
  async function* made(records: readonly TableRow[]): FileParts {
    for (let from = 0; from < records.length; ) {
      let [end, length] = [from, 0];
      while (end < records.length && length < searched) length += 16 + (records[end++]?.cells.join().length ?? 0);
      const rows = records.slice(from, end);
      const kept = rows.slice(0, before);
      const own = rows.slice(before);
      before -= kept.length;
      for (const row of own) requireWidth(row, dialect as NonNullable<typeof dialect>, path);
      const fields: Field[] = own.flatMap(({ cells }) =>
        places.map((i) => ({ name: header ? (names[i] ?? "") : "", text: cells[i] ?? "" })),
      );
      const redacted = await redactFields(redact, fields);
      const changes: PlacedChange[] = [];
      const cells = own.map((row, r) => {
        const next = [...row.cells];
        for (const [p, i] of places.entries()) {
          const field = redacted[r * places.length + p];
          next[i] = field?.text ?? "";
          for (const { kind, rule } of field?.changes ?? [])
            changes.push({ kind, rule, line: row.line, column: names[i] ?? String(i) });
        }
        return next;
      });
      yield { content: write([...kept.map((row) => row.cells), ...cells]), changes };
      from = end;
    }
  }
  let isFirst = true;
  for await (const text of textBlocks(path, dialect)) {
    if (isFirst && text.includes("\r\n")) ending = "\r\n";
    isFirst = false;
    yield* made(splitter.push(text));
  }
  yield* made(splitter.end());
}

/** Names of the fields of the first record, of which `columns` have to be some. */
function requireFields(columns: readonly string[] | undefined, json: string): void {
  const names = [...json.matchAll(/"((?:[^"\\]|\\.)*)"\s*:/gs)].map(([, name]) => String(JSON.parse(`"${name}"`)));
  wantedOf(columns, names);
}

const parsed = (text: string, where: string): void => {
  try {
    parseJson(text);
  } catch (cause) {
    throw new DataError(`${where} is no JSON (${cause instanceof Error ? cause.message : String(cause)}); correct it`, {
      cause,
    });
  }
};

/** Lines of JSON, in parts. Throws DataError for a line that is none. */
async function* redactedJsonLines(path: string, { redact, columns }: FileRedaction): FileParts {
  const isWanted = (name: string) => columns?.includes(name) ?? true;
  let line = 1;
  let isFirst = true;
  for await (const text of textParts(path)) {
    for (const [i, own] of text.split("\n").entries()) {
      if (own.trim() === "") continue;
      parsed(own, `${path}: line ${line + i}`);
      if (isFirst) requireFields(columns, own);
      isFirst = false;
    }
    const { text: content, changes } = await redactJson(redact, text, isWanted);
    const places = placesOf(
      text,
      changes.map(([, change]) => change),
      line,
    );
    yield { content, changes: places.map((place, i) => ({ ...place, column: changes[i]?.[0] ?? "" })) };
    line += linesIn(text);
  }
}

async function* redactedJson(path: string, { redact, columns }: FileRedaction): FileParts {
  const bytes = await readBytes(path, "redact");
  const text = new TextDecoder(sniffEncoding(bytes, path, "JSON").encoding).decode(bytes);
  parsed(text, path);
  requireFields(columns, text);
  const { text: content, changes } = await redactJson(redact, text, (name) => columns?.includes(name) ?? true);
  const places = placesOf(
    text,
    changes.map(([, change]) => change),
    1,
  );
  yield { content, changes: places.map((place, i) => ({ ...place, column: changes[i]?.[0] ?? "" })) };
}

async function* cleanPicture(path: string): FileParts {
  const { bytes, removed } = withoutMetadata(await readBytes(path, "redact"));
  yield { content: bytes, changes: [], removed: removed.length };
}

const byEnding: Readonly<Record<string, (path: string, how: FileRedaction) => FileParts>> = {
  ".csv": redactedTable,
  ".tsv": redactedTable,
  ".jsonl": redactedJsonLines,
  ".ndjson": redactedJsonLines,
  ".json": redactedJson,
  ".jpg": cleanPicture,
  ".jpeg": cleanPicture,
  ".png": cleanPicture,
  ".webp": cleanPicture,
  ".gif": cleanPicture,
};

/** The parts of a file without personal data, by the ending of its name; what is no table, JSON or picture is read as text. Throws FileError for what is none. */
export function redactedParts(path: string, how: FileRedaction): FileParts {
  const ending = endingOf(path);
  if (ending === ".parquet")
    throw new FileError(`redact: ${path} is a Parquet file, which is not written; export it as CSV, or take it out`);
  return (byEnding[ending] ?? redactedText)(path, how);
}
