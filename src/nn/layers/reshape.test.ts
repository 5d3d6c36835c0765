/** Layers that change the shape only: every element stays where it was in memory. */
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { checkLayer, randomTensor, runLayer } from "../testing/check-layer.ts";
import { flatten, reshape } from "./reshape.ts";

const input = { dtype: "float32", shape: [2, 3, 4] } as const;

test("flatten joins all axes but the batch", () =>
  checkLayer(flatten(), { input, expected: { outputShape: [2, 12], parameters: 0 } }));

test("reshape keeps the batch and fills in one extent", async () => {
  await checkLayer(reshape([2, 6]), { input, expected: { outputShape: [2, 2, 6], parameters: 0 } });
  await checkLayer(reshape([2, -1, 3]), { input, expected: { outputShape: [2, 2, 2, 3], parameters: 0 } });
});

test("elements keep their order, and so do gradients", async () => {
  const x = randomTensor(input.shape, 1);
  const direction = randomTensor([2, 12], 2);
  const { output, inputGradient } = await runLayer(flatten(), x, { direction });
  expect(output.data).toEqual(x.data);
  expect(inputGradient?.data).toEqual(direction.data);
});

test("shapes that do not hold a sample are refused", () => {
  expect(() => reshape([5]).trace(input)).toThrow(
    'reshape "": input [2, 3, 4] has 12 elements a sample, [5] does not; pass a shape with as many',
  );
  expect(() => reshape([5, -1]).trace(input)).toThrow(ShapeError);
  expect(() => reshape([-1, -1])).toThrow(OptionError);
  expect(() => reshape([0, 12])).toThrow(OptionError);
});
