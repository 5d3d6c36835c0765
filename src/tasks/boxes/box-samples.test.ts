/** Images that are changed, and their boxes with them. */
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { anchorsOf } from "../../data/images/boxes.ts";
import { type BoxSample, measuredBatches, mirrored, moved, trainedBatches } from "./box-samples.ts";

/** Two channels of 4 x 4, of which the first has one bright block of two columns, at the left. */
const data = new Uint8Array(32);
for (const at of [0, 1, 4, 5]) data[at] = 200;
const image = new Tensor("uint8", [2, 4, 4], data);
const truth = [{ box: [0, 0, 2, 2] as const, label: 3 }];
const crowds = [{ box: [2, 2, 4, 4] as const, label: 1 }];

test("left and right change places, in the image and in its boxes", () => {
  const turned = mirrored({ image, truth, crowds });
  expect([...turned.image.data.subarray(0, 8)]).toEqual([0, 0, 200, 200, 0, 0, 200, 200]);
  expect(turned.truth).toEqual([{ box: [2, 0, 4, 2], label: 3 }]);
  expect(turned.crowds).toEqual([{ box: [0, 2, 2, 4], label: 1 }]);
  expect(mirrored(turned)).toEqual({ image, truth, crowds });
});

test("a move cuts boxes at the edges; those of which little is left go", () => {
  const right = moved({ image, truth, crowds }, 1, 2);
  expect([...right.image.data.subarray(0, 16)]).toEqual([
    ...[114, 114, 114, 114],
    ...[114, 114, 114, 114],
    ...[114, 200, 200, 0],
    ...[114, 200, 200, 0],
  ]);
  expect(right.truth).toEqual([{ box: [1, 2, 3, 4], label: 3 }]);
  expect(moved({ image, truth, crowds }, -1, 0).truth).toEqual([{ box: [0, 0, 1, 2], label: 3 }]);
  expect(moved({ image, truth, crowds }, -1, -1).truth).toEqual([]); // a quarter
  expect(moved({ image, truth, crowds }, 0, 0)).toEqual({ image, truth, crowds });
});

test("batches have targets of the boxes as they are changed, the same of the same key", async () => {
  const side = 16;
  const pixels = new Tensor("uint8", [1, side, side], new Uint8Array(side * side).fill(255));
  const samples = Array.from(
    { length: 5 },
    (_, i): BoxSample => ({
      path: `${i}`,
      pixels: async () => pixels,
      truth: [{ box: [0, 0, 8, 8], label: i % 2 }],
      crowds: [],
    }),
  );
  const anchors = anchorsOf(side, [{ cells: 2, sizes: [[8, 8]] }]);
  const labelsOf = async (batches: ReturnType<typeof measuredBatches>) => {
    const found: number[][] = [];
    for await (const { y } of batches.epoch(0)) {
      const numbers = y?.toNumbers() ?? [];
      for (let row = 0; row < numbers.length; row += 20)
        found.push([0, 5, 10, 15].map((at) => numbers[row + at] as number));
    }
    return found;
  };
  const measured = measuredBatches(samples, { anchors, size: 2 });
  expect(measured.length).toBe(3);
  // The left upper anchor has the class from 1.
  expect(await labelsOf(measured)).toEqual([1, 2, 1, 2, 1].map((label) => [label, 0, 0, 0]));
  const trained = (change: "none" | "mirrored", seed = 0) =>
    trainedBatches(samples, { anchors, size: 2, change, key: keyOf(seed) });
  expect(trained("none").length).toBe(25); // ten rounds of five
  expect((await labelsOf(trained("none"))).every(([first = 0, ...rest]) => first > 0 && Math.max(...rest) === 0)).toBe(
    true,
  );
  const turned = await labelsOf(trained("mirrored"));
  expect(turned.filter(([, second = 0]) => second > 0).length).toBeGreaterThan(10);
  expect(turned.filter(([first = 0]) => first > 0).length).toBeGreaterThan(10);
  expect(await labelsOf(trained("mirrored"))).toEqual(turned);
  expect(await labelsOf(trained("mirrored", 1))).not.toEqual(turned);
});
