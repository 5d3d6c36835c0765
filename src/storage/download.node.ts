/** Files obtained from public sources: downloaded once, verified, kept in a cache. */

import { open, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { FileError } from "../core/errors.ts";
import { functionOf, positive, string } from "../core/option-types.ts";
import type { OptionTypes } from "../core/options.ts";
import { syncFolder, temporaryBeside } from "./atomic.node.ts";
import { differenceOf, type ExpectedFile } from "./checksum.node.ts";
import { makeFolder, systemReason } from "./disk.node.ts";

/** A public file: its name in the cache (`mnist/train-images-idx3-ubyte.gz`), where it is published, and what it must be. */
export interface RemoteFile extends ExpectedFile {
  readonly name: string;
  /** Sources of the same bytes, tried in turn. */
  readonly urls: readonly string[];
}

/** Bytes of a download so far. */
export interface DownloadProgress {
  readonly name: string;
  readonly received: number;
  readonly total: number;
}

export interface DownloadOptions {
  /** Folder of the cache; `$SARDONYX_CACHE`, else `~/.cache/sardonyx`. */
  readonly cacheDir?: string;
  /** Called as bytes arrive; not called when the file is in the cache. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Seconds without a byte after which a source is given up; default 30. */
  readonly stallSeconds?: number;
}

export const downloadTypes: OptionTypes<DownloadOptions> = {
  cacheDir: string,
  onProgress: functionOf("(progress) => …"),
  stallSeconds: positive,
};

/** The folder in which downloads are kept. */
export const defaultCacheDir = (): string => process.env["SARDONYX_CACHE"] || join(homedir(), ".cache", "sardonyx");

/** Streams one source into `path`. Throws an Error whose message says what went wrong. */
async function downloadTo(path: string, url: string, file: RemoteFile, options: DownloadOptions): Promise<void> {
  const abort = new AbortController();
  const stallSeconds = options.stallSeconds ?? 30;
  const giveUp = () => abort.abort(new Error(`nothing arrived for ${stallSeconds} s`));
  let timer = setTimeout(giveUp, stallSeconds * 1000);
  const handle = await open(path, "wx");
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`);
    let received = 0;
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, stallSeconds * 1000);
      received += chunk.length;
      if (received > file.bytes) throw new Error(`more than the expected ${file.bytes} bytes arrived`);
      await handle.writeFile(chunk);
      options.onProgress?.({ name: file.name, received, total: file.bytes });
    }
    await handle.sync();
  } finally {
    clearTimeout(timer);
    abort.abort(); // ends the connection of a download given up half-way
    await handle.close();
  }
  const difference = await differenceOf(path, file);
  if (difference !== undefined) throw new Error(difference);
}

/** What fetch hides behind "fetch failed". */
const reasonOf = (error: unknown): string => {
  const cause = (error as { readonly cause?: unknown }).cause;
  return cause === undefined ? (error as Error).message : systemReason(cause);
};

/**
 * The path of a verified copy of `file` in the cache, downloaded if it is not there or is damaged. A download goes to a
 * temporary file, and gets its name only once size and checksum agree. Throws FileError when no source gives the file:
 * it says what each answered, and which file can be put where by hand.
 */
export async function obtain(file: RemoteFile, options: DownloadOptions = {}): Promise<string> {
  const path = join(options.cacheDir ?? defaultCacheDir(), file.name);
  const difference = await differenceOf(path, file);
  if (difference === undefined) return path;
  const failures: string[] = [];
  for (const url of file.urls) {
    const temporary = temporaryBeside(path);
    try {
      makeFolder(dirname(path));
      await downloadTo(temporary, url, file, options);
      await rename(temporary, path);
      await syncFolder(dirname(path));
      return path;
    } catch (error) {
      failures.push(`${url} (${reasonOf(error)})`);
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }
  const checksum = file.sha256 === undefined ? `md5 ${file.md5}` : `sha256 ${file.sha256}`;
  throw new FileError(
    `${file.name}: not in the cache (${difference}), and no source gave it: ${failures.join("; ")}. ` +
      `Connect to the network, or put the file (${file.bytes} bytes, ${checksum}) at ${path} by hand.`,
  );
}
