/** Tokens and vocabularies. */
import { expect, test } from "vitest";
import { DataError, OptionError } from "../../core/errors.ts";
import { beginId, endId, paddingId, sentenceOf, unknownId, Vocabulary, wordsOf } from "./vocabulary.ts";

test("words in lower case, each sign by itself, placeholders whole", () => {
  expect(wordsOf("Don’t STOP -- it's {0}-fold!")).toEqual(["don't", "stop", "-", "-", "it's", "{0}", "-", "fold", "!"]);
  expect(wordsOf("Option '--jsx' of l'option", { elision: true })).toEqual(
    ["option", "'", "-", "-", "jsx", "'", "of", "l'", "option"], // the closing quote stands before no letter
  );
  // An e and its accent apart are the composed letter.
  expect(wordsOf("E\u0301te\u0301")).toEqual(["été"]);
  expect(wordsOf("  ")).toEqual([]);
});

test("tokens as a sentence again", () => {
  const text = "l'option '--jsx' (ou \"{0}\") de tsconfig.json, non-valide.";
  expect(sentenceOf(wordsOf(text, { elision: true }))).toBe(text);
  expect(sentenceOf(["la", "balise", "«", "@", "type", "»", "?"])).toBe("la balise « @type » ?");
});

const sentences = [
  ["b", "a", "c"],
  ["b", "<unk>"],
  ["c", "b"],
];

test("the most frequent tokens have the first ids", () => {
  const vocabulary = Vocabulary.of(sentences);
  expect(vocabulary.tokens).toEqual(["<pad>", "<unk>", "<bos>", "<eos>", "b", "c", "a"]);
  expect(Vocabulary.of(sentences, { size: 5 }).tokens.slice(4)).toEqual(["b"]);
  expect(Vocabulary.of(sentences, { least: 2 }).tokens.slice(4)).toEqual(["b", "c"]);
  expect(vocabulary.encode(["b", "x", "a"])).toEqual([4, unknownId, 6]);
  expect(vocabulary.unknown(["x", "b", "x", "y"])).toEqual(["x", "y"]);
  expect(vocabulary.decode([beginId, 4, unknownId, endId, 5, paddingId])).toEqual(["b", "<unk>"]);
});

test("a vocabulary is what its JSON says", () => {
  const vocabulary = Vocabulary.of(sentences);
  expect(Vocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary))).tokens).toEqual(vocabulary.tokens);
  expect(() => Vocabulary.fromJSON(["a"])).toThrow(/a vocabulary in JSON is/);
});

test("what is no vocabulary, or of another one, is reported", () => {
  expect(() => new Vocabulary(["a"])).toThrow("a vocabulary begins with a; expected <pad>, <unk>, <bos>, <eos>");
  expect(() => new Vocabulary([...Vocabulary.of([]).tokens, "a", "a"])).toThrow(DataError);
  expect(() => Vocabulary.of(sentences).decode([7])).toThrow(/id 7 is none of a vocabulary of 7 tokens/);
  expect(() => Vocabulary.of(sentences, { size: 4 })).toThrow(OptionError);
});
