/** Every activation, its value and derivative, against PyTorch. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { mul } from "../../ops/index.ts";
import { checkLayer } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { type ActivationName, activation, activationFunctions, activationOf } from "./activations.ts";

const recorded = fixture("activations");

describe("as in PyTorch", () => {
  test.each(Object.keys(activationFunctions) as ActivationName[])("%s", (name) =>
    checkLayer(activation(name), {
      expected: { outputShape: [2, 4], parameters: 0, formula: "", recorded: recorded(name) },
    }),
  );
});

test("a custom function is an activation", () =>
  checkLayer(
    activation((x) => mul(x, x)),
    { input: { dtype: "float32", shape: [2, 3] }, expected: { outputShape: [2, 3], parameters: 0 } },
  ));

test("an unknown name is answered with the nearest", () => {
  expect(() => activation("rellu" as ActivationName)).toThrow('unknown activation "rellu"; did you mean "relu"?');
  // What every object inherits is no activation.
  expect(() => activationOf("constructor" as ActivationName)).toThrow(OptionError);
});
