/** Folders whose files are all encrypted: made as such, and kept so. */
import { closeSync, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { FileError, OptionError } from "../../core/errors.ts";
import { writeFilesAtomic } from "../atomic.node.ts";
import { shownPath } from "../shown-path.node.ts";
import { looksEncrypted } from "./age-file.node.ts";
import { ownIdentity } from "./keys-at-hand.node.ts";
import { type EncryptTo, encryptionFiles, encryptionOf, recipientsAt, recipientsFile } from "./recipients.node.ts";

/** Whether what is written into a folder is encrypted. */
export const isEncrypted = (folder: string): boolean => recipientsAt(join(folder, recipientsFile)).length > 0;

/**
 * Makes a folder whose files are encrypted to somebody. Of one in which more than `beside` lies, throws OptionError unless its files are
 * encrypted so; FileError for what the disk refuses.
 */
export async function encryptFolder(folder: string, to: EncryptTo, beside: readonly string[] = []): Promise<void> {
  const others = existsSync(folder) ? readdirSync(folder) : [];
  if (others.every((name) => encryptionFiles.includes(name) || beside.includes(name)))
    return writeFilesAtomic(folder, await encryptionOf(to), []);
  const { recipients, passphrase } = to;
  const has = recipientsAt(join(folder, recipientsFile));
  const hasOwn = passphrase === undefined || existsSync(join(folder, ownIdentity));
  if (has.length > 0 && hasOwn && recipients.every((own) => has.includes(own))) return;
  const state = has.length === 0 ? "is not encrypted" : `is encrypted to ${has.join(", ")}`;
  throw new OptionError(
    `${shownPath(folder)} ${state}, which was decided when it was made; leave --encrypt-to out, or name another folder`,
  );
}

/** Whether a file is encrypted. */
export function isEncryptedFile(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const head = new Uint8Array(1024);
    return looksEncrypted(head.subarray(0, readSync(file, head)));
  } finally {
    closeSync(file);
  }
}

/** Throws FileError where a file is encrypted, and what is written beside it would not be. */
export function requireStillEncrypted(path: string): void {
  if (!existsSync(path) || recipientsAt(path).length > 0) return;
  if (!isEncryptedFile(path)) return;
  throw new FileError(
    `${shownPath(path)} is encrypted, and ${recipientsFile}, which says to whom the files beside it are, is gone; write the recipients into it, one a line, and go on with ${basename(path)} as it is`,
  );
}
