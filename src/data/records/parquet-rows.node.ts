/** Rows of a Parquet file, of which those of some groups are in memory at a time. */
import { plainFields } from "../tables/file-records.node.ts";
import { openParquet } from "../tables/parquet.node.ts";
import type { RecordFile } from "./record-file.ts";

/** Groups of rows that are kept: readers of a few batches ahead come back to the same. */
const keptGroups = 4;

/** The rows of a file. Throws FileError for one that is missing or damaged. */
export async function openParquetRows(path: string): Promise<RecordFile> {
  const reader = await openParquet(path);
  const { starts } = reader;
  const kept = new Map<number, ReturnType<typeof reader.read>>();
  // The thread answers one at a time.
  let turn: Promise<unknown> = Promise.resolve();
  const groupAt = (group: number) => {
    const rows = kept.get(group) ?? turn.then(() => reader.read(group));
    turn = rows.catch(() => undefined);
    kept.delete(group);
    kept.set(group, rows);
    for (const oldest of kept.keys()) {
      if (kept.size <= keptGroups) break;
      kept.delete(oldest);
    }
    return rows;
  };
  return {
    count: starts.at(-1) ?? 0,
    async read(index) {
      const group = starts.findIndex((start) => start > index) - 1;
      const rows = await groupAt(group);
      return { fields: plainFields(rows[index - (starts[group] ?? 0)] ?? {}), where: `${path}: row ${index + 1}` };
    },
    close: async () => void (await reader.close()),
  };
}
