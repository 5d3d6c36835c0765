/** Texts to learn writing from, in parts. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { DataError, FileError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { foldIn, keyOf, Random } from "../../core/random.ts";
import { readTextFile, textEndings } from "../../data/text/text-file.node.ts";
import { endingOf } from "../../storage/ending.ts";
import { filesIn } from "../kinds/data-glance.node.ts";
import { partsOfText, type TextThirds } from "./text-parts.ts";

/** What text is loaded. */
export interface WritingRequest {
  /** A file of text, or a folder with such files in it and in its folders. */
  readonly path: string;
  /** Decides which documents are tested on. */
  readonly seed: number;
  /** So many characters at most; default all. */
  readonly limit?: number | undefined;
}

/** A text in parts. */
export interface LoadedWriting extends TextThirds {
  /** What it was taken for, in sentences. */
  readonly notes: readonly string[];
}

/** Documents from which on whole ones are tested on. */
const manyDocuments = 10;
/** What stands between documents. */
const between = "\n\n";

/** The documents of a path, each once, and what is wrong with those left out. */
async function documentsOf(path: string) {
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) throw new FileError(`there is no file or folder ${path} with the text; check the path`);
  if (!status.isDirectory()) return { documents: [await readTextFile(path)], files: 1, broken: [] };
  const names = (await filesIn(path)).filter((name) => textEndings.includes(endingOf(name)));
  const documents: string[] = [];
  const broken: string[] = [];
  for (const name of names)
    await readTextFile(join(path, name)).then(
      (text) => documents.push(text),
      (error: Error) => broken.push(error.message),
    );
  return { documents, files: names.length, broken };
}

/** Documents drawn at random until a part has its share of all characters. */
function partsOfDocuments(documents: readonly string[], seed: number): TextThirds {
  const order = new Random(foldIn(keyOf(seed), "documents")).permutation(documents.length);
  const drawn = Array.from(order, (place) => documents[place] as string);
  const all = drawn.reduce((sum, own) => sum + own.length, 0);
  const take = (share: number): string => {
    const taken: string[] = [];
    let length = 0;
    while (drawn.length > 1 && length < share * all) {
      const own = drawn.pop() as string;
      taken.push(own);
      length += own.length;
    }
    return taken.join(between);
  };
  const [test, validation] = [take(0.1), take(0.09)];
  return { train: drawn.join(between), validation, test };
}

/**
 * Reads a text and parts it: of ten documents and more whole ones, drawn at random, are tested on, of fewer the last tenth. Equal documents
 * count once. Throws FileError for what cannot be read, DataError where there is no text.
 */
export async function loadWriting({ path, seed, limit }: WritingRequest): Promise<LoadedWriting> {
  const { documents: all, files, broken } = await documentsOf(path);
  const written = all.map((text) => text.trim()).filter((text) => text !== "");
  const documents = [...new Set(written)];
  if (documents.length === 0)
    throw new DataError(
      `${path}: has no text in it${broken.length > 0 ? ` (${broken[0]})` : ""}; pass a file ${textEndings.join(", ")}, or a folder of such`,
    );
  const isParted = documents.length >= manyDocuments && limit === undefined;
  const parts = isParted ? partsOfDocuments(documents, seed) : partsOfText(documents.join(between).slice(0, limit));
  const left = files - documents.length - broken.length;
  return {
    ...parts,
    notes: [
      isParted
        ? `a tenth of ${plural(documents.length, "document")} is tested on`
        : "the last tenth of the text is tested on",
      ...(broken.length > 0 ? [`${plural(broken.length, "file")} left out: ${broken.slice(0, 3).join("; ")}`] : []),
      ...(left > 0 ? [`${plural(left, "file")} without text, or with that of another, left out`] : []),
    ],
  };
}
