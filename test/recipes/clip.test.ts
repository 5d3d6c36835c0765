/** Images and sentences in one space, shortened: colours are learned before digits, and already name more than chance does. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  captionedSet,
  captionOf,
  colors,
  idsOf,
  pairs,
  prompts,
  splitPairs,
  vocabulary,
  wholeCaption,
} from "../../recipes/shared/captioned-digits.ts";
import { encodePng, keyOf, Random, wordsOf } from "../../src/index.ts";
import { loadMnist } from "../../src/node.ts";
import { fixtures, sardonyx, train } from "./run.ts";

test("clip-digits names images by sentences, and finds images and sentences", async () => {
  const { results, run } = train("clip-digits", "--limit", "800", "--batch-size", "32", "--epochs", "7");
  // Of 800 images chance names 1/60, with a standard deviation of 0.005, and chooses half of the bindings, with one of 0.018.
  expect(results["seen_accuracy"]).toBeGreaterThan(0.05);
  expect(results["seen_binding_accuracy"]).toBeGreaterThan(0.65);
  expect(results["unseen_binding_accuracy"]).toBeGreaterThan(0.65);
  // Of 25 chance finds one: a standard deviation of 0.04.
  expect(results["seen_image_to_text_accuracy"]).toBeGreaterThan(0.2);
  for (const name of ["images.png", "cosines.svg"]) expect(readFileSync(join(run, name)).length).toBeGreaterThan(500);

  const { shown, x } = captionedSet((await loadMnist()).test.tensors, new Set(pairs.keys()), 1, keyOf(3));
  const [image, swapped] = shown.flatMap(({ ink, background, ...own }) => [
    wholeCaption({ ink, background, ...own }),
    wholeCaption({ ink: background, background: ink, ...own }),
  ]);
  const path = join(run, "digit.png");
  writeFileSync(path, encodePng(x.reshape([3, 28, 28])));
  const { stdout } = sardonyx(
    "predict",
    run,
    `${path}: ${swapped}; ${image}`,
    path,
    "a red seven on a cloth",
    "--json",
  );
  const [chosen, named, searched, drawing] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect([chosen.found[0].caption, named.found.length]).toEqual([image, 5]);
  expect([searched.note, searched.found.length, drawing.type]).toEqual(["not known: cloth", 12, "drawing"]);
  const refused = sardonyx("predict", run, "xyzzy");
  expect([refused.stderr, refused.status]).toEqual([expect.stringContaining('knows no word of "xyzzy"; pass one'), 2]);
  expect(sardonyx("export", run).stdout).toMatch(/input \[batch, …\] for any batch/);
});

test("clip-digits on the format's fixture, read as bags of words", () => {
  const { results } = train(
    ...["clip-digits", "--data", join(fixtures, "mnist"), "--reader", "words"],
    ...["--limit", "16", "--batch-size", "8", "--epochs", "1"],
  );
  // Sentences with the colours exchanged have the same words.
  expect([results["seen_binding_accuracy"], results["unseen_binding_accuracy"]]).toEqual([0.5, 0.5]);
});

test("sentences have known words alone, and fit; held pairs are one colour of each digit", () => {
  const { train: known, validation, test: tested } = splitPairs(keyOf(1));
  expect([known.size, validation.size, tested.size]).toEqual([50, 5, 5]);
  const held = [...validation, ...tested];
  expect(held.map((pair) => Math.floor(pair / colors.length)).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(held.some((pair) => known.has(pair))).toBe(false);
  const random = new Random(keyOf(2));
  const meaning = { digit: 8, ink: 0, background: 4 };
  const texts = [...pairs.flatMap(prompts), ...Array.from({ length: 100 }, () => captionOf(meaning, random))];
  expect(vocabulary.unknown(texts.flatMap((text) => wordsOf(text)))).toEqual([]);
  // Each ends with its last token, so that nothing was cut.
  const ids = idsOf(texts).toArray() as number[][];
  expect(ids.every((row) => row.includes(3))).toBe(true);
  expect(texts.every((text) => wordsOf(text).length <= 12)).toBe(true);
  expect(prompts({ digit: 8, ink: 0 }).slice(0, 3)).toEqual(["a red eight", "an eight in red", "the eight is red"]);
});
