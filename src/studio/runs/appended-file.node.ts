/** A file that only grows, read on from where it was read to; also one that is encrypted, and so written anew as it grows. */
import { statSync } from "node:fs";
import { openFile } from "../../storage/file-source.node.ts";

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

  /** What is new since the last look; nothing of a file that is not there, or that no key opens. */
  read(): Appended {
    let file: ReturnType<typeof openFile>;
    let inode: number;
    try {
      inode = statSync(this.#path).ino;
      file = openFile(this.#path);
    } catch {
      const isAnew = this.#offset > 0;
      this.#offset = 0;
      return { bytes: new Uint8Array(), isAnew };
    }
    try {
      const isAnew = file.size < this.#offset || (this.#offset > 0 && inode !== this.#inode);
      this.#inode = inode;
      if (isAnew) this.#offset = 0;
      const bytes = file.read(this.#offset, Math.min(mostBytes, file.size - this.#offset));
      this.#offset += bytes.length;
      return { bytes, isAnew };
    } finally {
      file.close();
    }
  }

  /** Says that the last bytes of what was read are not used yet: they are read again. */
  giveBack(bytes: number): void {
    this.#offset -= bytes;
  }
}

/** Reads the lines that are appended to a file, each once, when it is whole. */
export class AppendedLines {
  readonly #file: AppendedFile;
  #decoder = new TextDecoder();
  #rest = "";

  constructor(path: string) {
    this.#file = new AppendedFile(path);
  }

  /** The lines that are new, empty ones left out, and whether they are of another file than before. */
  read(): { readonly lines: readonly string[]; readonly isAnew: boolean } {
    const { bytes, isAnew } = this.#file.read();
    if (isAnew) {
      this.#decoder = new TextDecoder();
      this.#rest = "";
    }
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return { lines: lines.filter((line) => line !== ""), isAnew };
  }
}

/** The last bytes of what a file holds, at most so many, by default all. Throws FileError for one that is not there, KeyError for one that no key opens. */
export function endOfFile(path: string, most = Number.POSITIVE_INFINITY): Uint8Array {
  const file = openFile(path);
  try {
    const length = Math.min(most, file.size);
    return file.read(file.size - length, length);
  } finally {
    file.close();
  }
}
