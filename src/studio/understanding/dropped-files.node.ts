/** Models' files that were dropped onto the page: kept in a folder of their own until others come or the studio ends. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { byteText } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { HttpError } from "../../serve/http-error.ts";

/** Files that are models, and are data: what has code in it is not opened. */
const modelEndings = [".onnx", ".safetensors", ".gguf", ".keras", ".h5", ".json"];

/** How much is kept. */
export interface DroppedLimits {
  /** Bytes of a file; default 2 GiB. */
  readonly bytes: number;
  /** Files; default 6. */
  readonly files: number;
}

/** Keeps them. */
export class DroppedFiles {
  readonly #limits: DroppedLimits;
  /** Paths by what they were given as names, the oldest first. */
  readonly #paths = new Map<string, string>();
  #folder: string | undefined;

  constructor(limits: Partial<DroppedLimits> = {}) {
    this.#limits = { bytes: 2 * 1024 ** 3, files: 6, ...limits };
  }

  /** Takes a file, and gives what it is asked for by. Throws OptionError for what is no model by its name, HttpError for too much. */
  async take(name: string, content: AsyncIterable<Uint8Array>): Promise<string> {
    const ending = extname(name).toLowerCase();
    if (!modelEndings.includes(ending))
      throw new OptionError(
        `${quoted(name.slice(0, 80))} is no model that is inspected here; drop one of ${modelEndings.join(", ")}`,
      );
    this.#folder ??= mkdtempSync(join(tmpdir(), "sardonyx-studio-"));
    const id = randomBytes(8).toString("hex");
    // Letters that lead nowhere. A config.json is called as its folder is.
    const stem =
      name
        .slice(0, -ending.length)
        .replace(/[^\w-]+/g, "-")
        .slice(0, 80) || "model";
    const folder = join(this.#folder, id, stem);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, `${stem}${ending}`);
    try {
      await this.#write(path, content);
    } catch (error) {
      rmSync(join(this.#folder, id), { recursive: true, force: true });
      throw error;
    }
    this.#paths.set(id, path);
    const [oldest] = this.#paths.keys();
    if (this.#paths.size > this.#limits.files && oldest !== undefined) {
      this.#paths.delete(oldest);
      rmSync(join(this.#folder, oldest), { recursive: true, force: true });
    }
    return id;
  }

  async #write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await open(path, "wx", 0o600);
    try {
      let bytes = 0;
      for await (const part of content) {
        bytes += part.length;
        if (bytes > this.#limits.bytes)
          throw new HttpError(
            413,
            `a model's file has at most ${byteText(this.#limits.bytes)} here; inspect it on the command line: sardonyx inspect FILE`,
          );
        await file.write(part);
      }
    } finally {
      await file.close();
    }
  }

  /** The path of a file. Throws OptionError for one that is not kept any more. */
  pathOf(id: string): string {
    const path = this.#paths.get(id);
    if (path === undefined) throw new OptionError("the file is not kept any more; drop it again");
    return path;
  }

  /** What is said of files, without the folders that they lie in here. */
  shown(text: string): string {
    return this.#folder === undefined ? text : text.replaceAll(new RegExp(`${this.#folder}/\\w+/[\\w-]+/`, "g"), "");
  }

  /** Lets go of all. */
  close(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}
