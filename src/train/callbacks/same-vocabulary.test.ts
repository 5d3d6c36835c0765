/** A run keeps its vocabulary. */
import { expect, test } from "vitest";
import { FileError } from "../../core/errors.ts";
import { Vocabulary } from "../../data/text/vocabulary.ts";
import { requireSameVocabulary } from "./same-vocabulary.ts";

const [words, others] = [Vocabulary.of([["a", "b", "b"]]), Vocabulary.of([["a", "a", "b"]])];

test("a run goes on with its own words only", () => {
  const saved = requireSameVocabulary(words).state?.();
  expect(() => requireSameVocabulary(Vocabulary.fromJSON(words.toJSON())).restore?.(saved)).not.toThrow();
  // The same words in another order.
  expect(() => requireSameVocabulary(others).restore?.(saved)).toThrow(FileError);
  expect(() => requireSameVocabulary(others).restore?.(saved)).toThrow(
    "trained with another vocabulary, of 6 tokens where",
  );
  expect(() => requireSameVocabulary(words).restore?.(undefined)).not.toThrow();
});
