/** What occurs in texts, by hand. */
import { describe, expect, test } from "vitest";
import {
  characterRuns,
  fitTextFeatures,
  knownWords,
  lengthOfText,
  textFeatureRows,
  textFeaturesSchema,
  textIds,
  wordsAndPairs,
} from "./text-features.ts";

describe("what occurs in a text", () => {
  test("is its words and their pairs", () => {
    expect(wordsAndPairs("Not so good!")).toEqual(["not", "so", "good", "!", "not so", "so good", "good !"]);
    expect(wordsAndPairs("")).toEqual([]);
  });

  test("is characters and their pairs where no spaces part words", () => {
    expect(wordsAndPairs("很好 ok")).toEqual(["很", "好", "ok", "很 好", "好 ok"]);
    expect(wordsAndPairs("iPhone手机")).toEqual(["iphone", "手", "机", "iphone 手", "手 机"]);
    expect(characterRuns("很好")).toEqual([" 很", "很好", "好 ", " 很好", "很好 ", " 很好 "]);
  });

  test("is runs of two to five characters, by whole code points", () => {
    expect(characterRuns("a")).toEqual([" a", "a ", " a "]);
    expect(characterRuns("𝒳")).toEqual([" 𝒳", "𝒳 ", " 𝒳 "]);
  });
});

describe("features of texts", () => {
  const features = fitTextFeatures("review", ["good film", "good food", "bad film"], 4);
  test("are the most frequent ones, of equals those that sort first, with inverse document frequencies", () => {
    expect(features.words).toEqual(["film", "good", "bad", "bad film"]);
    // ln(4 / 3) + 1 of what two of three texts have, ln(4 / 2) + 1 of one.
    expect(features.weights.slice(0, 4)).toEqual([1.2877, 1.2877, 1.6931, 1.6931]);
    // Runs that two texts have.
    expect(features.characters).toHaveLength(4);
    expect(textFeaturesSchema.parse(JSON.parse(JSON.stringify(features)))).toEqual(features);
  });

  test("become rows of one length, words before runs, each once", () => {
    const known = { ...features, longest: 3, runs: 1 };
    const [read, none] = textIds(known)(["bad, bad film", "!?"]);
    if (!read || !none) throw new Error("nothing was read");
    expect(read.words).toEqual([3, 1, 4]);
    expect(read.unknown).toEqual([","]);
    expect(lengthOfText(read, known)).toBe(3);
    expect(lengthOfText(none, known)).toBe(1);
    const rows = textFeatureRows([read, none], 2, 1);
    // What has no room is left out.
    expect(rows.toArray()).toEqual([
      [3, 1, read.characters[0], read.characters[1]],
      [0, 0, 0, 0],
    ]);
    expect(knownWords({ ...known, runs: 1 }, rows.toNumbers().slice(0, 4))).toBe("bad film");
  });
});
