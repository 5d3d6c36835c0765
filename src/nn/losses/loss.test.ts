/** What is made of losses: another target, a part of the output, weights of samples. */
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { mul, reduceMean, square } from "../../ops/index.ts";
import { against, onOutput } from "./loss.ts";
import { crossEntropy, meanSquaredError } from "./losses.ts";
import { meanOf, weighted, weightedMeanOf } from "./terms.ts";

test("another target is named, everything else stays", async () => {
  const loss = against("x", crossEntropy({ ignoreIndex: 2 }));
  expect([loss.target, loss.ignoreIndex]).toEqual(["x", 2]);
  const run = jit((y: Value, t: Value) => [loss(y, t), loss.terms && meanOf(loss.terms(y, t))]);
  const [mean, ofTerms] = await run(tensor([[0, 0, 0]]), tensor([1], { dtype: "int32" }));
  expect(mean?.item()).toBeCloseTo(Math.log(3), 6);
  expect(ofTerms?.item()).toBe(mean?.item());
});

test("a part of the output is compared and read by metrics, with the target of the loss", async () => {
  const twice = onOutput(({ logits }: { logits: Value }) => mul(logits, 2), against("x", meanSquaredError()));
  expect(twice.target).toBe("x");
  const run = jit((logits: Value, t: Value) => [twice({ logits }, t), twice.predictions?.({ logits })]);
  const [loss, read] = await run(tensor([1, 2]), tensor([3, 3]));
  expect(loss?.item()).toBe((1 + 1) / 2);
  expect(read?.toArray()).toEqual([2, 4]);
  // A function that gives the mean has no terms to weigh.
  expect(
    onOutput(
      (y: Value) => y,
      (y: Value) => reduceMean(y),
    ).terms,
  ).toBeUndefined();
});

test("samples count as much as their weights, beside those of classes", async () => {
  const { terms } = crossEntropy({ classWeights: [1, 3] });
  if (!terms) throw new Error("crossEntropy gives its terms");
  const run = jit((logits: Value, labels: Value, samples: Value) => {
    const { mean, weight } = weightedMeanOf(weighted("test", terms(logits, labels), samples));
    return { mean, weight };
  });
  const logits = tensor([
    [0, 0],
    [Math.log(3), 0],
    [9, -9],
  ]);
  const labels = tensor([0, 1, 1], { dtype: "int32" });
  const expected = (2 * 1 * Math.log(2) + 0.5 * 3 * Math.log(4)) / (2 + 1.5);
  for (const shape of [[3], [3, 1]]) {
    const { mean, weight } = await run(logits, labels, tensor([2, 0.5, 0], { shape }));
    expect(mean.item()).toBeCloseTo(expected, 6);
    expect(typeof weight === "number" ? weight : weight.item()).toBeCloseTo(3.5, 6);
  }
});

test("a mean stands for its terms where they have no weights", () => {
  const terms = square(input("float32", [4, 2]));
  expect(weightedMeanOf({ terms }).weight).toBe(8);
  expect(weighted("test", { terms }, undefined).weights).toBeUndefined();
});

test("weights of other samples, and of a loss that is a mean already, are refused", () => {
  const terms = input("float32", [4, 2]);
  expect(() => weighted("step", { terms }, input("float32", [3]))).toThrow(ShapeError);
  expect(() => weighted("step", { terms }, input("float32", [3]))).toThrow(
    "step: the weights of samples are [3], expected [4]; pass one number a sample",
  );
  expect(() => weighted("step", { terms: input("float32", []) }, input("float32", [4]))).toThrow(OptionError);
});
