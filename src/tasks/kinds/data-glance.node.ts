/** A first look at data of your own: enough to tell what kind it is, without reading it all. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { entriesOf } from "../../data/pipeline/class-folders.node.ts";
import { type ColumnType, ColumnTypeBuilder } from "../../data/tables/column-kinds.ts";
import { openTable, tableEndings } from "../../data/tables/table-file.node.ts";
import { endingOf } from "../../storage/ending.ts";

/** What a first look at a path shows. */
export type DataGlance =
  | {
      readonly kind: "folder";
      readonly path: string;
      /** Files in it and in its folders, by their paths from it with `/`, the first thousands in alphabetical order. */
      readonly files: readonly string[];
      /** Whether those are all. */
      readonly isWhole: boolean;
    }
  | {
      readonly kind: "table";
      readonly path: string;
      /** What its columns are by the first thousand rows, and … */
      readonly columns: readonly ColumnType[];
      /** … the cells of these rows. */
      readonly rows: readonly (readonly string[])[];
    }
  | {
      readonly kind: "file";
      readonly path: string;
      /** In small letters, with its dot. */
      readonly ending: string;
    };

/** Files that are listed, and how deep folders are entered. */
const mostFiles = 5000;
const deepest = 4;
/** Rows that tell what columns are. */
const seenRows = 1000;

/** Looks at a path. Throws FileError for what is not there and for a table that cannot be read. */
export async function glanceAt(path: string): Promise<DataGlance> {
  if (!existsSync(path)) throw new FileError(`there is no file or folder ${path} with the data; check the path`);
  if (statSync(path).isDirectory()) {
    const files = await filesIn(path);
    return { kind: "folder", path, files, isWhole: files.length < mostFiles };
  }
  const ending = endingOf(path);
  // What ends in .txt may be a table, and is prose more often.
  if (!tableEndings.includes(ending) || ending === ".txt") return { kind: "file", path, ending };
  const file = await openTable(path);
  const builders = file.names.map(
    (name) => new ColumnTypeBuilder(name, { decimalComma: file.decimalComma, columns: file.names.length }),
  );
  const seen: (readonly string[])[] = [];
  for await (const rows of file.rows()) {
    const own = rows.slice(0, seenRows - seen.length);
    for (const { cells } of own) for (const [i, builder] of builders.entries()) builder.add(cells[i] ?? "");
    for (const { cells } of own) seen.push(cells);
    if (seen.length === seenRows) break;
  }
  return { kind: "table", path, columns: builders.map((builder) => builder.build()), rows: seen };
}

/** Paths of the files in a folder and in those within it, some levels deep, the first thousands in alphabetical order. */
export async function filesIn(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const enter = async (within: string, depth: number): Promise<void> => {
    for (const entry of await entriesOf(join(folder, within))) {
      if (found.length === mostFiles) return;
      const own = within === "" ? entry.name : `${within}/${entry.name}`;
      if (!entry.isDirectory()) found.push(own);
      else if (depth < deepest) await enter(own, depth + 1);
    }
  };
  await enter("", 1);
  return found;
}
