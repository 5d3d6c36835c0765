/** Ensembles average their members. */
import { expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import { tensor } from "../core/tensor.ts";
import { dense } from "./dense.ts";
import { ensemble } from "./ensemble.ts";
import { checkLayer, runLayer } from "./testing/check-layer.ts";

const input = { dtype: "float32", shape: [4, 3] } as const;

test("members keep their own parameters", () =>
  checkLayer(ensemble([dense(2), dense(2, { bias: false })]), {
    input,
    expected: { outputShape: [4, 2], parameters: 8 + 6 },
  }));

test("the output is the mean of the members', and each gets its share of the gradient", async () => {
  const model = ensemble([dense(1, { bias: false }), dense(1, { bias: false })]);
  model.trace(input);
  model.initialize(keyOf(0));
  const [first, second] = [...model.parameters().values()];
  if (!first || !second) throw new Error("two weights expected");
  first.value = tensor([[1, 2, 3]]);
  second.value = tensor([[3, 2, 1]]);
  const x = tensor([[1, 0, -1]]);
  const { output, gradients } = await runLayer(model, x, { direction: tensor([[2]]) });
  expect(output.toArray()).toEqual([[(1 - 3 + (3 - 1)) / 2]]);
  expect(gradients.get("members.0.weight")?.toArray()).toEqual([[1, 0, -1]]);
});

test("it needs members, of one output shape", () => {
  expect(() => ensemble([])).toThrow(OptionError);
  expect(() => ensemble([dense(2), dense(1)]).trace(input)).toThrow(
    "the members of an ensemble give outputs [4, 2] and [4, 1]; make them of one shape",
  );
});
