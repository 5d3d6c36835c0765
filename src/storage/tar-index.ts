/** Where the files of a tar archive lie (POSIX.1-2017 pax, ustar; GNU's long names), found by its headers alone: what an archive holds is not read. */
import type { ByteSource } from "../core/byte-source.ts";
import { FileError } from "../core/errors.ts";

/** A file of an archive. */
export interface TarMember {
  readonly name: string;
  /** Its first byte in the archive, and how many. */
  readonly offset: number;
  readonly size: number;
}

const block = 512;

/** Bytes that a header which only names the next member may have. */
const longestName = 2 ** 20;

const [checksumAt, sizeAt, typeAt, magicAt, prefixAt] = [148, 124, 156, 257, 345] as const;

/** Types of ordinary files; of headers for the next member, pax's and GNU's. */
const files = new Set(["0", "\0", "7"]);
const [paxHeader, longName] = ["x", "L"] as const;

const decoder = new TextDecoder();

/** Text up to the first zero. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** A number in octal digits, or, where the first bit is set, in 11 bytes (GNU). */
function numberOf(bytes: Uint8Array): number {
  if (((bytes[0] ?? 0) & 0x80) === 0) return Number.parseInt(textOf(bytes).trim() || "0", 8);
  return bytes.subarray(1).reduce((number, byte) => 256 * number + byte, 0);
}

/** The fields of a pax header: `length key=value` and the end of a line each. */
function paxFields(bytes: Uint8Array): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const length = Number.parseInt(decoder.decode(bytes.subarray(at, at + 12)), 10);
    if (!(length > 0)) break;
    const [, key, value] = /^\d+ ([^=]*)=([\s\S]*)\n$/.exec(decoder.decode(bytes.subarray(at, at + length))) ?? [];
    if (key !== undefined) fields.set(key, value ?? "");
    at += length;
  }
  return fields;
}

/** The ordinary files of an archive, in its order. Throws FileError, opening with `what` the archive is, where it is damaged or cut off. */
export function* tarMembers(archive: ByteSource, what: string): Generator<TarMember> {
  const refuse = (why: string): FileError =>
    new FileError(
      `${what}: cannot be read as a tar archive (${why}); it is cut off, damaged or no such archive, get it again`,
    );
  let named: { name?: string | undefined; size?: number | undefined } = {};
  if (archive.size === 0) throw refuse("it is empty");
  for (let at = 0; at < archive.size; ) {
    if (at + block > archive.size) throw refuse(`${archive.size - at} bytes are left for a header of ${block}`);
    const header = archive.read(at, block);
    if (header.every((byte) => byte === 0)) return;
    const written = numberOf(header.subarray(checksumAt, checksumAt + 8));
    // Its own bytes count as blanks.
    const sum = header.reduce((all, byte, i) => all + (i >= checksumAt && i < checksumAt + 8 ? 32 : byte), 0);
    if (sum !== written) throw refuse(`the header at byte ${at} has another checksum than it says`);
    const type = String.fromCharCode(header[typeAt] ?? 0);
    const size = named.size ?? numberOf(header.subarray(sizeAt, sizeAt + 12));
    const offset = at + block;
    const next = offset + block * Math.ceil(size / block);
    if (!(size >= 0) || next > archive.size)
      throw refuse(`what begins at byte ${at} ends at byte ${next}, and there are ${archive.size}`);
    at = next;
    if (type === paxHeader || type === longName) {
      if (size > longestName) throw refuse(`a name of ${size} bytes`);
      const content = archive.read(offset, size);
      if (type === longName) named = { ...named, name: textOf(content) };
      else {
        const fields = paxFields(content);
        const own = fields.get("size");
        named = { name: fields.get("path") ?? named.name, size: own === undefined ? undefined : Number(own) };
      }
      continue;
    }
    const isUstar = textOf(header.subarray(magicAt, magicAt + 5)) === "ustar";
    const prefix = isUstar ? textOf(header.subarray(prefixAt, prefixAt + 155)) : "";
    const short = textOf(header.subarray(0, 100));
    const name = named.name ?? (prefix ? `${prefix}/${short}` : short);
    named = {};
    if (files.has(type)) yield { name, offset, size };
  }
  // Cut off between two members it would seem whole.
  throw refuse("it ends without the block of zeros that ends an archive");
}
