/** Files written whole or not at all, and files read whole with errors that name them. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError } from "../core/errors.ts";

/** The name of a system error (`ENOENT`), or its message. */
export const systemReason = (error: unknown): string =>
  (error as { readonly code?: string }).code ?? (error instanceof Error ? error.message : String(error));

/** Makes a rename in `folder` outlast a loss of power. Windows has no handle to a folder, and does without. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name beside `path` that no other process uses. */
export const temporaryBeside = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);

/**
 * Writes a file so that, whatever happens, `path` holds either its old content or all of the new one: a temporary file
 * in the same folder (made if missing), fsync, rename, fsync of the folder. Throws FileError, and leaves no temporary.
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, "wx");
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // a folder that is none has no temporary either
    throw new FileError(
      `cannot write ${path} (${systemReason(error)}); nothing was changed; check the folder's permissions and free space`,
      { cause: error },
    );
  }
}

/** All bytes of a file. Throws FileError, opening with `what` the file is for, when it is missing, a folder or unreadable. */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    const { buffer, byteOffset, length } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, length); // no Buffer: its slice() does not copy
  } catch (error) {
    const reason = systemReason(error);
    const problem: Record<string, string> = {
      ENOENT: `there is no file ${path}; check the path`,
      ENOTDIR: `there is no file ${path}, a part of the path is a file; check the path`,
      EISDIR: `${path} is a folder, expected a file; name the file in it`,
    };
    throw new FileError(`${what}: ${problem[reason] ?? `cannot read ${path} (${reason}); check its permissions`}`, {
      cause: error,
    });
  }
}
