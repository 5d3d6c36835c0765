/** Overlaps, anchors, matching and offsets, by hand. */
import { expect, it } from "vitest";
import { anchorsOf, type Box, detectionTargets, encodeBox, matchAnchors, overlapOf, sharedArea } from "./boxes.ts";

it("intersection over union", () => {
  expect(overlapOf([0, 0, 2, 2], [1, 1, 3, 3])).toBeCloseTo(1 / 7, 12);
  expect(overlapOf([0, 0, 4, 4], [0, 0, 4, 4])).toBe(1);
  expect(overlapOf([0, 0, 4, 4], [1, 1, 3, 3])).toBe(4 / 16);
  expect(overlapOf([0, 0, 2, 2], [2, 0, 4, 2])).toBe(0); // side by side
  expect(overlapOf([0, 0, 0, 0], [0, 0, 0, 0])).toBe(0);
  expect(sharedArea([0, 0, 5, 5], [3, 1, 9, 2])).toBe(2);
});

it("anchors stand in the middles of cells, map by map, row by row, size by size", () => {
  const anchors = anchorsOf(8, [
    {
      cells: 2,
      sizes: [
        [2, 4],
        [4, 4],
      ],
    },
    { cells: 1, sizes: [[6, 2]] },
  ]);
  expect(anchors).toHaveLength(9);
  expect(anchors.slice(0, 3)).toEqual([
    [1, 0, 3, 4],
    [0, 0, 4, 4],
    [5, 0, 7, 4],
  ]);
  expect(anchors.at(-1)).toEqual([1, 3, 7, 5]);
});

it("an anchor learns the box that it overlaps most, by half at least; a box takes its best anchor", () => {
  const anchors: Box[] = [
    [0, 0, 10, 10],
    [1, 0, 11, 10],
    [20, 20, 30, 30],
    [40, 40, 50, 50],
  ];
  const boxes: Box[] = [
    [0, 0, 10, 9], // 0.9 of anchor 0, 81 / 109 of anchor 1
    [2, 0, 12, 10], // 80 / 120 of anchor 0, 90 / 110 of anchor 1
    [27, 27, 37, 37], // 9 / 191 of anchor 2: too little, but its best
  ];
  expect([...matchAnchors(anchors, boxes)]).toEqual([0, 1, 2, -1]);
  expect([...matchAnchors(anchors, [])]).toEqual([-1, -1, -1, -1]);
  expect(() => matchAnchors(anchors, boxes, 0)).toThrow(/threshold is 0/);
});

it("offsets: centres in sizes of the anchor over 0.1, logarithms of sizes over 0.2", () => {
  expect(encodeBox([0, 0, 10, 20], [0, 0, 10, 20])).toEqual([0, 0, 0, 0]);
  const [x, y, width, height] = encodeBox([5, 5, 25, 15], [0, 0, 10, 20]);
  expect([x, y]).toEqual([10, 0]); // centres 15, 10 and 5, 10
  expect(width).toBeCloseTo(Math.log(2) / 0.2, 12);
  expect(height).toBeCloseTo(Math.log(0.5) / 0.2, 12);
});

it("targets: classes from 1, background 0", () => {
  const anchors: Box[] = [
    [0, 0, 10, 10],
    [20, 20, 30, 30],
  ];
  const targets = detectionTargets(anchors, [{ box: [21, 20, 31, 30], label: 4 }]);
  expect(targets.toArray()).toEqual([
    [0, 0, 0, 0, 0],
    [5, 1, 0, 0, 0],
  ]);
});

it("targets: anchors in a crowd are open, those with an object are not", () => {
  const anchors: Box[] = [
    [0, 0, 10, 10],
    [20, 20, 30, 30],
    [40, 40, 50, 50],
    [60, 60, 70, 70],
  ];
  const crowds = [{ box: [0, 0, 45, 50] as const, label: 1 }];
  const targets = detectionTargets(anchors, [{ box: [21, 20, 31, 30], label: 4 }], crowds);
  expect(targets.toNumbers().filter((_, i) => i % 5 === 0)).toEqual([-1, 5, -1, 0]);
});
