/** Parameters as inputs of a graph, and built into it. */
import { expect, test } from "vitest";
import { DataError } from "../core/errors.ts";
import { tensor } from "../core/tensor.ts";
import { constantOf } from "../graph/ir.ts";
import { compile } from "../jit/compile.ts";
import { dense } from "./layers/dense.ts";
import { sequential } from "./layers/sequential.ts";
import { builtIn, ParameterInputs } from "./parameter-inputs.ts";

const x = tensor([[1, 2]]);

test("values are read anew at each run", async () => {
  const model = sequential([dense(1), dense(1)]);
  const parameters = new ParameterInputs();
  const { inputs, output } = model.trace(x, { bind: parameters.bind });
  expect(parameters.values.map(({ name }) => name)).toEqual([...model.parameters().keys()]);
  expect(() => parameters.tensors()).toThrow(DataError);
  expect(() => parameters.tensors()).toThrow('parameter "weight" has no value; train the model');
  const { run } = await compile([...inputs, ...parameters.values], [output]);
  for (const factor of [1, 3]) {
    for (const parameter of model.parameters().values())
      parameter.value = tensor(new Array(parameter.shape.reduce((a, b) => a * b, 1)).fill(factor), {
        shape: parameter.shape,
      });
    // (x₁ + x₂ + 1) a² + a with every parameter a.
    const [y] = await run([x, ...parameters.tensors()]);
    expect(y?.item()).toBe((3 * factor + factor) * factor + factor);
  }
});

test("built in they are constants", () => {
  const model = dense(1, { bias: false });
  expect(() => model.trace(x, { bind: builtIn })).toThrow(DataError);
  const value = tensor([[4, 5]]);
  for (const parameter of model.parameters().values()) parameter.value = value;
  const { context } = model.trace(x, { bind: builtIn });
  expect([...context.values.values()].map((own) => constantOf(own))).toEqual([value]);
});
