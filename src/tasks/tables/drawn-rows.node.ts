/** The rows of a table in memory, with what its columns are. */
import { DataError } from "../../core/errors.ts";
import { foldIn, keyOf, Random } from "../../core/random.ts";
import { ColumnTypeBuilder } from "../../data/tables/column-kinds.ts";
import { openTable } from "../../data/tables/table-file.node.ts";

/** Cells that are held in memory. */
const mostCells = 20_000_000;

/** The rows of a table with what its columns are; of a table with more cells than are held, as many rows as fit, drawn at random. */
export async function drawnRows(path: string, seed: number) {
  const file = await openTable(path);
  const builders = file.names.map(
    (name) => new ColumnTypeBuilder(name, { decimalComma: file.decimalComma, columns: file.names.length }),
  );
  const most = Math.max(1000, Math.floor(mostCells / Math.max(1, file.names.length)));
  const random = new Random(foldIn(keyOf(seed), "rows"));
  const rows: (readonly string[])[] = [];
  const lines: number[] = [];
  let seen = 0;
  for await (const block of file.rows())
    for (const { cells, line } of block) {
      for (const [i, builder] of builders.entries()) builder.add(cells[i] ?? "");
      // Reservoir sampling (Vitter 1985, algorithm R).
      const place = seen < most ? seen : Math.floor(random.uniform(0, seen + 1));
      if (place < most) [rows[place], lines[place]] = [cells, line];
      seen++;
    }
  if (seen === 0) throw new DataError(`${path}: has no rows below its names, expected at least one`);
  return { file, rows, lines, types: builders.map((builder) => builder.build()), count: seen };
}
