/** The text of the page: the beginning of Moby Dick (Melville 1851, in the public domain), from its first sentence on. */
import { loadMobyDick } from "../../src/node.ts";

/** 80,000 characters. Throws FileError where the package of the book is not installed. */
export async function excerpt(): Promise<string> {
  // Between chapters lie many empty lines.
  const book = (await loadMobyDick()).replace(/\n{3,}/g, "\n\n");
  const start = book.indexOf("Call me Ishmael");
  return book.slice(start, start + 80_000);
}
