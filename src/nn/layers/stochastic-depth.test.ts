/** Stochastic depth: the identity in evaluation; in training whole samples go. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { fullTensor } from "../../core/tensor.ts";
import { checkLayer, randomTensor, runLayer } from "../testing/check-layer.ts";
import { stochasticDepth } from "./stochastic-depth.ts";

test("a layer without parameters", () =>
  checkLayer(stochasticDepth(0.5), {
    input: { dtype: "float32", shape: [2, 3, 2, 2] },
    expected: { outputShape: [2, 3, 2, 2], parameters: 0 },
  }));

test("evaluation changes nothing", async () => {
  const x = randomTensor([2, 3], 1);
  expect((await runLayer(stochasticDepth(0.9), x)).output.data).toEqual(x.data);
});

test("training drops the rate's share of whole samples, scales the rest, and masks the gradient alike", async () => {
  const ones = fullTensor("float32", [10_000, 2], 1);
  const { output, inputGradient } = await runLayer(stochasticDepth(0.2), ones, { training: true, direction: ones });
  const samples = Array.from({ length: 10_000 }, (_, i) => [output.data[2 * i], output.data[2 * i + 1]]);
  expect(samples.every(([a, b]) => a === b && (a === 0 || a === Math.fround(1.25)))).toBe(true);
  // Of 10,000 draws with probability 4/5 the count deviates by 40; five deviations are 200.
  expect(Math.abs(samples.filter(([a]) => a !== 0).length - 8000)).toBeLessThan(200);
  expect(inputGradient?.data).toEqual(output.data);
});

test("a rate outside [0, 1) is reported", () => {
  for (const rate of [-0.1, 1, Number.NaN]) expect(() => stochasticDepth(rate)).toThrow(OptionError);
});
