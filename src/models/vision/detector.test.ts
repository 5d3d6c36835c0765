/** A detector's outputs: as many as its maps have anchors, of grey images and of those in colour. */
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { Tensor, zerosTensor } from "../../core/tensor.ts";
import { anchorsOf, offsetScales } from "../../data/images/boxes.ts";
import { predict } from "../../train/predict.ts";
import { ObjectFinder, SingleShotDetector } from "./detector.ts";

test.each([
  [1, [6, 2], 16],
  [3, [2, 3, 1], 4],
] as const)("images of %i channels, anchors %j", async (channels, anchors, width) => {
  const side = 64;
  const model = new SingleShotDetector({ classes: 2, anchors, width });
  const x = zerosTensor("float32", [2, channels, side, side]);
  model.initialize(keyOf(1), { dtype: "float32", shape: x.shape });
  const maps = anchors.map((count, level) => ({
    cells: side / (8 * 2 ** level),
    sizes: Array.from({ length: count }, () => [10, 10] as const),
  }));
  const table = anchorsOf(side, maps);
  expect((await predict(model, x)).shape).toEqual([2, table.length, 7]);
  const finder = new ObjectFinder(model, {
    ...{ limit: 3, overlap: 0.5, threshold: 0.1, scales: offsetScales },
    anchors: new Tensor("float32", [table.length, 4], Float32Array.from(table.flat())),
  });
  expect((await predict(finder, x)).shape).toEqual([2, 6, 6]);
});

test("fewer than two maps, and maps without anchors, are refused", () => {
  expect(() => new SingleShotDetector({ classes: 2, anchors: [3] })).toThrow(/two maps or more/);
  expect(() => new SingleShotDetector({ classes: 2, anchors: [3, 0] })).toThrow(/two maps or more/);
});
