/** Tables on an output. */
import type { Output } from "./output.ts";
import { type Column, table } from "./text.ts";

/** Writes a table as wide as the output, the names of its columns strong. */
export function showTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  output: Pick<Output, "columns" | "line">,
): void {
  for (const [i, line] of table(columns, rows, output.columns).entries())
    output.line(line, i === 0 ? "strong" : undefined);
}
