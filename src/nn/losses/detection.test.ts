/** The detector's loss and its outputs, by hand. */
import { expect, it } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { anchorsOf, type Box, encodeBox, offsetScales } from "../../data/images/boxes.ts";
import type { Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { anchorAccuracy } from "../../train/metrics/anchor-accuracy.ts";
import { decodeBoxes, detectionLoss, detections } from "./detection.ts";

/** One image of four anchors, two classes: offsets, then logits of background and classes. */
const output = tensor([
  [
    [0, 0, 0, 0, 0, 0, 0],
    [0.5, 0, 3, 0, 0, Math.log(2), 0],
    [0, 0, 0, 0, 0, 0, Math.log(6)],
    [9, 9, 9, 9, Math.log(8), 0, 0],
  ],
]);
const target = tensor([
  [
    [0, 0, 0, 0, 0],
    [1, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
  ],
]);

it("counts anchors with an object and the hardest of the others, and boxes of the former", async () => {
  // Cross-entropies: log 3, log 2 (object), log 8, log(10 / 8). Huber: 0.5² / 2 + (3 - 1/2).
  const boxes = 0.125 + 2.5;
  const run = (negatives: number, boxWeight = 1) =>
    jit((y: Value, t: Value) => detectionLoss({ negatives, boxWeight })(y, t))(output, target);
  expect((await run(1)).item()).toBeCloseTo(Math.log(2) + Math.log(8) + boxes, 5);
  expect((await run(2)).item()).toBeCloseTo(Math.log(2) + Math.log(8) + Math.log(3) + boxes, 5);
  expect((await run(3, 0)).item()).toBeCloseTo(Math.log(2) + Math.log(8) + Math.log(3) + Math.log(1.25), 5);
});

it("a batch without objects costs nothing; other shapes are refused", async () => {
  const none = tensor([[0, 0, 0, 0, 0]].concat(new Array(3).fill([0, 0, 0, 0, 0]))).reshape([1, 4, 5]);
  expect((await jit((y: Value, t: Value) => detectionLoss()(y, t))(output, none)).item()).toBe(0);
  await expect(jit((y: Value, t: Value) => detectionLoss()(y, t))(output, tensor([[1, 2]]))).rejects.toThrow(
    /targets are \[1, 2\], expected \[batch, anchors, 5 \+ classes\] and \[batch, anchors, 5\]/,
  );
});

it("of an image without objects so many anchors count as are asked for", async () => {
  const none = tensor([new Array(4).fill([0, 0, 0, 0, 0])]);
  const run = (leastNegatives: number, truth = none) =>
    jit((y: Value, t: Value) => detectionLoss({ negatives: 2, leastNegatives })(y, t))(output, truth);
  // Mistakes of background, the hardest first: log 8, log 4, log 3, log(10 / 8); an anchor with two of them counts as one object.
  expect((await run(2)).item()).toBeCloseTo(Math.log(8) + Math.log(4), 5);
  expect((await run(4)).item()).toBeCloseTo((Math.log(8) + Math.log(4) + Math.log(3) + Math.log(1.25)) / 2, 5);
  expect((await run(2, target)).item()).toBe((await run(0, target)).item());
});

it("an anchor that is neither background nor an object counts for nothing", async () => {
  const open = tensor([
    [
      [-1, 0, 0, 0, 0],
      [1, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [-1, 0, 0, 0, 0],
    ],
  ]);
  const loss = await jit((y: Value, t: Value) => detectionLoss({ boxWeight: 0 })(y, t))(output, open);
  expect(loss.item()).toBeCloseTo(Math.log(2) + Math.log(8), 5);
});

it("the share of anchors classified correctly", async () => {
  const { update, result } = anchorAccuracy();
  const counts = await jit((y: Value, t: Value) => update(y, t))(output, target);
  expect(counts.toNumbers()).toEqual([1, 1]);
  expect(result(Float64Array.of(1, 4))).toBe(0.25);
});

it("decodes what encodeBox encoded", async () => {
  const anchors = anchorsOf(16, [
    {
      cells: 2,
      sizes: [
        [4, 8],
        [6, 6],
      ],
    },
  ]);
  const boxes = anchors.map(([left, top], i): Box => [left + i, top - 1, left + i + 5, top + 3 + i]);
  const offsets = tensor([boxes.map((box, i) => [...encodeBox(box, anchors[i] as Box)])]);
  const table = tensor(anchors.map((anchor) => [...anchor]));
  const decoded = await jit((y: Value) => decodeBoxes(y, table, offsetScales))(offsets);
  for (const [i, edge] of boxes.flat().entries()) expect(decoded.data[i]).toBeCloseTo(edge, 4);
});

it("objects: overlaps suppressed within a class, the surest first, zeros at the end", async () => {
  const boxes = tensor([
    [
      [0, 0, 10, 10],
      [1, 0, 10, 10],
      [30, 30, 40, 40],
      [0, 0, 10, 9],
    ],
  ]);
  const likely = (background: number, first: number, second: number) => [background, first, second].map(Math.log);
  const logits = tensor([
    [likely(0.1, 0.8, 0.1), likely(0.05, 0.9, 0.05), likely(0.45, 0.5, 0.05), likely(0.3, 0.1, 0.6)],
  ]);
  const options = { limit: 2, overlap: 0.45, threshold: 0.2 };
  const found = await jit((b: Value, y: Value) => detections(b, y, options))(boxes, logits);
  expect(found.shape).toEqual([1, 4, 6]);
  const rows = found.toNumbers().map((value) => Math.round(value * 1000) / 1000);
  expect(rows).toEqual([
    ...[1, 0, 10, 10, 0, 0.9],
    ...[30, 30, 40, 40, 0, 0.5],
    ...[0, 0, 10, 9, 1, 0.6],
    ...new Array(6).fill(0),
  ]);
});
