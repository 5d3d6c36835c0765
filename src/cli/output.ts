/** Where a command writes: sentences for a person, or JSON lines for a program, never both. */
import { append } from "../core/lists.ts";
import { printable } from "../core/printable.ts";
import { columnsVariable, launched } from "../distributed/mpi/launcher.node.ts";
import { wrap } from "./text.ts";

export interface Output {
  /** Standard output carries JSON lines only. */
  readonly json: boolean;
  /** A live bar may be drawn. */
  readonly terminal: boolean;
  /** Columns to write in. */
  readonly columns: number;
  /** Writes a line for a person, as it is; nothing in JSON mode. On a terminal with colours it is shown as `style` says. */
  line(text?: string, style?: Style): void;
  /** Whether `shades` shows colours. */
  readonly colours: boolean;
  /** Writes a line of parts for a person, on a terminal with 256 colours each in its own; nothing in JSON mode. */
  shades(parts: readonly Shaded[]): void;
  /** Writes a part of a line for a person, as it comes; nothing in JSON mode. */
  part(text: string): void;
  /** Writes sentences for a person, wrapped; `indent` that of the lines after the first. */
  prose(text: string, indent?: number, style?: Style): void;
  /** Writes a record for a program; nothing outside JSON mode. */
  record(type: string, fields: Readonly<Record<string, unknown>>): void;
  /** What a person must know although all goes on; on standard error. */
  warn(text: string, style?: Style): void;
}

/** How text is shown where there are colours. */
const styles = { good: 32, caution: 33, bad: 31, strong: 1, soft: 2 } as const;
/** `good`, `caution` and `bad` news in green, yellow and red, what is `strong` bold, what is `soft` dim. */
export type Style = keyof typeof styles;

/** A part of a line with the colours of its letters and of what is behind them, by their numbers among 256; default those of the terminal. */
export interface Shaded {
  readonly text: string;
  readonly ink?: number | undefined;
  readonly ground?: number | undefined;
}

const shaded = ({ text, ink, ground }: Shaded): string => {
  const codes = [...(ink === undefined ? [] : [`38;5;${ink}`]), ...(ground === undefined ? [] : [`48;5;${ground}`])];
  return codes.length === 0 ? printable(text) : `\u001b[${codes.join(";")}m${printable(text)}\u001b[0m`;
};

/**
 * Columns of the terminal that a stream is shown on; `undefined` where it is none. What a launcher starts may see a terminal where it writes
 * to a file: whoever started the launcher says what it is.
 */
function columnsOf(stream: NodeJS.WriteStream): number | undefined {
  if (stream.isTTY !== true) return undefined;
  if (!launched()) return stream.columns || 80;
  const told = Number(process.env[columnsVariable]);
  return told > 0 ? told : undefined;
}

/** Text as it is shown on a stream: a terminal with colours that nobody refused by NO_COLOR. */
const styled = (text: string, style: Style | undefined, stream: NodeJS.WriteStream): string =>
  style === undefined || text === "" || columnsOf(stream) === undefined || !stream.hasColors()
    ? text
    : `\u001b[${styles[style]}m${text}\u001b[0m`;

/** Output that is kept as text, in lines of a width. */
export function textOutput(columns: number): Output & { text(): string } {
  const lines: string[] = [];
  return {
    json: false,
    terminal: false,
    columns,
    colours: false,
    line: (text = "") => lines.push(text),
    shades: (parts) => lines.push(parts.map(({ text }) => text).join("")),
    part: (text) => lines.push((lines.pop() ?? "") + text),
    prose: (text, indent = 0) => append(lines, wrap(text, Math.min(columns, 100), indent)),
    record: () => undefined,
    warn: (text) => lines.push(text),
    text: () => `${lines.join("\n")}\n`,
  };
}

/** Output to the process's streams, which never carries control characters that stand in a name or message. */
export function standardOutput(json: boolean): Output {
  for (const stream of [process.stdout, process.stderr]) goOnUnread(stream);
  const shown = json ? undefined : columnsOf(process.stdout);
  const [terminal, columns] = [shown !== undefined, shown ?? 80];
  const colours = shown !== undefined && process.stdout.hasColors(256);
  return {
    json,
    terminal,
    columns,
    colours,
    shades(parts) {
      if (!json) process.stdout.write(`${parts.map(colours ? shaded : ({ text }) => printable(text)).join("")}\n`);
    },
    line(text = "", style) {
      if (!json) process.stdout.write(`${styled(printable(text), style, process.stdout)}\n`);
    },
    part(text) {
      if (!json) process.stdout.write(printable(text));
    },
    prose(text, indent = 0, style) {
      if (json) return;
      const lines = wrap(printable(text), Math.min(columns, 100), indent).map((own) =>
        styled(own, style, process.stdout),
      );
      process.stdout.write(`${lines.join("\n")}\n`);
    },
    record(type, fields) {
      if (json) process.stdout.write(`${printable(JSON.stringify({ type, ...fields }))}\n`);
    },
    warn(text, style) {
      const width = columnsOf(process.stderr);
      const lines = width === undefined ? printable(text) : wrapLines(printable(text), width);
      process.stderr.write(`${styled(lines, style, process.stderr)}\n`);
    },
  };
}

/** Lets the work go on when nobody reads any more: of a pipe that was closed (`sardonyx train … | head -1`), or a terminal. */
function goOnUnread(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  });
}

/** Sentences wrapped, and lines of a stack, which are indented, as they are. */
const wrapLines = (text: string, columns: number): string =>
  text
    .split("\n")
    .flatMap((line) => (line.startsWith(" ") ? [line] : wrap(line, columns)))
    .join("\n");
