/** Files that may be encrypted, as what they hold. */
import { type ByteSource, memorySource } from "../../core/byte-source.ts";
import { shownPath } from "../shown-path.node.ts";
import { ageFile } from "./age-file.node.ts";
import { fileKeyFor } from "./keys-at-hand.node.ts";

/** What a file holds: what was encrypted, where it is an age file, whatever its name. Throws KeyError where no key opens it, FileError for a damaged one. */
export const plainSource = (source: ByteSource, path: string): ByteSource =>
  ageFile(source, shownPath(path), (header) => fileKeyFor(path, header));

/** As `plainSource`, of bytes in memory. */
export function plainBytes(bytes: Uint8Array, path: string): Uint8Array {
  const source = plainSource(memorySource(bytes), path);
  return source.read(0, source.size);
}
