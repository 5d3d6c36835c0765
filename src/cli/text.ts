/** Sentences and tables as lines. */
import Table from "cli-table3";

/** Words in lines of at most `columns`, those after the first indented. */
export function wrap(text: string, columns: number, indent = 0): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line.trim() !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = " ".repeat(indent) + word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export interface Column {
  readonly head: string;
  readonly align?: "left" | "right";
  /** Cells longer than this are wrapped. */
  readonly width?: number;
}

/** Lines of a table without a frame: a heading, a rule, one line a row. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const none = Object.fromEntries(
    ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"]
      .concat(["left", "left-mid", "mid", "mid-mid", "right", "right-mid"])
      .map((name) => [name, ""]),
  );
  const drawn = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align = "left" }) => align),
    colWidths: columns.map(({ width }) => width ?? null),
    wordWrap: true,
    chars: { ...none, middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) drawn.push([...row]);
  const [heading = "", ...lines] = drawn.toString().split("\n");
  const rule = "─".repeat(Math.max(...[heading, ...lines].map((line) => line.trimEnd().length)));
  return [heading, rule, ...lines].map((line) => line.trimEnd());
}
