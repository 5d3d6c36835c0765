/** The memory that an inspection says training takes, against a training step on this machine. */
import { expect, test } from "vitest";
// @ts-expect-error a script without types
import { compareCase } from "../scripts/measure-memory.mjs";

const compared = (name: string) => compareCase(name) as { readonly predicted: number; readonly measured: number };

// A convolutional network, and frozen weights; `node scripts/measure-memory.mjs` has more.
test.each(["resnet18 4", "vgg11 16, classifier frozen"])("%s: within a fifth", (name) => {
  const { predicted, measured } = compared(name);
  expect(Math.abs(predicted / measured - 1), `said ${predicted}, measured ${measured}`).toBeLessThan(0.2);
});

test("a transformer, as it is and within a budget: within a fifth, and in less memory", () => {
  const [usual, within] = ["small GPT-2 4", "small GPT-2 4, in 450 MB"].map((name) => {
    const { predicted, measured } = compared(name);
    expect(Math.abs(predicted / measured - 1), `said ${predicted}, measured ${measured}`).toBeLessThan(0.2);
    return measured;
  }) as [number, number];
  expect(within).toBeLessThan(450e6);
  expect(within).toBeLessThan(0.85 * usual);
});
