/** A file that only grows, read on from where it was read to. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** The most bytes that are read at once: what follows is read at the next look. */
const mostBytes = 64 * 1024 * 1024;

/** What is new in a file. */
export interface Appended {
  readonly bytes: Uint8Array;
  /** Whether the file is another one now, or shorter than it was: what was read before does not count. */
  readonly isAnew: boolean;
}

/** Reads what is appended to a file, each byte once. */
export class AppendedFile {
  readonly #path: string;
  #offset = 0;
  #inode = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** What is new since the last look; nothing of a file that is not there. */
  read(): Appended {
    let file: number;
    try {
      file = openSync(this.#path, "r");
    } catch {
      const isAnew = this.#offset > 0;
      this.#offset = 0;
      return { bytes: new Uint8Array(), isAnew };
    }
    try {
      const { size, ino } = fstatSync(file);
      const isAnew = size < this.#offset || (this.#offset > 0 && ino !== this.#inode);
      this.#inode = ino;
      if (isAnew) this.#offset = 0;
      const bytes = new Uint8Array(Math.min(mostBytes, Math.max(0, size - this.#offset)));
      const read = bytes.length > 0 ? readSync(file, bytes, 0, bytes.length, this.#offset) : 0;
      this.#offset += read;
      return { bytes: bytes.subarray(0, read), isAnew };
    } finally {
      closeSync(file);
    }
  }

  /** Says that the last bytes of what was read are not used yet: they are read again. */
  giveBack(bytes: number): void {
    this.#offset -= bytes;
  }
}

/** The last bytes of a file, at most so many; none where it is not there. */
export function endOfFile(path: string, most: number): Uint8Array {
  try {
    const file = openSync(path, "r");
    try {
      const { size } = fstatSync(file);
      const bytes = new Uint8Array(Math.min(most, size));
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
    } finally {
      closeSync(file);
    }
  } catch {
    return new Uint8Array();
  }
}
