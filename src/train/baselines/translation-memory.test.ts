/** Translation memories by hand. */
import { expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import type { TokenPair } from "../../data/text/dictionary.ts";
import { compareTranslationBaselines, translationMemory, translationMemoryBleu } from "./translation-memory.ts";

const pairOf = (source: string, target: string): TokenPair => [source.split(" "), target.split(" ")];
const pairs = [
  pairOf("the file was not found", "le fichier est introuvable"),
  pairOf("the name of the file", "le nom du fichier"),
  pairOf("unexpected end of text", "fin de texte inattendue"),
];
const translate = translationMemory(pairs);

test("the target of the nearest source", () => {
  expect(translate(["unexpected", "name"])).toEqual(pairs[2]?.[1]);
  expect(translate(["file", "name"])).toEqual(pairs[1]?.[1]);
  // Rare words weigh more than frequent ones: "found" against "the" and "file".
  expect(translate(["the", "found"])).toEqual(pairs[0]?.[1]);
  // Nothing known: the first.
  expect(translate(["zebra"])).toEqual(pairs[0]?.[1]);
});

test("BLEU is 100 of what it knows", () => {
  expect(translationMemoryBleu(pairs, pairs)).toBeCloseTo(100, 10);
  expect(translationMemoryBleu(pairs, [pairOf("unexpected end", "fin de texte bizarre inattendue")])).toBeLessThan(60);
  expect(() => translationMemory([])).toThrow(DataError);
});

test("baselines of translation are held against each other on the validation part", () => {
  const [copy, memory] = compareTranslationBaselines({
    train: pairs.slice(0, 2),
    validation: pairs.slice(2),
    test: pairs,
  });
  expect(copy).toMatchObject({ name: "copy", metric: "bleu" });
  expect(copy?.test).toBeLessThan(20);
  // What was validated on is known to the test.
  expect(memory).toMatchObject({ name: "translation memory", test: expect.closeTo(100, 6) });
  expect(memory?.validation).toBeLessThan(20);
  expect(() => compareTranslationBaselines({ train: [], validation: pairs, test: pairs })).toThrow(DataError);
});
