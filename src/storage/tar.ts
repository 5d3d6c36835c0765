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

/** What a header says of the entry behind it. */
interface Entry {
  readonly name: string;
  readonly bytes: number;
  /** Bytes up to the next header. */
  readonly padded: number;
  readonly isFile: boolean;
}

/** The entry of a header that stands at a byte of an archive; undefined at the end mark. */
function entryOf(header: Uint8Array, at: number, what: string): Entry | undefined {
  if (header.length < BLOCK)
    throw new FileError(`${what}: the archive ends at byte ${at + header.length} without its end mark; it is cut off`);
  if (header.every((byte) => byte === 0)) return undefined;
  const sum = Number.parseInt(textAt(header, 148, 8), 8);
  if (sum !== sumOf(header))
    throw new FileError(
      `${what}: the header at byte ${at} sums to ${sumOf(header)}, it says ${sum}; this is no tar archive, or it is damaged`,
    );
  const bytes = Number.parseInt(textAt(header, 124, 12), 8);
  const type = textAt(header, 156, 1);
  return {
    name: textAt(header, 0, 100),
    bytes,
    padded: Math.ceil(bytes / BLOCK) * BLOCK,
    isFile: type === "0" || type === "",
  };
}

const cutOff = (what: string, { name, bytes }: Entry, left: number): FileError =>
  new FileError(`${what}: "${name}" needs ${bytes} bytes, the archive has ${left} left; it is cut off`);

/**
 * Ordinary files of an archive by name, as views into it. Throws FileError, opening with `what` the archive is, when a
 * header's sum is wrong or a file ends beyond the archive.
 */
export function readTar(archive: Uint8Array, what: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let offset = 0; ; ) {
    const entry = entryOf(archive.subarray(offset, offset + BLOCK), offset, what);
    if (!entry) return files;
    const start = offset + BLOCK;
    if (!(start + entry.bytes <= archive.length)) throw cutOff(what, entry, archive.length - start);
    if (entry.isFile) files.set(entry.name, archive.subarray(start, start + entry.bytes));
    offset = start + entry.padded;
  }
}

/** As readTar, of an archive that arrives in parts: one file after another, each with bytes of its own. */
export async function* tarFiles(
  parts: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<{ readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }> {
  const source = parts[Symbol.asyncIterator]();
  let part: Uint8Array = new Uint8Array(0);
  let offset = 0;
  /** The next bytes; fewer at the end. */
  const take = async (count: number): Promise<Uint8Array<ArrayBuffer>> => {
    const taken = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      if (part.length === 0) {
        const { done, value } = await source.next();
        if (done) break;
        part = value;
      }
      const piece = part.subarray(0, count - filled);
      taken.set(piece, filled);
      part = part.subarray(piece.length);
      filled += piece.length;
    }
    offset += filled;
    return taken.subarray(0, filled);
  };
  for (;;) {
    const at = offset;
    const entry = entryOf(await take(BLOCK), at, what);
    if (!entry) return;
    const bytes = await take(entry.padded);
    if (!(bytes.length >= entry.bytes)) throw cutOff(what, entry, bytes.length);
    if (entry.isFile) yield { name: entry.name, bytes: bytes.subarray(0, entry.bytes) };
  }
}
