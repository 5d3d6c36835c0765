/** Where features stand in a text: words and pairs, runs across words, scripts without spaces, what is not in the text. */
import { expect, test } from "vitest";
import { featurePlaces } from "./feature-places.ts";

test("words stand wherever they occur, pairs in two places, what fills up in none", () => {
  const features = { words: ["good", "not good", "bad"], characters: [], runs: 0 };
  const { tokens, places } = featurePlaces("Not good, so good!", [1, 2, 3, 0], features);
  expect(tokens).toEqual(["not", "good", ",", "so", "good", "!"]);
  expect(places).toEqual([[1, 4], [0, 1], [], []]);
});

test("runs of characters are of the word that they are in, with the spaces at its ends", () => {
  const features = { words: ["x"], characters: [" go", "od ", "zz"], runs: 1 };
  const { places } = featurePlaces("a good one", [0, 0, 0, 1, 2, 3], features);
  expect(places).toEqual([[], [], [], [1], [1], []]);
});

test("of scripts without spaces each character is a token, and a run is of those that it covers", () => {
  const features = { words: ["好"], characters: ["很好", "好看 "], runs: 2 };
  const { tokens, places } = featurePlaces("很好看", [1, 1, 2], features);
  expect(tokens).toEqual(["很", "好", "看"]);
  expect(places).toEqual([[1], [0, 1], [1, 2]]);
});
