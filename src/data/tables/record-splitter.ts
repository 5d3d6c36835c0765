/** Text cut into records of cells, quotes respected (RFC 4180), as it comes in blocks. */
import { FileError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";

/** The cells of a record, and the line that it begins on, from 1. */
export interface TableRow {
  readonly cells: readonly string[];
  readonly line: number;
}

/** How the text is cut. */
export interface SplitterOptions {
  /** What separates cells: one character. */
  readonly delimiter: string;
  /** What ends lines; default "\n", before which "\r" is left out. */
  readonly newline?: "\n" | "\r";
  /** The file, for errors. */
  readonly path: string;
}

/** A cell without the spaces around it. */
function trimmed(cell: string): string {
  const last = cell.length - 1;
  return last >= 0 && (cell.charCodeAt(0) <= 32 || cell.charCodeAt(last) <= 32) ? cell.trim() : cell;
}

/** What `quotedRecord` found: the cells and where the record ends; `undefined` when the text ends before the record does. */
interface Found {
  readonly cells: string[];
  readonly end: number;
}

/** Cuts text that comes in blocks into records. Empty lines do not count. */
export class RecordSplitter {
  readonly #options: SplitterOptions;
  readonly #newline: string;
  #rest = "";
  #line = 1;

  constructor(options: SplitterOptions) {
    this.#options = options;
    this.#newline = options.newline ?? "\n";
  }

  /** The records that are complete with this text. Throws FileError with line and column for quotes that do not match. */
  push(text: string): TableRow[] {
    return this.#cut(this.#rest === "" ? text : this.#rest + text, false);
  }

  /** The last record, where no line end is behind it. Throws as `push`. */
  end(): TableRow[] {
    const rest = this.#rest;
    this.#rest = "";
    return rest === "" ? [] : this.#cut(rest, true);
  }

  /** Whether a record has begun that is not complete. */
  get isWithin(): boolean {
    return this.#rest !== "";
  }

  /** The number of the line that comes next; a reader that takes lines itself moves it on. */
  get line(): number {
    return this.#line;
  }

  set line(line: number) {
    this.#line = line;
  }

  #cut(text: string, isLast: boolean): TableRow[] {
    const { delimiter, path } = this.#options;
    const rows: TableRow[] = [];
    let start = 0;
    let quote = text.indexOf('"');
    while (start < text.length) {
      let end = text.indexOf(this.#newline, start);
      if (end < 0) {
        if (!isLast) break;
        end = text.length;
      }
      if (quote >= 0 && quote < start) quote = text.indexOf('"', start);
      if (quote < 0 || quote > end) {
        const line = text.slice(start, text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end);
        if (line !== "") {
          const cells = line.split(delimiter);
          for (let i = 0; i < cells.length; i++) cells[i] = trimmed(cells[i] as string);
          if (cells.length > 1 || cells[0] !== "") rows.push({ cells, line: this.#line });
        }
        this.#line++;
        start = end + 1;
        continue;
      }
      const found = this.#quotedRecord(text, start, isLast);
      if (!found) break;
      if (found.cells.length > 1 || found.cells[0] !== "") rows.push({ cells: found.cells, line: this.#line });
      this.#line += this.#countLines(text, start, found.end);
      start = found.end;
    }
    this.#rest = start < text.length ? text.slice(start) : "";
    if (this.#rest.length > limits.recordLength)
      throw new FileError(
        `${path}: line ${this.#line} begins a record of more than ${limits.recordLength} characters, the limit recordLength; ` +
          "a quote there is probably not closed: close it, or double quotes that belong to a value",
      );
    return rows;
  }

  /** A record that holds quotes, from `start` on. */
  #quotedRecord(text: string, start: number, isLast: boolean): Found | undefined {
    const { delimiter } = this.#options;
    const cells: string[] = [];
    let at = start;
    for (;;) {
      let from = at;
      while (text.charCodeAt(from) === 32) from++;
      if (text[from] === '"') {
        const closed = this.#quotedCell(text, from, start, isLast);
        if (!closed) return undefined;
        cells.push(closed.cell);
        at = closed.end;
      } else {
        let end = at;
        while (end < text.length && text[end] !== delimiter && text[end] !== this.#newline) end++;
        if (end === text.length && !isLast) return undefined;
        cells.push(trimmed(text.slice(at, end)));
        at = end;
      }
      if (text[at] !== delimiter) return { cells, end: Math.min(at + 1, text.length) };
      at++;
    }
  }

  /** The cell whose quote opens at `from`, and the place of what ends it. */
  #quotedCell(text: string, from: number, start: number, isLast: boolean): { cell: string; end: number } | undefined {
    const { delimiter } = this.#options;
    let close = text.indexOf('"', from + 1);
    while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
    if (close < 0 || (close + 1 === text.length && !isLast)) {
      if (isLast) throw this.#quoteError(text, start, from, "opens a quote that nothing closes");
      return undefined;
    }
    let end = close + 1;
    while (text.charCodeAt(end) === 32 || (text[end] === "\r" && this.#newline === "\n")) end++;
    if (end === text.length && !isLast) return undefined;
    if (end < text.length && text[end] !== delimiter && text[end] !== this.#newline)
      throw this.#quoteError(text, start, end, `has ${JSON.stringify(text[end])} behind a closing quote`);
    return { cell: text.slice(from + 1, close).replaceAll('""', '"'), end };
  }

  #countLines(text: string, start: number, end: number): number {
    let lines = 0;
    for (let at = text.indexOf(this.#newline, start); at >= 0 && at < end; at = text.indexOf(this.#newline, at + 1))
      lines++;
    return lines;
  }

  #quoteError(text: string, start: number, at: number, what: string): FileError {
    const line = this.#line + this.#countLines(text, start, at);
    const column = at - Math.max(start - 1, text.lastIndexOf(this.#newline, at - 1));
    return new FileError(
      `${this.#options.path}: line ${line}, column ${column} ${what}; expected a quote at both ends of a value: close it, or double each quote that belongs to the value`,
    );
  }
}
