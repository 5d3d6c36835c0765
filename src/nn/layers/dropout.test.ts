/** Dropout: the identity in evaluation; in training a scaled mask that depends on the key and the site. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { fullTensor } from "../../core/tensor.ts";
import { checkLayer, randomTensor, runLayer } from "../testing/check-layer.ts";
import { dropout } from "./dropout.ts";
import { sequential } from "./sequential.ts";

const ones = fullTensor("float32", [100, 100], 1);

test("a layer without parameters", () =>
  checkLayer(dropout(0.5), {
    input: { dtype: "float32", shape: [2, 3] },
    expected: { outputShape: [2, 3], parameters: 0 },
  }));

test("evaluation changes nothing", async () => {
  const x = randomTensor([2, 3], 1);
  expect((await runLayer(dropout(0.9), x)).output.data).toEqual(x.data);
});

test("training drops the rate's share, scales the rest, and masks the gradient alike", async () => {
  const { output, inputGradient } = await runLayer(dropout(0.25), ones, { training: true, direction: ones });
  const kept = output.data.filter((value) => value !== 0);
  expect(new Set(Array.from(kept, Number))).toEqual(new Set([Math.fround(1 / 0.75)]));
  // Of 10,000 draws with probability 3/4 the count deviates by 43; five deviations are 217.
  expect(Math.abs(kept.length - 7500)).toBeLessThan(217);
  expect(inputGradient?.data).toEqual(output.data);
});

test("equal keys give equal masks, other keys and sites others", async () => {
  const mask = async (seed: number) => (await runLayer(dropout(0.5), ones, { training: true, seed })).output.data;
  expect(await mask(1)).toEqual(await mask(1));
  expect(await mask(1)).not.toEqual(await mask(2));
  // The second layer's mask is another one, so a quarter is left rather than a half.
  const twice = await runLayer(sequential([dropout(0.5), dropout(0.5)]), ones, { training: true });
  const left = twice.output.data.filter((value) => value !== 0).length;
  expect(Math.abs(left - 2500)).toBeLessThan(217);
});

test("a rate outside [0, 1) and a missing key are reported", () => {
  for (const rate of [-0.1, 1, Number.NaN]) expect(() => dropout(rate)).toThrow(OptionError);
  expect(() => dropout(0.5).trace({ dtype: "float32", shape: [2] }, { training: true })).toThrow(
    'dropout "": training with dropout needs randomness; pass a key: { training: true, key }',
  );
});
