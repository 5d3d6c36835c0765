/** Ensembles average their members. */
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { checkLayer, runLayer } from "../testing/check-layer.ts";
import { type Dense, dense } from "./dense.ts";
import { copyWeights, ensemble, WeightAverage } from "./ensemble.ts";

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

test("a member is taught while the others wait", () => {
  const model = ensemble([dense(1, { bias: false }), dense(1, { bias: false })]);
  model.trace(input);
  model.teach(1);
  const trained = [...model.parameters()].flatMap(([path, { trainable }]) => (trainable ? [path] : []));
  expect(trained).toEqual(["members.1.weight"]);
  const { context } = model.trace(input, { training: true });
  expect(context.values.size).toBe(1);
  expect(() => model.teach(2)).toThrow("there is no member 2; pass a number from 0 to 1");
});

test("the network of the mean weights, of the members that have been taught", async () => {
  const model = new WeightAverage([dense(1, { activation: "relu" }), dense(1, { activation: "relu" })]);
  model.trace(input);
  model.initialize(keyOf(0));
  const parameters = model.parameters();
  for (const [path, value] of [
    ["members.0.weight", [[1, 2, 3]]],
    ["members.1.weight", [[3, 4, -8]]],
    ["members.0.bias", [1]],
    ["members.1.bias", [-2]],
  ] as const) {
    const parameter = parameters.get(path);
    if (parameter) parameter.value = tensor(value);
  }
  const x = tensor([[1, 1, 1]]);
  // The members alone give 7 and 0.
  expect((await runLayer(model, x)).output.toArray()).toEqual([[2 + 3 - 2.5 - 0.5]]);
  model.teach(0);
  expect((await runLayer(model, x)).output.toArray()).toEqual([[7]]);
});

test("weights are copied between networks alike", () => {
  const [first, second, other] = [dense(1), dense(1), dense(2)];
  for (const network of [first, second, other]) network.trace(input);
  first.initialize(keyOf(1));
  copyWeights(first, second);
  const weight = (network: Dense) => network.parameters().get("weight")?.value;
  expect(weight(second)?.data).toEqual(weight(first)?.data);
  expect(weight(second)?.data).not.toBe(weight(first)?.data);
  expect(() => copyWeights(first, other)).toThrow(ShapeError);
});
