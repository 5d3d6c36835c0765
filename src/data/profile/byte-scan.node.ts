/**
 * The fast way over separated values in UTF-8: each byte is looked at once, to hash its cell and to read plain numbers, and texts are made
 * only of cells that are new to their column. Rows whose quotes are not plain take the slow way.
 */
import { isUtf8 } from "node:buffer";
import type { Dialect } from "../tables/dialect.ts";
import { missingFilter } from "../tables/missing-texts.ts";
import { RecordSplitter, type TableRow } from "../tables/record-splitter.ts";
import { requireWidth, type TableFile } from "../tables/table-file.node.ts";
import { byteBlocks, refuseLine } from "../tables/text-blocks.node.ts";
import type { ColumnStream } from "./column-stream.ts";
import { addRow, countRow, mixRowA, mixRowB, type ScanState } from "./scan-state.ts";
import { hashCell, hashFactors, hashSeeds } from "./value-counts.ts";

const [lineFeed, carriageReturn, quote, space, plus, minus, point, comma] = [10, 13, 34, 32, 43, 45, 46, 44];
const [seedA, seedB] = hashSeeds;
const [factorA, factorB] = hashFactors;
/** So many digits are exact in a double. */
const exactDigits = 15;
const powers = Array.from({ length: exactDigits + 1 }, (_, i) => 10 ** i);

/** Texts of missing values by the hash of their bytes. */
class MissingHashes {
  readonly #longest: number;
  readonly #marks = new Uint8Array(256);
  readonly #pairs: (readonly [number, number])[];

  constructor(texts: readonly string[]) {
    this.#pairs = texts.map((text) => hashCell(text.trim()));
    this.#longest = Math.max(0, ...texts.map((text) => new TextEncoder().encode(text.trim()).length));
    for (const [a] of this.#pairs) this.#marks[a & 255] = 1;
  }

  has(length: number, a: number, b: number): boolean {
    if (length > this.#longest || this.#marks[a & 255] === 0) return false;
    return this.#pairs.some((pair) => pair[0] === a && pair[1] === b);
  }
}

/** Takes whole lines of bytes in. */
class ByteScanner {
  readonly #file: TableFile;
  readonly #state: ScanState;
  readonly #missing: MissingHashes;
  readonly #filter: (cell: string) => string;
  readonly #delimiter: number;
  readonly #decimal: number;

  constructor(file: TableFile, delimiter: string, state: ScanState, missing: readonly string[]) {
    this.#file = file;
    this.#state = state;
    this.#missing = new MissingHashes(missing);
    this.#filter = missingFilter(missing);
    this.#delimiter = delimiter.charCodeAt(0);
    this.#decimal = file.decimalComma ? comma : point;
  }

  /**
   * Reads the lines of a block. Returns where it stopped: at the block's end, or at the beginning of a row that has to be read the slow way;
   * and how many lines that were.
   */
  scan(bytes: Buffer, firstLine: number): { readonly end: number; readonly lines: number } {
    const state = this.#state;
    const columns = state.columns;
    const width = columns.length;
    const delimiter = this.#delimiter;
    const decimal = this.#decimal;
    const missing = this.#missing;
    const length = bytes.length;
    let at = 0;
    let line = firstLine;
    // Cells of the row, so that a row is counted as a whole or not at all.
    const starts = new Int32Array(width);
    const ends = new Int32Array(width);
    const hashesA = new Int32Array(width);
    const hashesB = new Int32Array(width);
    const numbers = new Float64Array(width);
    while (at < length) {
      const rowStart = at;
      let rowA = 0;
      let rowB = 0;
      let count = 0;
      let byte = 0;
      do {
        let start = at;
        let a: number = seedA;
        let b: number = seedB;
        let mantissa = 0;
        let digits = 0;
        let decimals = -1;
        let isNumber = true;
        byte = bytes[at] as number;
        let end: number;
        if (byte === quote) {
          start = ++at;
          for (byte = bytes[at] as number; byte !== quote && byte !== lineFeed; byte = bytes[++at] as number) {
            a = Math.imul(a ^ byte, factorA);
            b = Math.imul(b ^ byte, factorB);
          }
          end = at;
          byte = bytes[++at] as number;
          // Doubled quotes, quotes over lines, text behind a quote.
          if (bytes[end] !== quote || (byte !== delimiter && byte !== lineFeed && byte !== carriageReturn))
            return { end: rowStart, lines: line - firstLine };
          if (byte === carriageReturn) byte = bytes[++at] as number;
          if (byte !== delimiter && byte !== lineFeed) return { end: rowStart, lines: line - firstLine };
          isNumber = false;
        } else {
          const isNegative = byte === minus;
          if (isNegative || byte === plus) {
            a = Math.imul(a ^ byte, factorA);
            b = Math.imul(b ^ byte, factorB);
            byte = bytes[++at] as number;
          }
          while (byte !== delimiter && byte !== lineFeed) {
            a = Math.imul(a ^ byte, factorA);
            b = Math.imul(b ^ byte, factorB);
            const digit = byte - 48;
            if (digit >= 0 && digit <= 9) {
              mantissa = mantissa * 10 + digit;
              digits++;
            } else if (byte === decimal && decimals < 0) decimals = digits;
            else isNumber = false;
            byte = bytes[++at] as number;
          }
          end = at;
          const last = bytes[end - 1] as number;
          if (end > start && (last <= space || (bytes[start] as number) <= space)) {
            while (end > start && (bytes[end - 1] as number) <= space) end--;
            while (end > start && (bytes[start] as number) <= space) start++;
            if (bytes[start] === quote) return { end: rowStart, lines: line - firstLine };
            a = seedA;
            b = seedB;
            for (let i = start; i < end; i++) {
              a = Math.imul(a ^ (bytes[i] as number), factorA);
              b = Math.imul(b ^ (bytes[i] as number), factorB);
            }
            isNumber = false;
          }
          if (digits === 0 || digits > exactDigits) isNumber = false;
          else if (isNegative) mantissa = -mantissa;
        }
        if (missing.has(end - start, a, b)) {
          end = start;
          a = seedA;
          b = seedB;
        }
        if (count < width) {
          starts[count] = start;
          ends[count] = end;
          hashesA[count] = a;
          hashesB[count] = b;
          numbers[count] = isNumber
            ? decimals < 0
              ? mantissa
              : mantissa / (powers[digits - decimals] as number)
            : Number.NaN;
        }
        count++;
        rowA = mixRowA(rowA, a);
        rowB = mixRowB(rowB, b);
        at++;
      } while (byte !== lineFeed);
      if (
        count === 1 &&
        (starts[0] as number) >= (ends[0] as number) &&
        bytes[rowStart] !== quote &&
        isBlank(bytes, rowStart, at)
      ) {
        line++;
        continue;
      }
      if (count !== width) this.#refuseWidth(count, line);
      for (let i = 0; i < width; i++) {
        const start = starts[i] as number;
        const end = ends[i] as number;
        if (start === end) continue;
        const column = columns[i] as ColumnStream;
        const number = numbers[i] as number;
        if (!Number.isNaN(number)) {
          column.present++;
          column.addNumber(number);
        } else if (column.triesNumbers) column.addText(bytes.toString("utf8", start, end));
        else column.present++;
        if (column.values.add(hashesA[i] as number, hashesB[i] as number))
          column.values.name(bytes.toString("utf8", start, end));
      }
      if (countRow(state, rowA, rowB)) {
        const cells = Array.from(starts, (start, i) => bytes.toString("utf8", start, ends[i] as number));
        state.sample.put({ cells, line, index: state.rows - 1 });
      }
      line++;
    }
    return { end: length, lines: line - firstLine };
  }

  #refuseWidth(count: number, line: number): never {
    const { names, path, dialect } = this.#file;
    requireWidth(
      { cells: new Array<string>(count).fill(""), line },
      { names, delimiter: dialect?.delimiter ?? "," },
      path,
    );
    throw new Error("internal: the row has as many values as there are columns");
  }

  /** Rows that were cut the slow way. */
  addRows(rows: readonly TableRow[]): void {
    const { names, path, dialect } = this.#file;
    for (const row of rows) {
      requireWidth(row, { names, delimiter: dialect?.delimiter ?? "," }, path);
      addRow(this.#state, { cells: row.cells.map(this.#filter), line: row.line });
    }
  }
}

const isBlank = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) if ((bytes[i] as number) > space) return false;
  return true;
};

/** Reads a file of separated values. Throws FileError naming the line of a broken row. */
export async function scanBytes(
  file: TableFile,
  dialect: Dialect,
  state: ScanState,
  missing: readonly string[],
): Promise<void> {
  const { path } = file;
  const splitter = new RecordSplitter({ ...dialect, path });
  const scanner = new ByteScanner(file, dialect.delimiter, state, missing);
  let skipped = dialect.skip + (dialect.header ? 1 : 0);
  const addSlowly = (rows: TableRow[]) => {
    const kept = rows.slice(skipped);
    skipped -= rows.length - kept.length;
    scanner.addRows(kept);
  };
  for await (const block of byteBlocks(path, dialect.markLength)) {
    if (!isUtf8(block)) refuseLine(block, splitter.line - 1, path);
    let start = 0;
    // The slow way takes the names, and what a quote has begun in the block before.
    if (skipped === 0 && !splitter.isWithin && block.at(-1) === lineFeed) {
      const { end, lines } = scanner.scan(block, splitter.line);
      splitter.line += lines;
      start = end;
    }
    if (start < block.length) addSlowly(splitter.push(block.toString("utf8", start)));
  }
  addSlowly(splitter.end());
}
