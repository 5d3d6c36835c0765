/** Files of plain text, in the encodings that they usually have. */
import { readBytes } from "../../storage/atomic.node.ts";
import { sniffEncoding } from "../tables/text-encoding.ts";

/** Endings of files of plain text. */
export const textEndings: readonly string[] = [".txt", ".md", ".text"];

/**
 * The text of a file in UTF-8, UTF-16 or Latin-1, with line feeds alone at the ends of lines, without a byte order mark. Throws FileError
 * for a file that is missing, unreadable or no text.
 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readBytes(path, "text");
  const { encoding, markLength } = sniffEncoding(bytes, path, "plain text");
  return new TextDecoder(encoding).decode(bytes.subarray(markLength)).replace(/\r\n?/g, "\n");
}
