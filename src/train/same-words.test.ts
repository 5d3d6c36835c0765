/** A run keeps its vocabulary. */
import { expect, test } from "vitest";
import { FileError } from "../core/errors.ts";
import { Vocabulary } from "../data/text/vocabulary.ts";
import { sameWords } from "./same-words.ts";

const [words, others] = [Vocabulary.of([["a", "b", "b"]]), Vocabulary.of([["a", "a", "b"]])];

test("a run goes on with its own words only", () => {
  const saved = sameWords(words).state?.();
  expect(() => sameWords(Vocabulary.fromJSON(words.toJSON())).restore?.(saved)).not.toThrow();
  // The same words in another order.
  expect(() => sameWords(others).restore?.(saved)).toThrow(FileError);
  expect(() => sameWords(others).restore?.(saved)).toThrow("trained with another vocabulary, of 6 tokens where");
  expect(() => sameWords(words).restore?.(undefined)).not.toThrow();
});
