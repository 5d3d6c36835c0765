/** How samples are parted: each into one part, those of a group together where there are groups enough. */
import { expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { partsOf } from "./task.ts";

const settings = { batchSize: 4, seed: 3 };
const sizes = ({ train, validation, test: held }: ReturnType<typeof partsOf>) =>
  [train, validation, held].map((part) => part.length);
const all = ({ train, validation, test: held }: ReturnType<typeof partsOf>) =>
  [...train, ...validation, ...held].sort((a, b) => a - b);

test("80, 10 and 10 percent, each sample once", () => {
  const parts = partsOf(50, settings);
  expect(sizes(parts)).toEqual([40, 5, 5]);
  expect(all(parts)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(sizes(partsOf(50, { ...settings, limit: 3 }))).toEqual([3, 3, 3]);
  expect(() => partsOf(9, settings)).toThrow(DataError);
});

test("a group comes into one part, one that is larger than a part into training", () => {
  // 60 samples in groups of 3, and 40 of one group.
  const groupOf = (place: number) => (place < 60 ? Math.floor(place / 3) : "large");
  const parts = partsOf(100, settings, groupOf);
  const groups = [parts.train, parts.validation, parts.test].map((part) => new Set(part.map(groupOf)));
  expect(groups.reduce((sum, own) => sum + own.size, 0)).toBe(21);
  expect(groups[0]?.has("large")).toBe(true);
  expect(sizes(parts)).toEqual([82, 9, 9]);
  expect(all(parts)).toHaveLength(100);
});

test("of few groups each part has some samples", () => {
  for (const count of [1, 2, 3]) expect(sizes(partsOf(40, settings, (place) => place % count))).toEqual([32, 4, 4]);
});
