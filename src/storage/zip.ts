/** Zip archives, read in parts: entries that are stored as they are stay where they are. */
import { inflateSync } from "fflate";
import { type ByteSource, memorySource, requireRange } from "../core/byte-source.ts";
import { FileError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";

export interface ZipEntry {
  readonly name: string;
  /** Bytes when unpacked. */
  readonly size: number;
  /** Its bytes. Throws FileError for an entry that is damaged, encrypted, packed in another way, or too large to unpack. */
  open(): ByteSource;
}

/** How zip archives begin. */
export const zipSignature = "PK\u0003\u0004";

/** No archive that is read here has as many entries. */
const maxEntries = 1 << 16;

const damaged = "the archive is damaged or cut off";

/** Fields of a structure of the archive, by their places in it. */
class Structure {
  readonly #view: DataView;
  readonly bytes: Uint8Array;
  constructor(source: ByteSource, place: number, length: number) {
    requireRange(source, place, length, "zip: a structure");
    this.bytes = source.read(place, length);
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }
  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }
  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }
  /** Beyond 2^53 it is no length that a file has. */
  u64(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }
  text(at: number, length: number): string {
    return new TextDecoder().decode(this.bytes.subarray(at, at + length));
  }
}

/** The entries of an archive by name. Throws FileError for one that is damaged or cut off. */
export function readZip(source: ByteSource): ReadonlyMap<string, ZipEntry> {
  const { place, count, length } = directoryOf(source);
  if (count > maxEntries) throw new FileError(`zip: it lists ${count} entries, expected ${maxEntries} at most`);
  const directory = new Structure(source, place, length);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > length || directory.u32(at) !== 0x02014b50)
      throw new FileError(`zip: entry ${i} is not there; ${damaged}`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => directory.u16(at + field)) as [
      number,
      number,
      number,
    ];
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > length) throw new FileError(`zip: entry ${i} is cut off; ${damaged}`);
    const listed: Listed = {
      name: directory.text(at + 46, nameLength),
      isEncrypted: (directory.u16(at + 8) & 1) === 1,
      method: directory.u16(at + 10),
      ...wideFields(directory, at, at + 46 + nameLength, extraLength),
    };
    entries.set(listed.name, { name: listed.name, size: listed.size, open: () => openEntry(source, listed) });
    at = end;
  }
  return entries;
}

/** Where the list of entries lies, by the record at the archive's end, behind which only a comment may stand. */
function directoryOf(source: ByteSource): { readonly place: number; readonly count: number; readonly length: number } {
  const tail = Math.min(source.size, 22 + 0xffff);
  const end = new Structure(source, source.size - tail, tail);
  for (let at = tail - 22; at >= 0; at--) {
    if (end.u32(at) !== 0x06054b50) continue;
    const [count, length, place] = [end.u16(at + 10), end.u32(at + 12), end.u32(at + 16)];
    if (count !== 0xffff && place !== 0xffffffff && length !== 0xffffffff) return { place, count, length };
    // Large archives have another record, of which the end says the place.
    const locator = new Structure(source, source.size - tail + at - 20, 20);
    const wide = new Structure(source, locator.u64(8), 56);
    if (locator.u32(0) !== 0x07064b50 || wide.u32(0) !== 0x06064b50) break;
    return { count: wide.u64(32), length: wide.u64(40), place: wide.u64(48) };
  }
  throw new FileError(`zip: its list of entries is not there; ${damaged}`);
}

interface Listed {
  readonly name: string;
  readonly isEncrypted: boolean;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  /** Where the entry's own header lies. */
  readonly place: number;
}

/** Sizes and place of an entry, which an extra field has where they need more than 32 bits. */
function wideFields(directory: Structure, at: number, extra: number, extraLength: number) {
  const fields = { packed: directory.u32(at + 20), size: directory.u32(at + 24), place: directory.u32(at + 42) };
  for (let i = extra; i + 4 <= extra + extraLength; ) {
    const [id, length] = [directory.u16(i), directory.u16(i + 2)];
    let next = i + 4;
    const end = Math.min(next + length, extra + extraLength);
    if (id === 1)
      for (const name of ["size", "packed", "place"] as const)
        if (fields[name] === 0xffffffff && next + 8 <= end) {
          fields[name] = directory.u64(next);
          next += 8;
        }
    i += 4 + length;
  }
  return fields;
}

function openEntry(source: ByteSource, { name, isEncrypted, method, packed, size, place }: Listed): ByteSource {
  if (isEncrypted) throw new FileError(`zip: "${name}" is encrypted; write it without a password`);
  const head = new Structure(source, place, 30);
  if (head.u32(0) !== 0x04034b50) throw new FileError(`zip: "${name}" is not where it should be; ${damaged}`);
  const begin = place + 30 + head.u16(26) + head.u16(28);
  requireRange(source, begin, packed, `zip: "${name}"`);
  if (method === 0) {
    if (packed !== size) throw new FileError(`zip: "${name}" has ${packed} bytes and says ${size}; ${damaged}`);
    return partOf(source, begin, size);
  }
  if (method !== 8)
    throw new FileError(`zip: "${name}" is packed by method ${method}, expected deflate; pack it again`);
  // Deflate makes of a byte 1,032 at most.
  if (size > limits.unpackedBytes || size > 1032 * packed + 1032)
    throw new FileError(
      `zip: "${name}" would unpack ${packed} bytes to ${size}, expected ${limits.unpackedBytes} at most, the limit unpackedBytes`,
    );
  return memorySource(inflated(name, source.read(begin, packed), size));
}

function inflated(name: string, packed: Uint8Array, size: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    // What is longer than it says fills the byte behind.
    bytes = inflateSync(packed, { out: new Uint8Array(size + 1) });
  } catch (cause) {
    throw new FileError(`zip: "${name}" cannot be unpacked (${(cause as Error).message}); ${damaged}`, { cause });
  }
  if (bytes.length !== size)
    throw new FileError(`zip: "${name}" unpacks to ${bytes.length} of ${size} bytes; ${damaged}`);
  return bytes;
}

/** A part of a source as one of its own. */
const partOf = (source: ByteSource, begin: number, size: number): ByteSource => ({
  size,
  read(offset, length) {
    requireRange(this, offset, length, "a part of an archive's entry");
    return source.read(begin + offset, length);
  },
});
