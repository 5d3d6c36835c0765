/** The files in a tar archive (POSIX ustar, IEEE Std 1003.1), read in memory. */
import { FileError } from "../core/errors.ts";

const BLOCK = 512;

const textAt = (block: Uint8Array, start: number, length: number): string =>
  new TextDecoder()
    .decode(block.subarray(start, start + length))
    .replace(/\0.*$/s, "")
    .trim();

/** A header's sum: of all its bytes, with the eight of the sum itself as spaces. */
const sumOf = (header: Uint8Array): number =>
  header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 0x20 : byte), 0);

/**
 * Ordinary files of an archive by name, as views into it. Throws FileError, opening with `what` the archive is, when a
 * header's sum is wrong or a file ends beyond the archive.
 */
export function readTar(archive: Uint8Array, what: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let offset = 0; ; ) {
    const header = archive.subarray(offset, offset + BLOCK);
    if (header.length < BLOCK)
      throw new FileError(`${what}: the archive ends at byte ${archive.length} without its end mark; it is cut off`);
    if (header.every((byte) => byte === 0)) return files;
    const sum = Number.parseInt(textAt(header, 148, 8), 8);
    if (sum !== sumOf(header))
      throw new FileError(
        `${what}: the header at byte ${offset} sums to ${sumOf(header)}, it says ${sum}; this is no tar archive, or it is damaged`,
      );
    const name = textAt(header, 0, 100);
    const bytes = Number.parseInt(textAt(header, 124, 12), 8);
    const start = offset + BLOCK;
    if (!(bytes >= 0) || start + bytes > archive.length)
      throw new FileError(
        `${what}: "${name}" needs ${bytes} bytes, the archive has ${archive.length - start} left; it is cut off`,
      );
    const type = textAt(header, 156, 1);
    if (type === "0" || type === "") files.set(name, archive.subarray(start, start + bytes));
    offset = start + Math.ceil(bytes / BLOCK) * BLOCK;
  }
}
