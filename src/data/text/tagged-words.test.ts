/** Words with tags from records and from CoNLL files, and what is refused. */
import { describe, expect, test } from "vitest";
import { parseConll } from "./conll.ts";
import { taggedWords } from "./tagged-words.ts";

const record = (fields: Readonly<Record<string, unknown>>, where = "a.jsonl: line 1") => ({ fields, where });

describe("records", () => {
  test("of names and of numbers", () => {
    const { sentences, classes } = taggedWords([
      record({ tokens: ["Ada", "spoke"], tags: ["B-PER", "O"] }),
      record({ tokens: ["Hm"], tags: ["O"] }),
    ]);
    expect(classes).toEqual(["B-PER", "O"]);
    expect(sentences).toEqual([
      { words: ["Ada", "spoke"], tags: [0, 1] },
      { words: ["Hm"], tags: [1] },
    ]);
    const numbered = taggedWords([record({ words: ["a", "b"], ner_tags: [10, 2] })]);
    expect([numbered.classes, numbered.sentences[0]?.tags]).toEqual([
      ["2", "10"],
      [1, 0],
    ]);
    const given = taggedWords([record({ words: ["a"], labels: [1] })], { classes: ["O", "B-X"] });
    expect(given.sentences[0]?.tags).toEqual([1]);
  });

  test.each([
    [{ tags: ["O"] }, 'has no "tokens"; it has tags'],
    [{ tokens: ["a"] }, 'has no "tags"; it has tokens'],
    [{ tokens: "a b", tags: ["O"] }, '"tokens" is the text "a b", expected a list'],
    [{ tokens: [], tags: [] }, '"tokens" is empty'],
    [{ tokens: ["a", "b"], tags: ["O"] }, "has 2 words and 1 tags, expected a tag for each word"],
    [{ tokens: ["a", " "], tags: ["O", "O"] }, 'word 2 of "tokens" is empty'],
    [{ tokens: ["a"], tags: [null] }, 'tag 1 of "tags" is null, expected a name'],
    [{ tokens: ["a"], tags: [0.5] }, 'tag 1 of "tags" is 0.5'],
  ])("%j is refused", (fields, message) => {
    expect(() => taggedWords([record(fields)])).toThrow(`a.jsonl: line 1: ${message}`);
  });

  test("a tag that is none of the classes is refused", () => {
    expect(() => taggedWords([record({ tokens: ["a"], tags: ["B-X"] })], { classes: ["O"] })).toThrow(
      'has the tag the text "B-X", expected one of O',
    );
    expect(() => taggedWords([], { classes: [] })).toThrow("pass different names");
  });
});

describe("CoNLL files", () => {
  test("have the word first and the tag last", () => {
    const text = "-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\nrejects VBZ I-VP O\n\n\nPeter NNP I-NP B-PER\n";
    expect(parseConll(text, "train.conll")).toEqual([
      { fields: { tokens: ["EU", "rejects"], tags: ["B-ORG", "O"] }, where: "train.conll: line 3" },
      { fields: { tokens: ["Peter"], tags: ["B-PER"] }, where: "train.conll: line 7" },
    ]);
    expect(parseConll("New York\tB-LOC\r\n", "a")[0]?.fields).toEqual({ tokens: ["New York"], tags: ["B-LOC"] });
  });

  test("a word without a tag, and columns of another number, are refused", () => {
    expect(() => parseConll("a O\nb\n", "a.conll")).toThrow('a.conll: line 2 has the word "b" without a tag');
    expect(() => parseConll("a x O\nb O\n", "a.conll")).toThrow("line 2 has 2 columns, expected 3 columns");
    expect(() => parseConll("\n\n", "a.conll")).toThrow("a.conll: has no sentences");
  });
});
