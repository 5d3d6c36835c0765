/** The files of a folder and its subfolders, and which of them are images, texts or sounds. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../../core/errors.ts";
import { append } from "../../core/lists.ts";
import { endingOf } from "../../storage/ending.ts";
import { imageExtensions } from "../images/image.node.ts";
import { entriesOf } from "../pipeline/class-folders.node.ts";
import type { ValueCount } from "./profile.ts";

/** Endings of the files of each kind. */
const endings = {
  images: [...imageExtensions, ".bmp"],
  texts: [".txt", ".md"],
  sounds: [".wav"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Kinds of folders. */
export type FolderKind = keyof typeof endings;

/** A file of a folder. */
export interface FolderFile {
  /** Below the folder. */
  readonly name: string;
  readonly path: string;
  /** Its class: the subfolder that it lies in, "" for none; of an image with boxes those of its boxes. */
  readonly label: string;
  readonly bytes: number;
}

/** The files of one kind, and of which other kinds there are some. */
export interface FolderFiles {
  readonly kind: FolderKind;
  readonly files: readonly FolderFile[];
  readonly others: readonly ValueCount[];
}

/** Folders within folders. */
const deepest = 8;

/** The files of a folder and of those within it, in alphabetical order. Throws FileError for one that cannot be listed. */
export async function filesBelow(folder: string, name = "", depth = 0): Promise<FolderFile[]> {
  const found: FolderFile[] = [];
  for (const entry of await entriesOf(join(folder, name))) {
    const own = name === "" ? entry.name : `${name}/${entry.name}`;
    if (entry.isDirectory() && depth < deepest) append(found, await filesBelow(folder, own, depth + 1));
    else if (entry.isFile()) {
      const path = join(folder, own);
      const parts = own.split("/");
      found.push({ name: own, path, label: parts.at(-2) ?? "", bytes: (await stat(path)).size });
    }
  }
  return found;
}

/** The files of a folder, of the kind that most are. Throws FileError for a folder that cannot be listed, DataError where there is none of them. */
export async function folderFiles(folder: string): Promise<FolderFiles> {
  const all = await filesBelow(folder);
  const of = (kind: FolderKind) =>
    all.filter((file) => (endings[kind] as readonly string[]).includes(endingOf(file.name)));
  const kinds = (Object.keys(endings) as FolderKind[]).map((kind) => ({ kind, files: of(kind) }));
  const [best] = kinds.sort((a, b) => b.files.length - a.files.length);
  if (!best || best.files.length === 0)
    throw new DataError(
      `${folder}: holds ${all.length} files and none of them is an image, a text or a WAV file; expected ${Object.values(endings).flat().join(" ")}, or the path of a table`,
    );
  const counts = new Map<string, number>();
  for (const file of all)
    if (!best.files.includes(file)) counts.set(endingOf(file.name), (counts.get(endingOf(file.name)) ?? 0) + 1);
  const others = Array.from(counts, ([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count);
  return { ...best, others };
}
