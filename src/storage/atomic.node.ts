/** Files written whole or not at all, and files read whole with errors that name them. */
import { randomBytes } from "node:crypto";
import { copyFile, link, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError, KeyError, SardonyxError } from "../core/errors.ts";
import { makeFolder, refusedWrite, systemReason } from "./disk.node.ts";
import { plainBytes } from "./encryption/plain-source.node.ts";
import { recipientsAt } from "./encryption/recipients.node.ts";
import { type SealedTo, sealed, sealedBlocks } from "./encryption/sealer.node.ts";
import { kindOfOther } from "./file-source.node.ts";

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

/** What is written: text, bytes, or bytes as they come. */
export type Content = Uint8Array | string | AsyncIterable<Uint8Array>;

const isStream = (content: Content): content is AsyncIterable<Uint8Array> =>
  typeof content === "object" && Symbol.asyncIterator in content;

/** A name beside `path` that no other process uses. */
export const temporaryBeside = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);

/**
 * Writes a file so that, whatever happens, `path` holds either its old content or all of the new one: a temporary file
 * in the same folder (made if missing), fsync, rename, fsync of the folder. Throws FileError, and leaves no temporary.
 * @param to to whom it is encrypted; default the recipients of its folder (`.age-recipients`), or nobody
 */
export const writeFileAtomic = (path: string, content: Content, to?: SealedTo): Promise<void> =>
  writeFilesAtomic(dirname(path), { [basename(path)]: content }, to);

/**
 * Writes files that belong together into a folder, as `writeFileAtomic` does each: none takes the place of an old one before all of them
 * are on the disk, and where the disk then refuses one, those before it are put back. Throws FileError, and leaves no temporary.
 */
export async function writeFilesAtomic(
  folder: string,
  files: Readonly<Record<string, Content>>,
  to: SealedTo = recipientsAt(join(folder, "any")),
): Promise<void> {
  const writes = await Promise.all(
    Object.entries(files).map(async ([name, content]) => {
      const path = join(folder, name);
      return {
        path,
        temporary: temporaryBeside(path),
        content: isStream(content) ? sealedBlocks(to, content) : await sealed(to, content),
      };
    }),
  );
  let current = writes[0]?.path ?? folder;
  const replaced: Replaced[] = [];
  makeFolder(folder);
  try {
    for (const { path, temporary, content } of writes) {
      current = path;
      await writeSynced(temporary, content);
      // Beside what a folder refuses, one in the file's place is what keeps a rename from its end.
      if (await isFolder(path)) throw Object.assign(new Error("a folder stands there"), { code: "EISDIR" });
    }
    for (const { path, temporary } of writes) {
      current = path;
      const old = writes.length > 1 ? await secondName(path) : undefined;
      await rename(temporary, path);
      replaced.push({ path, old });
    }
    await syncFolder(folder);
  } catch (cause) {
    const isAsBefore = writes.length > 1 ? await putBack(replaced) : replaced.length === 0;
    // A folder that is none has no temporaries either.
    for (const { temporary } of writes) await rm(temporary, { force: true }).catch(() => undefined);
    const kept = isAsBefore
      ? "nothing was changed"
      : "what is new stands there already, and may be lost with the power";
    throw cause instanceof SardonyxError ? cause : refusedWrite(current, cause, kept);
  } finally {
    for (const { old } of replaced) if (old !== undefined) await rm(old, { force: true }).catch(() => undefined);
  }
}

/** A file that a new one took the place of. */
interface Replaced {
  readonly path: string;
  /** Another name of what it was, `undefined` where there was nothing. */
  readonly old: string | undefined;
}

/** Gives a file a second name; `undefined` where there is no file. */
async function secondName(path: string): Promise<string | undefined> {
  const name = temporaryBeside(path);
  try {
    // Not every disk knows second names.
    await link(path, name).catch((error) => {
      if (systemReason(error) === "ENOENT") throw error;
      return copyFile(path, name);
    });
    return name;
  } catch (error) {
    if (systemReason(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts old files back into their places. Returns whether all are there. */
async function putBack(replaced: readonly Replaced[]): Promise<boolean> {
  const done = await Promise.all(
    replaced.map(({ path, old }) =>
      (old === undefined ? rm(path) : rename(old, path)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return done.every(Boolean);
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function writeSynced(path: string, content: Content): Promise<void> {
  const handle = await open(path, "wx");
  try {
    await writeFile(handle, content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * All that a file holds, decrypted where it is encrypted. Throws FileError, opening with `what` the file is for, when it is missing, a folder,
 * unreadable or damaged, KeyError where no key opens it.
 */
export async function readBytes(path: string, what: string): Promise<Uint8Array> {
  try {
    // Before it is opened: a pipe would wait for its writer, and a device may have no end.
    const kind = kindOfOther(await stat(path));
    if (kind !== undefined && kind !== "a folder")
      throw new FileError(`${what}: ${path} is no file but ${kind}; give the path of a file`);
    const { buffer, byteOffset, length } = await readFile(path);
    return plainBytes(new Uint8Array(buffer, byteOffset, length), path); // no Buffer: its slice() does not copy
  } catch (error) {
    if (error instanceof FileError || error instanceof KeyError) throw error;
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
