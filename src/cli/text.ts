/** Sentences and tables as lines, measured as a terminal shows them: Chinese characters and emoji take two columns. */
import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";
import { greatest } from "../core/lists.ts";
import { inOneLine } from "../core/printable.ts";

/** Columns that a text takes. Most are plain ASCII, with rules and bars, for which the library's look at every character is two hundred times as slow. */
const widthOf = (text: string): number => (/^[ -~\u2500-\u259f]*$/.test(text) ? text.length : stringWidth(text));

/** Words in lines of at most `columns`, those after the first indented. */
export function wrap(text: string, columns: number, indent = 0): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line.trim() !== "" && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line);
      line = " ".repeat(indent) + word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A text filled up with spaces to `width` columns. */
export function pad(text: string, width: number, align: "left" | "right" = "left"): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? space + text : text + space;
}

/** A text of at most `width` columns: its start, or its end, and an ellipsis for what is cut off. */
export function cut(text: string, width: number, keep: "start" | "end" = "start"): string {
  if (widthOf(text) <= width) return text;
  const characters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  while (characters.length > 0 && widthOf(characters.join("")) >= width)
    if (keep === "start") characters.pop();
    else characters.shift();
  return keep === "start" ? `${characters.join("")}…` : `…${characters.join("")}`;
}

/** The width of the widest of some texts. */
export const widest = (texts: readonly string[]): number => greatest(texts.map(widthOf), 0);

/** Between the columns of a table. */
const gap = "  ";

/** Widths of a table's columns that fit into `room`: the widest gives way first, as long as it can still be read. */
export function fittedWidths(wanted: readonly number[], room: number): number[] {
  const least = 12;
  const widths = [...wanted];
  const gaps = gap.length * (widths.length - 1);
  for (;;) {
    const over = widths.reduce((sum, width) => sum + width, gaps) - room;
    const at = widths.indexOf(greatest(widths));
    const width = widths[at] ?? 0;
    if (over <= 0 || width <= least) return widths;
    const second = greatest(
      widths.filter((_, i) => i !== at),
      least,
    );
    widths[at] = Math.max(least, width - over, Math.min(second, width - 1));
  }
}

export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
  /** Cells longer than this are wrapped. */
  readonly width?: number;
}

/**
 * Lines of a table without a frame: a heading, a rule, then the rows, whose long cells are wrapped.
 * @param room columns of the terminal
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], room: number): string[] {
  const wanted = columns.map(({ head, width = Number.POSITIVE_INFINITY }, i) =>
    Math.min(width, widest([head, ...rows.map((row) => inOneLine(row[i] ?? ""))])),
  );
  const widths = fittedWidths(wanted, room);
  /** The lines of a row, as many as its longest cell has. */
  const linesOf = (row: readonly string[]): string[] => {
    const cells = columns.map((_, i) => cellLines(inOneLine(row[i] ?? ""), widths[i] ?? 0));
    return Array.from({ length: greatest(cells.map((lines) => lines.length)) }, (_, at) =>
      columns
        .map(({ align }, i) => pad(cells[i]?.[at] ?? "", widths[i] ?? 0, align))
        .join(gap)
        .trimEnd(),
    );
  };
  const heading = linesOf(columns.map(({ head }) => head));
  const lines = rows.flatMap(linesOf);
  return [...heading, "─".repeat(widest([...heading, ...lines])), ...lines];
}

/** A cell that fits stays as it is, with the spaces before it. */
const cellLines = (text: string, width: number): string[] =>
  widthOf(text) <= width ? [text] : wrapAnsi(text, width, { hard: true }).split("\n");
