/** Folders of files with one subfolder for each class (`flowers/tulip/1.jpg`): which files there are, and which can be read. */

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import { systemReason } from "../../storage/disk.node.ts";
import { endingOf } from "../../storage/ending.ts";
import { type Dataset, fromIndexed, type Labelled } from "./dataset.ts";

/** What lies in a folder and is not hidden, in alphabetical order. Throws FileError when it cannot be listed. */
export async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith(".")).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw new FileError(`cannot list the folder ${folder} (${systemReason(error)}); check the path`, { cause: error });
  }
}

interface ClassFile {
  readonly path: string;
  readonly label: number;
}

/** Files by class, as samples. */
export interface ClassFolders {
  /** Samples with x as it was read and y int32 []; class by class. */
  readonly all: Dataset<Labelled>;
  readonly classes: readonly string[];
  /** The files, in the order of the samples. */
  readonly paths: readonly string[];
  /** What is wrong with each file left out. */
  readonly skipped: readonly string[];
}

/** How the files of a class are recognized and read. */
export interface ClassReader {
  /** What a file is, in messages: "image". */
  readonly what: string;
  /** Endings of the files that count, in small letters with their dots. */
  readonly endings: readonly string[];
  /** Whether to read all files first, and leave those out that cannot be read. */
  readonly skipsUnreadable: boolean;
  readonly read: (path: string) => Promise<Tensor>;
}

/** Splits files by whether they can be read; reads each once, a few at a time. */
async function sortOut(files: readonly ClassFile[], read: ClassReader["read"]) {
  const problems = new Map<ClassFile, string>();
  const waiting = [...files];
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const file = next;
      await read(file.path).catch((error: Error) => problems.set(file, error.message));
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  return {
    readable: files.filter((file) => !problems.has(file)),
    skipped: files.flatMap((file) => problems.get(file) ?? []),
  };
}

/**
 * The files of the subfolders of a folder, read when their turn comes. Throws FileError for a folder that cannot be listed, DataError
 * when it has no subfolders or no readable file.
 */
export async function loadClassFolders(dir: string, reader: ClassReader): Promise<ClassFolders> {
  const { what, endings, skipsUnreadable, read } = reader;
  const classes = (await entriesOf(dir)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (classes.length === 0)
    throw new DataError(`${dir}: has no subfolders, expected one for each class, holding its ${what}s`);
  const listed = await Promise.all(
    classes.map(async (name, label) => {
      const files = (await entriesOf(join(dir, name))).filter((entry) => endings.includes(endingOf(entry.name)));
      return files.map((file): ClassFile => ({ path: join(dir, name, file.name), label }));
    }),
  );
  const files = listed.flat();
  const { readable, skipped } = skipsUnreadable ? await sortOut(files, read) : { readable: files, skipped: [] };
  if (readable.length === 0)
    throw new DataError(
      `${dir}: its subfolders hold no readable ${what} (${skipped.length} unreadable); expected ${endings.join(" ")}`,
    );
  const sample = async (index: number): Promise<Labelled> => {
    const { path, label } = readable[index] as ClassFile;
    return { x: await read(path), y: new Tensor("int32", [], Int32Array.of(label)) };
  };
  return { all: fromIndexed(readable.length, sample), classes, paths: readable.map(({ path }) => path), skipped };
}
