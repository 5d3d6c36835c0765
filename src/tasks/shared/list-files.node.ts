/** Which images or sounds there are and what is known of each: in folders by class, in tables with a column of files, in parts or not. */

import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { entriesOf } from "../../data/pipeline/class-folders.node.ts";
import { filesBelow } from "../../data/profile/folder-files.node.ts";
import { readTable } from "../../data/tables/table-file.node.ts";
import { endingOf } from "../../storage/ending.ts";
import { partOfWord, partsTold } from "./part-names.ts";
import type { PartName } from "./part-samples.ts";

/** What files are sought. */
export interface FileKind {
  /** What a file is: "image". */
  readonly what: string;
  /** Endings of their names, in small letters with their dots. */
  readonly endings: readonly string[];
}

/** A file and what is known of it. */
export interface ListedFile {
  readonly path: string;
  /** One for each column. */
  readonly cells: readonly string[];
  /** Default it is to be decided. */
  readonly part?: PartName;
}

/** Files, and the columns beside them. */
export interface FileList {
  readonly files: readonly ListedFile[];
  /** Names of the columns. */
  readonly names: readonly string[];
  /** Whether numbers are written with a comma before the decimals. */
  readonly decimalComma: boolean;
  /** Whether the column is the folder that a file lies in: a class, whatever it is called. */
  readonly byFolder: boolean;
  /** In a few words: "images in folders by class". */
  readonly what: string;
}

/** Files that describe those beside them, as Hugging Face's ImageFolder and AudioFolder have them. */
const metadataNames = ["metadata.jsonl", "metadata.csv", "metadata.parquet"] as const;
/** What they call the column of paths. */
const fileColumn = "file_name";

/** The folders of parts among the names of folders; none unless some are to train on and some to measure by. */
function partsAmong(folders: readonly string[]): readonly (readonly [folder: string, part: PartName])[] {
  const told = partsTold(folders.map(partOfWord));
  return folders.flatMap((name, i) => {
    const part = told[i];
    return part ? [[name, part] as const] : [];
  });
}

/**
 * The images or sounds of a folder or of a table. Throws FileError for what cannot be read, DataError where there are none, or nothing is known of
 * them.
 */
export async function listFiles(path: string, kind: FileKind): Promise<FileList> {
  if (!existsSync(path))
    throw new FileError(`there is no file or folder ${path} with the ${kind.what}s; check the path`);
  if (!statSync(path).isDirectory()) return filesOfTable(path, dirname(path), kind);
  const folders = (await entriesOf(path)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const parts = partsAmong(folders);
  if (parts.length === 0) return filesOfFolder(path, kind);
  const lists = await Promise.all(
    parts.map(async ([folder, part]) => ({ part, ...(await filesOfFolder(join(path, folder), kind)) })),
  );
  const [first] = lists;
  const odd = lists.find(({ names }) => names.join("\u0000") !== first?.names.join("\u0000"));
  if (!first || odd)
    throw new DataError(
      `${path}: the parts ${parts.map(([folder]) => quoted(folder)).join(", ")} say unlike things of their ${kind.what}s: ${lists.map(({ names }) => names.join(", ")).join("; ")}; give all of them the same columns`,
    );
  return {
    ...first,
    files: lists.flatMap(({ files, part }) => files.map((file) => ({ ...file, part }))),
    what: `${first.what}, in parts ${parts.map(([folder]) => folder).join(", ")}`,
  };
}

async function filesOfFolder(folder: string, kind: FileKind): Promise<FileList> {
  const { what, endings } = kind;
  const metadata = metadataNames.find((name) => existsSync(join(folder, name)));
  if (metadata) return filesOfTable(join(folder, metadata), folder, kind);
  const files = (await filesBelow(folder)).filter(({ name }) => endings.includes(endingOf(name)));
  const found = files.flatMap(({ name, path }): ListedFile[] => {
    const [label = "", ...rest] = name.split("/");
    return rest.length === 0 ? [] : [{ path, cells: [label] }];
  });
  if (found.length === 0)
    throw new DataError(
      `${folder}: holds ${files.length === 0 ? `no ${what}s (${endings.join(" ")})` : `${plural(files.length, what)} in no folder of a class`}; put the ${what}s of each class in a folder of its own, or write ${metadataNames[0]} with file_name and a label on each line`,
    );
  return { files: found, names: ["class"], decimalComma: false, byFolder: true, what: `${what}s in folders by class` };
}

/** The files that a column of a table names, by paths from `folder`. */
async function filesOfTable(path: string, folder: string, { what, endings }: FileKind): Promise<FileList> {
  const { file, rows } = await readTable(path);
  const isFile = (cell = "") => endings.includes(endingOf(cell));
  const named = file.names.findIndex((name) => name.toLowerCase() === fileColumn);
  const at =
    named >= 0
      ? named
      : file.names.findIndex((_, i) => rows.filter((cells) => isFile(cells[i])).length > rows.length / 2);
  const column = file.names[at];
  if (column === undefined)
    throw new DataError(
      `${path}: has no column of ${what}s, only ${file.names.map(quoted).join(", ")}; call the column of paths ${fileColumn}, or let its values end in ${endings.slice(0, 3).join(", ")}`,
    );
  const names = file.names.filter((_, i) => i !== at);
  if (names.length === 0)
    throw new DataError(`${path}: has no column beside ${quoted(column)}; add one with what is to be predicted`);
  return {
    files: rows.flatMap((cells) => {
      const name = cells[at] ?? "";
      return name === "" ? [] : [{ path: resolve(folder, name), cells: cells.filter((_, i) => i !== at) }];
    }),
    names,
    decimalComma: file.decimalComma,
    byFolder: false,
    what: `${what}s that ${quoted(column)} of ${basename(path)} names`,
  };
}
