/** Average precision, by hand. */
import { expect, it } from "vitest";
import type { Box } from "../../data/images/boxes.ts";
import { areaUnderPrecision, cocoOverlaps, meanAveragePrecision } from "./average-precision.ts";

const [a, b, far]: readonly Box[] = [
  [0, 0, 10, 10],
  [20, 20, 30, 30],
  [50, 50, 60, 60],
];

it("the area under the best precision at each recall or a higher one", () => {
  // Right, wrong, right, right of four objects: precisions 1, 1/2, 2/3, 3/4, so at recalls 1/4, 2/4, 3/4 the best are 1, 3/4, 3/4.
  expect(areaUnderPrecision([true, false, true, true], 4)).toBeCloseTo((1 + 0.75 + 0.75) / 4, 12);
  expect(areaUnderPrecision([true, true], 2)).toBe(1);
  expect(areaUnderPrecision([false, false], 2)).toBe(0);
  expect(areaUnderPrecision([], 2)).toBe(0);
});

it("each object is found once; the surest first; classes apart", () => {
  const truth = [
    { box: a as Box, label: 0 },
    { box: b as Box, label: 0 },
    { box: far as Box, label: 1 },
  ];
  const found = [
    { box: [0, 0, 10, 9] as Box, label: 0, score: 0.9 }, // right: 0.9
    { box: a as Box, label: 0, score: 0.8 }, // its object is taken
    { box: [20, 20, 30, 26] as Box, label: 0, score: 0.7 }, // right: 0.6
    { box: far as Box, label: 0, score: 0.6 }, // an object of the other class
  ];
  // Class 0: right, wrong, right, wrong: (1 + 2/3) / 2. Class 1: nothing found.
  expect(meanAveragePrecision([{ found, truth }])).toBeCloseTo((1 + 2 / 3) / 2 / 2, 12);
  // At an overlap of 0.75 the third is wrong too: class 0 has 1/2.
  expect(meanAveragePrecision([{ found, truth }], 0.75)).toBeCloseTo(0.25, 12);
});

it("ranks over all images; a class that does not occur does not count", () => {
  const images = [
    { found: [{ box: b as Box, label: 0, score: 0.5 }], truth: [{ box: b as Box, label: 0 }] },
    { found: [{ box: b as Box, label: 0, score: 0.9 }], truth: [] },
    { found: [{ box: a as Box, label: 7, score: 0.9 }], truth: [] },
  ];
  expect(meanAveragePrecision(images)).toBe(0.5); // wrong, then right
  expect(meanAveragePrecision([])).toBeNaN();
});

it("several overlaps give the mean", () => {
  const truth = [{ box: a as Box, label: 0 }];
  // Overlaps by 0.7: right at 0.5, 0.55, 0.6, 0.65 and 0.7.
  const found = [{ box: [0, 0, 10, 7] as Box, label: 0, score: 0.9 }];
  expect(cocoOverlaps).toEqual([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]);
  expect(meanAveragePrecision([{ found, truth }], cocoOverlaps)).toBeCloseTo(0.5, 12);
});

it("what is found in a crowd of its class is neither right nor wrong", () => {
  const truth = [{ box: b as Box, label: 0 }];
  const found = [
    { box: [1, 1, 5, 5] as Box, label: 0, score: 0.9 }, // inside the crowd, no object
    { box: b as Box, label: 0, score: 0.8 },
  ];
  const crowds = [{ box: a as Box, label: 0 }];
  expect(meanAveragePrecision([{ found, truth }])).toBe(0.5);
  expect(meanAveragePrecision([{ found, truth, crowds }])).toBe(1);
  expect(meanAveragePrecision([{ found, truth, crowds: [{ box: a as Box, label: 1 }] }])).toBe(0.5);
});
