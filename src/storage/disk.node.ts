/** What a disk refuses, said as a sentence with its mend. */
import { appendFileSync, existsSync, mkdirSync, statSync, truncateSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { FileError } from "../core/errors.ts";

/** The name of a system error (`ENOENT`), or its message. */
export const systemReason = (error: unknown): string =>
  (error as { readonly code?: string }).code ?? (error instanceof Error ? error.message : String(error));

/** Whether an error is one of the operating system's about a file. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException & { readonly syscall: string } =>
  error instanceof Error && "syscall" in error && /^E[A-Z0-9]+$/.test(systemReason(error));

const permissions = "check its permissions, or name another place";
const space = "free some space, or name a place on another disk";

/** What the system's reasons mean to whoever writes, and what to do. */
const refusals: Readonly<Record<string, string>> = {
  ENOSPC: `the disk is full; ${space}`,
  EDQUOT: `the disk quota is used up; ${space}`,
  EFBIG: `the file would be larger than the system allows; ${space}`,
  EACCES: `it may not be written; ${permissions}`,
  EPERM: `it may not be written; ${permissions}`,
  EROFS: "the disk is read-only; name a place on another disk",
  ENAMETOOLONG: "the path is too long; name a shorter one",
  ENOTDIR: "a part of the path is a file; name a folder there",
  EEXIST: "a file stands where a folder should be; name another place",
  EISDIR: "a folder stands where a file should be; name another place",
  ENOENT: "a folder of the path is gone; make it again",
  ELOOP: "its links lead in a circle; mend them, or name another place",
  EIO: "the disk failed; check it, and what lies on it",
  EMFILE: "too many files are open; close some, or raise the limit (ulimit -n)",
  ENFILE: "too many files are open on this machine; close some",
};

/** That a disk refused to write, as a FileError; `kept` says what became of what was there. */
export function refusedWrite(path: string, cause: unknown, kept?: string): FileError {
  const reason = systemReason(cause);
  const told = refusals[reason] ?? "the disk refused it; check the path";
  return new FileError(`cannot write ${path} (${reason}): ${kept === undefined ? "" : `${kept}; `}${told}`, { cause });
}

/** What an action that writes gives. Throws FileError for what the disk refuses; `kept` says what became of what was there. */
export function onDisk<T>(path: string, action: () => T, kept?: string): T {
  const refused = (cause: unknown): never => {
    throw isSystemError(cause) ? refusedWrite(path, cause, kept) : cause;
  };
  try {
    const result = action();
    return result instanceof Promise ? (result.catch(refused) as T) : result;
  } catch (cause) {
    return refused(cause);
  }
}

/**
 * Makes a folder, and those above it that are missing. Returns whether it made one. Throws FileError for what the disk refuses. (Node's own way, `recursive`,
 * does not end below `/proc`.)
 */
export function makeFolder(path: string): boolean {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const folder of missing)
    onDisk(path, () => {
      try {
        mkdirSync(folder);
      } catch (error) {
        // Another process may have been faster.
        if (systemReason(error) !== "EEXIST" || !statSync(folder).isDirectory()) throw error;
      }
    });
  if (!statSync(path).isDirectory()) throw refusedWrite(path, Object.assign(new Error(), { code: "EEXIST" }));
  return missing.length > 0;
}

/** Appends to a file, all of it or nothing. Throws FileError for what the disk refuses. */
export function appendWhole(path: string, content: Uint8Array | string): void {
  const before = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  try {
    appendFileSync(path, content);
  } catch (cause) {
    try {
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > before) truncateSync(path, before);
    } catch {
      // What is left is a line cut off, which readers of logs pass over.
    }
    throw refusedWrite(path, cause, "what it held is kept");
  }
}
