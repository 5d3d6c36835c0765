/** What is gathered in one pass over a table: sums of its columns, hashes of its rows, and a sample of rows. */
import type { TableRow } from "../tables/record-splitter.ts";
import { ColumnStream } from "./column-stream.ts";
import { Reservoir } from "./reservoir.ts";
import { RowHashes } from "./row-hashes.ts";
import { hashCell } from "./value-counts.ts";

/** A row of the sample: its cells, its line, and its number from 0. */
export interface SampledRow extends TableRow {
  readonly index: number;
}

/** What grows while rows go by. */
export interface ScanState {
  rows: number;
  readonly columns: readonly ColumnStream[];
  readonly hashes: RowHashes;
  readonly sample: Reservoir<SampledRow>;
}

/** Cells and rows that a sample has at most. */
const [mostCells, mostRows] = [4_000_000, 20_000];
/** Rows after which columns of texts are no longer tried as numbers. */
const tried = 2000;

/** How many rows a sample of a table of so many columns has. */
export const sampleSize = (columns: number): number =>
  Math.max(200, Math.min(mostRows, Math.floor(mostCells / Math.max(1, columns))));

/** What a pass begins with. */
export const newScan = (columns: number, decimalComma: boolean): ScanState => ({
  rows: 0,
  columns: Array.from({ length: columns }, () => new ColumnStream(columns, decimalComma)),
  hashes: new RowHashes(),
  sample: new Reservoir<SampledRow>(sampleSize(columns)),
});

/** Both halves of a row's hash with those of its next cell. */
export const mixRowA = (row: number, cell: number): number => Math.imul(row ^ cell, 0x85ebca6b) ^ (row >>> 13);
export const mixRowB = (row: number, cell: number): number => Math.imul(row ^ cell, 0xc2b2ae35) ^ (row >>> 16);

/** Takes rows of cells in; the slow way, for any format. */
export function addRow(state: ScanState, { cells, line }: TableRow): void {
  let [rowA, rowB] = [0, 0];
  for (let i = 0; i < cells.length; i++) {
    const text = cells[i] as string;
    const [a, b] = hashCell(text);
    rowA = mixRowA(rowA, a);
    rowB = mixRowB(rowB, b);
    if (text === "") continue;
    const column = state.columns[i] as ColumnStream;
    column.addText(text);
    if (column.values.add(a, b)) column.values.name(text);
  }
  if (countRow(state, rowA, rowB)) state.sample.put({ cells, line, index: state.rows - 1 });
}

/** Counts a row. Returns whether it is to be put into the sample. */
export function countRow(state: ScanState, a: number, b: number): boolean {
  state.hashes.add(a, b);
  if (state.rows === tried) stopTrying(state);
  return state.sample.wants(state.rows++);
}

/** Columns of texts are no longer parsed as numbers. */
function stopTrying({ columns, sample }: ScanState): void {
  for (const [i, column] of columns.entries()) {
    const present = sample.items.filter(({ cells }) => cells[i] !== "").length;
    column.triesNumbers = present === 0 || column.numbers > 0.5 * present;
  }
}
