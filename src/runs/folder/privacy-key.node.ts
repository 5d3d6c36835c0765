/** The secret of a private run: the key that draws its samples and its noise, kept while it trains and no longer. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FileError, KeyError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import type { Key } from "../../core/random.ts";
import { secretKey } from "../../privacy/secret-key.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { writeSecretFile } from "../../storage/secret-file.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";

const pathIn = (folder: string): string => join(folder, "privacy.key");

/**
 * The key of a run that begins, which only its owner may read; or that of one that goes on. Throws FileError where that is gone or damaged: another one would draw
 * other samples than those that were reckoned with.
 */
export async function privacyKey(folder: string, goesOn: boolean): Promise<Key> {
  const path = pathIn(folder);
  if (!goesOn) {
    const key = secretKey();
    await writeSecretFile(path, JSON.stringify(key));
    return key;
  }
  const bytes = await readBytes(path, "key of a private run").catch((cause: unknown) => {
    if (cause instanceof KeyError) throw cause;
    throw new FileError(
      `${shownPath(path)} cannot be read, without which a private run cannot go on (${(cause as Error).message}); bring the file back, or train anew in another folder`,
      { cause },
    );
  });
  const words = parseJson(new TextDecoder().decode(bytes));
  if (Array.isArray(words) && words.length === 2 && words.every((word) => Number.isInteger(word)))
    return [Number(words[0]) >>> 0, Number(words[1]) >>> 0];
  throw new FileError(
    `${shownPath(path)} is damaged, without which a private run cannot go on; train anew in another folder`,
  );
}

/** Forgets the key of a run that is trained: who finds it can take the noise away. */
export const forgetPrivacyKey = (folder: string): Promise<void> => rm(pathIn(folder), { force: true });
