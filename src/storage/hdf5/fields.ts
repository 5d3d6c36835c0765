/** Little-endian fields of an HDF5 structure, read one after another, none beyond its end. */
import { type ByteSource, requireRange } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";

/** The end of a sentence about a file whose structures contradict it. */
export const damaged = "the file is damaged; save it again";

/** No structure that is read as a whole is larger: a header, a node, a heap of names. */
const maxStructureBytes = 2 ** 28;

export class Fields {
  readonly bytes: Uint8Array;
  #position = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get left(): number {
    return this.bytes.length - this.#position;
  }
  /** A part of its own, and the position behind it. */
  take(length: number): Uint8Array {
    if (length < 0 || length > this.left)
      throw new FileError(
        `hdf5: a structure of ${this.bytes.length} bytes needs ${length} more than it has; ${damaged}`,
      );
    const begin = this.#position;
    this.#position += length;
    return this.bytes.subarray(begin, begin + length);
  }
  skip(length: number): void {
    this.take(length);
  }
  /** To the next multiple of 8. */
  align(): void {
    this.skip(Math.min(this.left, (8 - (this.#position % 8)) % 8));
  }
  u8(): number {
    return this.uint(1);
  }
  u16(): number {
    return this.uint(2);
  }
  u32(): number {
    return this.uint(4);
  }
  /** A length or a place in the file. Throws FileError beyond 2^53, which no file reaches. */
  u64(): number {
    const value = this.uint(8);
    if (!Number.isSafeInteger(value)) throw new FileError(`hdf5: it names the number ${value} of bytes; ${damaged}`);
    return value;
  }
  /** A place in the file; `undefined` for none. */
  address(): number | undefined {
    const bytes = this.take(8);
    return bytes.every((byte) => byte === 0xff) ? undefined : new Fields(bytes).u64();
  }
  uint(length: number): number {
    return this.take(length).reduceRight((value, byte) => value * 256 + byte, 0);
  }
  text(length: number): string {
    return textOf(this.take(length));
  }
  /** Throws FileError unless the next bytes are a mark. */
  expect(mark: string): void {
    const found = this.text(mark.length);
    if (found !== mark) throw new FileError(`hdf5: a structure begins with other bytes than ${mark}; ${damaged}`);
  }
}

/** Text up to its first zero, if it has one. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The fields of a structure of the file. */
export function fieldsAt(source: ByteSource, place: number, length: number): Fields {
  requireRange(source, place, length, "hdf5: a structure");
  if (length > maxStructureBytes) throw new FileError(`hdf5: a structure has ${length} bytes; ${damaged}`);
  return new Fields(source.read(place, length));
}
