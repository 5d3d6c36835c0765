/**
 * Files that grow while a run goes on, such as logs. What is appended is on the disk at once. An age file has an end, and takes nothing more: one that is
 * encrypted is kept in memory too, and written anew when it is saved, which a run does before each checkpoint, so that no checkpoint is ahead of its log.
 */
import { existsSync, truncateSync } from "node:fs";
import { readBytes, writeFileAtomic } from "./atomic.node.ts";
import { appendWhole, onDisk } from "./disk.node.ts";
import { requireStillEncrypted } from "./encryption/encrypted-folder.node.ts";
import { recipientsAt } from "./encryption/recipients.node.ts";

/** One such file. */
export interface GrowingFile {
  /** Goes on with what the file holds, up to where `lengthOf` says; of none, with nothing. */
  open(lengthOf: (content: Uint8Array) => number): Promise<void>;
  append(content: Uint8Array | string): void;
  /** Waits until all that was appended is in the file. */
  save(): Promise<void>;
}

/** A file that everybody may read. */
const plainFile = (path: string): GrowingFile => ({
  async open(lengthOf) {
    if (!existsSync(path)) return;
    requireStillEncrypted(path);
    const length = lengthOf(await readBytes(path, "log"));
    onDisk(path, () => truncateSync(path, length));
  },
  append: (content) => appendWhole(path, content),
  save: async () => undefined,
});

/** A file that is encrypted. */
function encryptedFile(path: string): GrowingFile {
  let parts: Uint8Array[] | undefined;
  let isSaved = true;
  return {
    async open(lengthOf) {
      const content = parts ? Buffer.concat(parts) : existsSync(path) ? await readBytes(path, "log") : new Uint8Array();
      parts = [content.subarray(0, lengthOf(content))];
    },
    append(content) {
      parts ??= [];
      parts.push(typeof content === "string" ? Buffer.from(content) : content);
      isSaved = false;
    },
    async save() {
      if (isSaved) return;
      await writeFileAtomic(path, Buffer.concat(parts ?? []));
      isSaved = true;
    },
  };
}

/** A file that grows, encrypted where its folder is. */
export const growingFile = (path: string): GrowingFile =>
  recipientsAt(path).length > 0 ? encryptedFile(path) : plainFile(path);
