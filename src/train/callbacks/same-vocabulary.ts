/** Keeps a run and its vocabulary together: ids of one mean other words in another. */
import { FileError } from "../../core/errors.ts";
import { foldIn, keyOf } from "../../core/random.ts";
import type { Callback } from "./callback.ts";

/** What gives tokens their ids. */
type Tokens = { readonly size: number; readonly tokens: readonly string[] };

/** A number of sixteen hexadecimal digits that differs for other tokens or another order of them. */
const fingerprintOf = ({ tokens }: Tokens): string =>
  foldIn(keyOf(tokens.length), tokens.join("\n"))
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("");

/**
 * Saves what identifies a vocabulary in the run's checkpoints. A run that goes on or is opened with another one is
 * refused with a FileError.
 */
export function requireSameVocabulary(vocabulary: Tokens, name = "vocabulary"): Callback {
  const own = { size: vocabulary.size, fingerprint: fingerprintOf(vocabulary) };
  return {
    name,
    state: () => own,
    restore(state) {
      const saved = state as typeof own | undefined;
      if (!saved || saved.fingerprint === own.fingerprint) return;
      throw new FileError(
        `the run was trained with another ${name}, of ${saved.size} tokens where the data now gives ${own.size}; its words are made of its data: give it back the data that it was trained on`,
      );
    },
  };
}
