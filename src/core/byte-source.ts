/** Bytes that are read in parts, so that a file of gigabytes can be looked into without loading it. */
import { FileError } from "./errors.ts";

/** Bytes that are read in parts, such as an open file. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** The bytes from `offset` on. Throws FileError when they are not all there. */
  read(offset: number, length: number): Uint8Array;
}

/** Throws FileError unless a range lies within a source. */
export function requireRange(source: ByteSource, offset: number, length: number, what: string): void {
  if (offset < 0 || length < 0 || offset + length > source.size)
    throw new FileError(
      `${what} lies at bytes ${offset} to ${offset + length}, the file has ${source.size}; it is cut off or damaged`,
    );
}

/** Bytes in memory as a source; what is read are views. */
export const memorySource = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read(offset, length) {
    requireRange(this, offset, length, "a part");
    return bytes.subarray(offset, offset + length);
  },
});
