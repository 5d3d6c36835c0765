/** Sizes of anchors and their maps, by hand. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { clusterSizes, coverOf, mapsFor, overlapOfSizes, type Size } from "./anchors.ts";

test("sizes overlap as boxes with a common corner do", () => {
  expect(overlapOfSizes([2, 4], [4, 2])).toBeCloseTo(4 / 12, 12);
  expect(overlapOfSizes([3, 3], [3, 3])).toBe(1);
});

test("clusters are the means of sizes that are alike, the smallest first", () => {
  const random = new Random(keyOf(1));
  const around = ([width, height]: Size) =>
    Array.from({ length: 40 }, (): Size => [width + random.uniform(-1, 1), height + random.uniform(-1, 1)]);
  const boxes = [...around([40, 40]), ...around([10, 30]), ...around([30, 10])];
  const found = clusterSizes(boxes, 3, keyOf(3));
  expect(found.map((size) => size.map(Math.round)).sort()).toEqual([
    [10, 30],
    [30, 10],
    [40, 40],
  ]);
  expect(found.at(-1)?.map(Math.round)).toEqual([40, 40]);
  expect(coverOf(boxes, found)).toBeGreaterThan(0.9);
  expect(coverOf(boxes, found)).toBeGreaterThan(coverOf(boxes, clusterSizes(boxes, 2, keyOf(3))));
  expect(clusterSizes(boxes, 3, keyOf(3))).toEqual(found);
});

test("no more clusters than different sizes", () => {
  expect(
    clusterSizes(
      [
        [5, 5],
        [5, 5],
        [9, 3],
      ],
      7,
      keyOf(0),
    )
      .map(String)
      .sort(),
  ).toEqual(["5,5", "9,3"]);
});

test("objects of up to three cells stand on a map", () => {
  expect(
    mapsFor(
      [
        [8, 8],
        [24, 24],
        [30, 30],
      ],
      96,
    ),
  ).toEqual([
    {
      cells: 12,
      sizes: [
        [8, 8],
        [24, 24],
      ],
    },
    { cells: 6, sizes: [[30, 30]] },
  ]);
  // A map without a size has the nearest one; a third map is for large objects.
  expect(mapsFor([[10, 10]], 64)).toEqual([
    { cells: 8, sizes: [[10, 10]] },
    { cells: 4, sizes: [[10, 10]] },
  ]);
  expect(
    mapsFor(
      [
        [40, 40],
        [200, 200],
      ],
      256,
    ).map(({ cells, sizes }) => [cells, ...sizes.flat()]),
  ).toEqual([
    [32, 40, 40],
    [16, 40, 40],
    [8, 200, 200],
  ]);
});
