/** Files of pictures as parts one after another: those that stay, and those that are left out. */
import { FileError } from "../../core/errors.ts";

/** What was left out of a picture's file. */
export interface RemovedPart {
  /** What it was, such as "EXIF" or "comment". */
  readonly kind: string;
  readonly bytes: number;
}

/** The parts of a file, gone through from its start. */
export class Parts {
  readonly #bytes: Uint8Array;
  readonly #kept: Uint8Array[] = [];
  readonly removed: RemovedPart[] = [];
  /** Where the next part begins. */
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.at;
  }

  /** `count` bytes that lie `offset` after the place. Throws FileError where the file ends before them. */
  peek(offset: number, count: number): Uint8Array {
    const start = this.at + offset;
    if (count < 0 || start + count > this.#bytes.length)
      throw new FileError(
        `withoutMetadata: the picture ends at byte ${this.#bytes.length}, and what begins at byte ${this.at} goes on; it is cut off or damaged, get it again`,
      );
    return this.#bytes.subarray(start, start + count);
  }

  byte(offset: number): number {
    return this.peek(offset, 1)[0] as number;
  }

  /** A whole number of 2 or 4 bytes, the highest first unless `littleEndian`. */
  integer(offset: number, size: 2 | 4, littleEndian = false): number {
    const own = this.peek(offset, size);
    const view = new DataView(own.buffer, own.byteOffset, size);
    return size === 2 ? view.getUint16(0, littleEndian) : view.getUint32(0, littleEndian);
  }

  /** How far off the next byte of a value is, from `offset` on. Throws FileError where there is none. */
  find(byte: number, offset: number): number {
    const found = this.#bytes.indexOf(byte, this.at + offset);
    if (found < 0) this.peek(this.left, 1);
    return found - this.at;
  }

  /** Bytes as text of one character each. */
  text(offset: number, count: number): string {
    return String.fromCharCode(...this.peek(offset, count));
  }

  keep(count: number): void {
    this.#kept.push(this.peek(0, count));
    this.at += count;
  }

  remove(count: number, kind: string): void {
    this.peek(0, count);
    this.removed.push({ kind, bytes: count });
    this.at += count;
  }

  /** Leaves out whatever comes after the picture. */
  removeRest(): void {
    if (this.left > 0) this.remove(this.left, "after the picture");
  }

  /** Puts bytes of our own before what is kept next. */
  insert(bytes: Uint8Array): void {
    this.#kept.push(bytes);
  }

  /** What is kept, as one file. */
  joined(): Uint8Array<ArrayBuffer> {
    const result = new Uint8Array(this.#kept.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#kept) {
      result.set(part, at);
      at += part.length;
    }
    return result;
  }
}

/** Throws FileError: what is at the place is not what a file of `format` has there. */
export function damaged(parts: Parts, format: string): never {
  throw new FileError(
    `withoutMetadata: byte ${parts.at} of the picture is not what a ${format} file has there; it is damaged, get it again`,
  );
}
