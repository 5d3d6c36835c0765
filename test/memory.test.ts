/** The memory that an inspection says training takes, against a training step on this machine. */
import { expect, test } from "vitest";
// @ts-expect-error a script without types
import { compareCase } from "../scripts/measure-memory.mjs";

// A convolutional network, a transformer, and frozen weights; `node scripts/measure-memory.mjs` has more.
test.each(["resnet18 4", "small GPT-2 4", "vgg11 16, classifier frozen"])("%s: within a fifth", (name) => {
  const { predicted, measured } = compareCase(name) as { readonly predicted: number; readonly measured: number };
  expect(Math.abs(predicted / measured - 1), `said ${predicted}, measured ${measured}`).toBeLessThan(0.2);
});
