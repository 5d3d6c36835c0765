/** One pass over a table of a file: the fast way over the bytes of separated values, else row by row. */
import { missingTexts } from "../tables/missing-texts.ts";
import type { TableFile } from "../tables/table-file.node.ts";
import { scanBytes } from "./byte-scan.node.ts";
import type { ColumnStream } from "./column-stream.ts";
import type { DuplicatedRows } from "./row-hashes.ts";
import { addRow, newScan, type SampledRow } from "./scan-state.ts";

/** What one pass finds. */
export interface TableScan {
  readonly rows: number;
  readonly columns: readonly ColumnStream[];
  readonly duplicated: DuplicatedRows;
  /** Rows of the table in its order: all of them, or a sample. */
  readonly sample: readonly SampledRow[];
}

/** Reads a table once. Throws FileError or DataError naming the line of a broken row. */
export async function scanTable(file: TableFile, missing: readonly string[] = missingTexts): Promise<TableScan> {
  const state = newScan(file.names.length, file.decimalComma);
  if (file.dialect?.encoding === "utf-8" && file.dialect.newline === "\n" && file.dialect.delimiter.charCodeAt(0) < 128)
    await scanBytes(file, file.dialect, state, missing);
  else for await (const rows of file.rows()) for (const row of rows) addRow(state, row);
  const { rows, columns, hashes } = state;
  const sample = [...state.sample.items].sort((a, b) => a.index - b.index);
  return { rows, columns, duplicated: hashes.find(20), sample };
}
