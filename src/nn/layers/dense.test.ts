/** The fully connected layer against PyTorch's nn.Linear. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { checkLayer, evaluateFormula } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { dense } from "./dense.ts";
import { sequential } from "./sequential.ts";

const recorded = fixture("dense");

test("with bias and ReLU", () =>
  checkLayer(dense(4, { activation: "relu" }), {
    expected: {
      outputShape: [3, 4],
      parameters: 24,
      formula: "4·5 + 4",
      recorded: recorded("relu"),
      refuses: [[{ dtype: "float32", shape: [5] }, /dense "": input \[5\] needs a batch and a feature axis/]],
    },
  }));

test("without bias, over the last of three axes", () =>
  checkLayer(dense(4, { bias: false }), {
    expected: { outputShape: [2, 3, 4], parameters: 20, formula: "4·5", recorded: recorded("tokens") },
  }));

test("a formula is a sum of products", () => {
  expect(evaluateFormula("3·3·32·64 + 64")).toBe(18_496);
  expect(evaluateFormula("")).toBe(0);
});

test("the input features are held to what was declared or built", () => {
  const type = (features: number) => ({ dtype: "float32", shape: [2, features] }) as const;
  expect(() => dense(2, { inFeatures: 3, name: "head" }).trace(type(4))).toThrow(
    'dense "head": input has 4 features, inFeatures says 3; pass inFeatures: 4',
  );
  const model = sequential([dense(2)]);
  model.trace(type(3));
  expect(() => model.trace(type(4))).toThrow(
    'dense "layers.0": its weight is [2, 3], this input needs [2, 4]; feed inputs of the shape that the layer was built for',
  );
});

test("the number of units is a whole number", () => {
  for (const units of [0, 1.5, -3, Number.NaN]) expect(() => dense(units)).toThrow(OptionError);
});
