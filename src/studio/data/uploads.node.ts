/** Data sets that are uploaded file by file: gathered beside, and put in place whole when the last file has come. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FileError, OptionError } from "../../core/errors.ts";
import { byteText, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { HttpError } from "../../serve/http-error.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { onDisk } from "../../storage/disk.node.ts";
import { dataFolder, partsOf, requireSetName } from "./data-places.node.ts";

/** How much is taken. */
export interface UploadLimits {
  /** Bytes of a data set; default 512 MiB. */
  readonly bytes: number;
  /** Files of a data set; default 20,000. */
  readonly files: number;
  /** Milliseconds without a file after which a data set is given up; default ten minutes. */
  readonly idle: number;
}

const usualLimits: UploadLimits = { bytes: 512 * 1024 * 1024, files: 20_000, idle: 600_000 };

/** How folders of uploads under way begin. */
const gathering = ".upload-";
/** Milliseconds after which such a folder was left by a studio that was killed. */
const leftAfter = 24 * 3600 * 1000;

/** A file as it comes. */
export interface UploadedFile {
  readonly set: string;
  /** Below the data set, with slashes. */
  readonly path: string;
  readonly content: AsyncIterable<Uint8Array>;
}

interface Gathered {
  readonly folder: string;
  /** Files by their paths in small letters, since not every disk tells large ones apart. */
  readonly files: Map<string, { readonly path: string; readonly isWhole: boolean }>;
  bytes: number;
  timer?: ReturnType<typeof setTimeout>;
}

/** Takes uploads into `data/NAME` below a folder. */
export class Uploads {
  readonly #root: string;
  readonly #limits: UploadLimits;
  readonly #sets = new Map<string, Gathered>();
  #isClean = false;

  constructor(root: string, limits: Partial<UploadLimits> = {}) {
    this.#root = root;
    this.#limits = { ...usualLimits, ...limits };
  }

  /**
   * Takes a file of a data set. Whatever goes wrong, the whole set is given up, and nothing of it stays. Throws OptionError for names that lead
   * elsewhere or are taken, HttpError for too much, FileError where the disk refuses.
   */
  async take({ set, path, content }: UploadedFile): Promise<void> {
    const parts = partsOf(path);
    const gathered = this.#gathered(requireSetName(set));
    try {
      const key = path.normalize("NFC").toLowerCase();
      if (gathered.files.has(key)) throw new OptionError(`${quoted(path)} was sent already, in small letters or large`);
      if (gathered.files.size >= this.#limits.files)
        throw new HttpError(413, `a data set has at most ${this.#limits.files} files here; ${elsewhere}`);
      gathered.files.set(key, { path, isWhole: false });
      await writeFileAtomic(join(gathered.folder, ...parts), this.#counted(gathered, content));
      if (this.#sets.get(set) !== gathered)
        throw new FileError(`the upload of ${quoted(set)} was given up; send it again`);
      gathered.files.set(key, { path, isWhole: true });
      gathered.timer?.refresh();
    } catch (error) {
      await this.#giveUp(set, gathered);
      throw error;
    }
  }

  async *#counted(gathered: Gathered, content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const part of content) {
      gathered.bytes += part.length;
      gathered.timer?.refresh();
      if (gathered.bytes > this.#limits.bytes)
        throw new HttpError(413, `a data set has at most ${byteText(this.#limits.bytes)} here; ${elsewhere}`);
      yield part;
    }
  }

  /** Puts a data set in its place. Returns the path of its data below the folder: of its only file, or its own. Throws OptionError where not all files came. */
  async done(set: string, count: number): Promise<string> {
    const gathered = this.#sets.get(requireSetName(set));
    const files = [...(gathered?.files.values() ?? [])];
    const whole = files.filter(({ isWhole }) => isWhole).length;
    if (!gathered || whole !== count || files.length !== count) {
      if (gathered) await this.#giveUp(set, gathered);
      throw new OptionError(`${whole} of ${plural(count, "file")} of ${quoted(set)} came; send them again`);
    }
    try {
      this.#requireFree(set);
      onDisk(join(this.#root, dataFolder, set), () => renameSync(gathered.folder, join(this.#root, dataFolder, set)));
    } finally {
      await this.#giveUp(set, gathered);
    }
    const [only] = files;
    return files.length === 1 && only ? `${dataFolder}/${set}/${only.path}` : `${dataFolder}/${set}`;
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    for (const [set, gathered] of this.#sets) await this.#giveUp(set, gathered);
  }

  #requireFree(set: string): void {
    if (existsSync(join(this.#root, dataFolder, set)))
      throw new OptionError(
        `there is a data set ${quoted(set)} already; choose it from the list, or take another name`,
      );
  }

  #gathered(set: string): Gathered {
    const found = this.#sets.get(set);
    if (found) return found;
    this.#requireFree(set);
    this.#cleanOnce();
    const folder = join(this.#root, dataFolder, `${gathering}${randomBytes(8).toString("hex")}`);
    const gathered: Gathered = { folder, files: new Map(), bytes: 0 };
    gathered.timer = setTimeout(() => void this.#giveUp(set, gathered), this.#limits.idle).unref();
    this.#sets.set(set, gathered);
    return gathered;
  }

  async #giveUp(set: string, gathered: Gathered): Promise<void> {
    clearTimeout(gathered.timer);
    if (this.#sets.get(set) === gathered) this.#sets.delete(set);
    await rm(gathered.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Removes what a studio that was killed left. */
  #cleanOnce(): void {
    const folder = join(this.#root, dataFolder);
    if (this.#isClean || !existsSync(folder)) return;
    this.#isClean = true;
    for (const name of readdirSync(folder)) {
      const left = join(folder, name);
      if (!name.startsWith(gathering) || Date.now() - statSync(left).mtimeMs < leftAfter) continue;
      rmSync(left, { recursive: true, force: true });
    }
  }
}

const elsewhere = "copy it below the studio's folder, where data of any size can be chosen";
