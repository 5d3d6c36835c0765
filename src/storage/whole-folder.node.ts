/** Folders that appear whole or not at all. */
import { existsSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { OptionError } from "../core/errors.ts";
import { syncFolder, temporaryBeside } from "./atomic.node.ts";
import { isSystemError, makeFolder, refusedWrite } from "./disk.node.ts";

/** Throws OptionError for a place that something is in. */
export function requireFree(out: string): void {
  if (!existsSync(out)) return;
  if (!statSync(out).isDirectory() || readdirSync(out).length > 0)
    throw new OptionError(`${out} is not an empty folder; name another one`);
}

/** Makes a folder beside its place, and puts it there when it is whole; whatever happens, nothing else stays. */
export async function intoFolder<T>(out: string, write: (folder: string) => Promise<T>): Promise<T> {
  makeFolder(dirname(out));
  const folder = temporaryBeside(out);
  try {
    await mkdir(folder);
    const result = await write(folder);
    await syncFolder(folder);
    // Not every system puts a folder in the place of an empty one.
    if (existsSync(out)) rmdirSync(out);
    await rename(folder, out);
    await syncFolder(dirname(out));
    return result;
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw isSystemError(cause) ? refusedWrite(out, cause, "nothing was written") : cause;
  }
}
