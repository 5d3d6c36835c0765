/** Scores of answers, by hand with the rules of SQuAD's evaluate-v1.1.py. */
import { expect, test } from "vitest";
import { answerScores } from "./answers.ts";

test.each([
  ["The Eiffel Tower!", ["eiffel tower"], 1, 1],
  ["Denver Broncos beat", ["Denver Broncos"], 0, 0.8], // precision 2/3, recall 1
  ["in 1843", ["1842", "1843"], 0, 2 / 3], // the best of the answers
  ["Ada", ["Bob"], 0, 0],
  ["to to be", ["to be be"], 0, 2 / 3], // words count as often as they occur
  ["the", ["a"], 1, 1], // nothing is left of either
])("%s of %j", (predicted, answers, exact, f1) => {
  const found = answerScores(predicted, answers);
  expect(found.exact).toBe(exact);
  expect(found.f1).toBeCloseTo(f1, 10);
});
