/** Copies of files and folders, encrypted or decrypted: as streams, so that files of any size need the memory of a chunk. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileError, OptionError } from "../../core/errors.ts";
import { writeFileAtomic, writeFilesAtomic } from "../atomic.node.ts";
import { blocksOf } from "../file-reader.node.ts";
import { shownPath } from "../shown-path.node.ts";
import { intoFolder, requireFree } from "../whole-folder.node.ts";
import { isEncryptedFile } from "./encrypted-folder.node.ts";
import { type EncryptTo, encryptionFiles, encryptionOf, sealedTo } from "./recipients.node.ts";

/** What was copied. */
export interface CopiedFiles {
  /** Where to. */
  readonly out: string;
  readonly files: number;
  /** Bytes of what the files hold. */
  readonly bytes: number;
}

/** How something is copied. */
export interface CopyOptions {
  /** To whom; default to nobody: the copy is in the clear. */
  readonly to: EncryptTo | undefined;
  /** Where to; nothing may be there. */
  readonly out: string;
  /** Stops between two blocks, and leaves nothing. */
  readonly signal?: AbortSignal | undefined;
}

/** What belongs to a folder where it is: how its files are encrypted, and which process has it. */
const ofItsPlace = [...encryptionFiles, "lock"];

/** Files below a folder, by their paths from it. Throws FileError for a link to a folder, and for what is no file. */
function filesBelow(folder: string, within = ""): readonly string[] {
  return readdirSync(join(folder, within), { withFileTypes: true }).flatMap((entry) => {
    const name = join(within, entry.name);
    if (entry.isDirectory()) return filesBelow(folder, name);
    if (within === "" && ofItsPlace.includes(entry.name)) return [];
    if (!statSync(join(folder, name)).isFile())
      throw new FileError(
        `${shownPath(join(folder, name))} is neither a file nor a folder; put a copy of it there, or take it away`,
      );
    return [name];
  });
}

/**
 * Copies a file, or a folder with all that is below it, under the same names: encrypted to somebody, or in the clear. What is encrypted already is
 * decrypted before. The copy appears whole or not at all. Throws OptionError where something stands in its place, and what reading throws.
 */
export async function copyEncrypted(path: string, { to, out, signal }: CopyOptions): Promise<CopiedFiles> {
  if (!existsSync(path)) throw new FileError(`there is no file or folder ${path}; check the path`);
  let bytes = 0;
  const blocks = async function* (from: string) {
    for await (const block of blocksOf(from)) {
      if (signal?.aborted) throw new FileError(`the copy of ${shownPath(path)} was stopped; nothing of it is kept`);
      bytes += block.length;
      yield block;
    }
  };
  if (!statSync(path).isDirectory()) {
    if (existsSync(out))
      throw new OptionError(`${shownPath(out)} is there already; take it away, or name another file: --out FILE`);
    if (!to && !isEncryptedFile(path))
      throw new FileError(`${shownPath(path)} is not encrypted, and there is nothing to decrypt; use it as it is`);
    await writeFileAtomic(out, blocks(path), to ? sealedTo(to) : []);
    return { out, files: 1, bytes };
  }
  requireFree(out);
  const names = filesBelow(path);
  await intoFolder(out, async (folder) => {
    if (to) await writeFilesAtomic(folder, await encryptionOf(to), []);
    for (const name of names) await writeFileAtomic(join(folder, name), blocks(join(path, name)), to ? undefined : []);
  });
  return { out, files: names.length, bytes };
}
