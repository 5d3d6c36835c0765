/** Entities by their tags, against what seqeval gives. */
import { expect, test } from "vitest";
import { entitiesOf, entityScores, marksSpans } from "./entities.ts";

test.each([
  // seqeval, get_entities: its docstring.
  ["B-PER I-PER O B-LOC", ["PER 0 2", "LOC 3 4"]],
  // An I without a B begins one, another type begins the next, B parts two of one type.
  ["I-PER I-PER B-PER I-LOC O", ["PER 0 2", "PER 2 3", "LOC 3 4"]],
  ["S-PER S-PER B-LOC I-LOC E-LOC I-LOC", ["PER 0 1", "PER 1 2", "LOC 2 5", "LOC 5 6"]],
  ["O O", []],
])("%s", (tags, entities) => {
  expect(entitiesOf(tags.split(" ")).map(({ type, start, end }) => `${type} ${start} ${end}`)).toEqual(entities);
});

test("scores are those of seqeval's README", () => {
  const actual = [
    ["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"],
    ["B-PER", "I-PER", "O"],
  ];
  const predicted = [
    ["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"],
    ["B-PER", "I-PER", "O"],
  ];
  expect(entityScores(actual, predicted)).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5 });
  expect(entityScores([["O"]], [["O"]])).toEqual({ precision: 0, recall: 0, f1: 0 });
  expect(() => entityScores([["O"]], [[]])).toThrow("sentence 1 has 1 tags and 0 predicted");
});

test("which tags mark spans", () => {
  expect(marksSpans(["O", "B-PER", "I-PER"])).toBe(true);
  expect(marksSpans(["NOUN", "VERB"])).toBe(false);
  expect(marksSpans(["O"])).toBe(false);
});
