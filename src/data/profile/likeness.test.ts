/** Texts and images that are almost the same. */
import { expect, test } from "vitest";
import { differenceHash, nearDuplicateImages } from "./image-likeness.ts";
import { nearDuplicateTexts } from "./text-likeness.ts";

const words = (seed: number, length: number) =>
  Array.from({ length }, (_, i) => `w${(seed * 7919 + i * i * 31) % 997}`);

test("texts that differ in a word are found among others", () => {
  const texts = Array.from({ length: 300 }, (_, i) => ({
    name: `line ${i}`,
    text: words(i, 60).join(" "),
    label: "a",
  }));
  const changed = [...words(5, 59), "other"].join(" ");
  const pairs = nearDuplicateTexts([
    ...texts,
    { name: "copy", text: changed, label: "b" },
    { name: "short", text: "one two", label: "a" },
  ]);
  expect(pairs).toMatchObject([{ items: ["line 5", "copy"], conflicting: true }]);
  expect(pairs[0]?.similarity).toBeCloseTo(57 / 59); // of 58 sequences each, all but the last agree
});

test("images whose hashes differ in few bits", () => {
  const grey = (noise: (i: number) => number) =>
    Uint8Array.from({ length: 72 }, (_, i) => ((i * i * 37) % 251) + noise(i));
  const image = (name: string, label: string, bytes: Uint8Array) => ({ name, label, hash: differenceHash(bytes) });
  const images = [
    image(
      "a.png",
      "cat",
      grey(() => 0),
    ),
    image(
      "b.png",
      "cat",
      grey((i) => (i === 3 ? 2 : 0)),
    ),
    image(
      "c.png",
      "dog",
      grey(() => 1),
    ),
    image(
      "other.png",
      "cat",
      Uint8Array.from({ length: 72 }, (_, i) => (i * 91) % 255),
    ),
    image("flat.png", "cat", new Uint8Array(72)),
    image("flat too.png", "cat", new Uint8Array(72)),
  ];
  const pairs = nearDuplicateImages(images);
  expect(pairs.map(({ items }) => items.join())).toEqual(["a.png,b.png", "a.png,c.png", "b.png,c.png"]);
  expect(pairs.map(({ conflicting }) => conflicting ?? false)).toEqual([false, true, true]);
});
