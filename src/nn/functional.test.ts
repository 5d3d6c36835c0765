/** A model as a function of its parameters: gradients, buffers, penalties, gradients of gradients. */
import { expect, test } from "vitest";
import { grad, valueAndGrad } from "../autodiff/transform.ts";
import { keyOf } from "../core/random.ts";
import { tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { jit } from "../jit/jit.ts";
import { mul, reduceSum, square, sub } from "../ops/index.ts";
import { functional } from "./functional.ts";
import { dense } from "./layers/dense.ts";
import { batchNorm } from "./layers/normalization.ts";
import { sequential } from "./layers/sequential.ts";
import { l2, regularized } from "./regularizers.ts";

const x = tensor([[1, 2]]);
const line = () => regularized(dense(1, { bias: false, initializer: "ones" }), l2(0.5));

test("the outputs and gradients are those of the model", async () => {
  const { parameters, state, apply, applyWithState } = functional(line(), x);
  expect(Object.keys(parameters)).toEqual(["weight"]);
  expect(state).toEqual({});
  const loss = (p: Record<string, Value>, input: Value) => reduceSum(square(apply(p, input)));
  const [value, gradients] = await jit(valueAndGrad(loss))(parameters, x);
  // (1 + 2)², and 2 · 3 · x.
  expect(value.item()).toBe(9);
  expect(gradients["weight"]?.toNumbers()).toEqual([6, 12]);
  const penalty = jit((p: Record<string, Value>, input: Value) => applyWithState(p, input).penalty);
  expect((await penalty(parameters, x)).item()).toBe(1);
});

test("a step inside a step has a gradient: a meta-gradient", async () => {
  const { parameters, apply } = functional(dense(1, { bias: false, initializer: "ones" }), tensor([[1]]));
  const lossAt = (p: Record<string, Value>, input: Value) => reduceSum(square(apply(p, input)));
  const adapted = (p: Record<string, Value>, input: Value) => {
    const gradients = grad(lossAt)(p, input);
    const next = Object.fromEntries(
      Object.entries(p).map(([path, value]) => [path, sub(value, mul(gradients[path] as Value, 0.1))]),
    );
    return lossAt(next, input);
  };
  const gradients = await jit(grad(adapted))(parameters, tensor([[1]]));
  // w' = w - 0.1 · 2 w = 0.8 w; d (0.8 w)² / dw = 1.28 w.
  expect(gradients["weight"]?.item()).toBeCloseTo(1.28, 6);
});

test("buffers go in and come out", async () => {
  const model = sequential([batchNorm({ momentum: 0.5 })]);
  const batch = tensor([[1], [3]]);
  const { parameters, state, apply, applyWithState } = functional(model, batch);
  const step = jit(
    (p: Record<string, Value>, buffers: Record<string, Value>, input: Value) =>
      applyWithState(p, input, { state: buffers, training: true }).state,
  );
  const next = await step(parameters, state, batch);
  expect(next["layers.0.running_mean"]?.item()).toBe(1);
  expect(model.parameters().get("layers.0.running_mean")?.value?.item()).toBe(0);
  const call = (p: Record<string, Value>, input: Value) => apply(p, input);
  await expect(jit(call)(parameters, batch)).rejects.toThrow('the model has a buffer "layers.0.running_mean"');
});

test("parameters that are missing or unknown are reported", async () => {
  const { parameters, apply } = functional(dense(1), x);
  const call = jit((p: Record<string, Value>, input: Value) => apply(p, input));
  const { weight, bias } = parameters;
  if (!weight || !bias) throw new Error("a dense layer has both");
  await expect(call({ weight }, x)).rejects.toThrow('the parameters lack "bias"');
  await expect(call({ weight, bias, wieght: weight }, x)).rejects.toThrow(
    'unknown parameter "wieght"; did you mean "weight"?',
  );
});

test("values that a model has already are kept, copied", () => {
  const model = dense(1, { bias: false });
  model.trace(x);
  model.initialize(keyOf(5));
  const value = model.parameters().get("weight")?.value;
  const { parameters } = functional(model, x);
  expect(parameters["weight"]?.toNumbers()).toEqual(value?.toNumbers());
  expect(parameters["weight"]?.data).not.toBe(value?.data);
});
