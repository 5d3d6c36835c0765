/** Files on disk as sources of bytes that are read in parts. */
import { closeSync, fstatSync, openSync, readSync, realpathSync, type Stats, statSync } from "node:fs";
import { isAbsolute, join, sep } from "node:path";
import { type ByteSource, requireRange } from "../core/byte-source.ts";
import { FileError } from "../core/errors.ts";
import { plainSource } from "./encryption/plain-source.node.ts";

/** What a path names that is no regular file, and may give bytes without end or none ever; `undefined` for a file. */
export function kindOfOther(status: Stats): string | undefined {
  if (status.isFile()) return undefined;
  if (status.isDirectory()) return "a folder";
  if (status.isFIFO()) return "a pipe";
  return status.isSocket() ? "a socket" : "a device";
}

/** Opens a file for reading what it holds in parts until `close`, decrypted where it is encrypted. Throws FileError when there is no such file, KeyError where no key opens it. */
export function openFile(path: string): ByteSource & { close(): void } {
  // Before it is opened: a pipe would wait for its writer.
  const kind = kindOfOther(attempt(path, () => statSync(path)));
  if (kind !== undefined) throw new FileError(`${path} is no file but ${kind}; give the path of a file`);
  const handle = attempt(path, () => openSync(path, "r"));
  const status = fstatSync(handle);
  if (!status.isFile()) {
    closeSync(handle);
    throw new FileError(`${path} is no file; give the path of one`);
  }
  const file: ByteSource = {
    size: status.size,
    read(offset, length) {
      requireRange(this, offset, length, `a part of ${path}`);
      const bytes = new Uint8Array(length);
      const count = attempt(path, () => readSync(handle, bytes, 0, length, offset));
      if (count < length) throw new FileError(`${path} ended at byte ${offset + count} while it was read`);
      return bytes;
    },
  };
  const close = () => closeSync(handle);
  try {
    const plain = plainSource(file, path);
    return { size: plain.size, read: (offset, length) => plain.read(offset, length), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The snapshot of a model in a cache of Hugging Face's layout, whose files are links into `blobs` beside `snapshots`. */
const snapshot = /^(.*[\\/]models--[^\\/]+)[\\/]snapshots[\\/][^\\/]+(?=[\\/]|$)/;

/** The folders in which the files of a folder may lie. */
function homesOf(folder: string): readonly string[] {
  const model = snapshot.exec(folder)?.[1];
  return model === undefined ? [folder] : [folder, join(model, "blobs")];
}

/**
 * Opens a file that another one names. Throws FileError for a place outside the folder, also by way of a link: what a
 * file says must not open others on the machine. Links of a cache of Hugging Face's, which lead to the same model's blobs, are followed.
 */
export function openBeside(folder: string, location: string): ByteSource & { close(): void } {
  const parts = location.split(/[\\/]/);
  if (isAbsolute(location) || parts.includes("..") || /^[a-z]:/i.test(location))
    throw new FileError(`"${location}" lies outside the folder ${folder}, where a model may not read`);
  const root = attempt(folder, () => realpathSync(folder));
  const path = attempt(join(folder, location), () => realpathSync(join(folder, location)));
  if (!homesOf(root).some((home) => path.startsWith(`${home}${sep}`)))
    throw new FileError(`"${location}" is a link that leads outside the folder ${folder}, where a model may not read`);
  return openFile(path);
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: "there is no such file",
      EACCES: "it may not be read",
      EISDIR: "it is a folder",
    };
    throw new FileError(`${path} cannot be read: ${reasons[code ?? ""] ?? (cause as Error).message}; check the path`, {
      cause,
    });
  }
}
