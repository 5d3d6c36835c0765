/** A scan's outputs and gradients by hand, and against the operator of the same recurrence. */
import { expect, test } from "vitest";
import { grad } from "../../autodiff/transform.ts";
import { ShapeError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { jit } from "../../jit/jit.ts";
import { rnn } from "../../nn/index.ts";
import { expectClose, randomTensor, runLayer } from "../../nn/testing/check-layer.ts";
import { add, concat, matmul, mul, reduceSum, reshape, scan, slice, tanh, transpose, zeros } from "../index.ts";

/** hₜ = a hₜ₋₁ + xₜ. */
const leakySum = (a: Value, x: Value) =>
  scan(
    ([h], xt) => {
      const next = add(mul(a, h as Value), xt);
      return { state: [next], output: next };
    },
    [zeros([])],
    x,
  );

test("outputs and last state", async () => {
  const run = jit((a: Value, x: Value) => leakySum(a, x));
  const { state, outputs } = await run(tensor(0.5), tensor([1, 2, 4]));
  expect(outputs.toArray()).toEqual([1, 2.5, 5.25]);
  expect(state[0]?.toArray()).toBe(5.25);
});

test("gradients through time, and their gradients", async () => {
  // h₃ = a² x₁ + a x₂ + x₃: d/da = 2 a x₁ + x₂, d²/da² = 2 x₁, d/dx = [a², a, 1].
  const last = (a: Value, x: Value) => leakySum(a, x).state[0] as Value;
  const [a, x] = [tensor(3), tensor([5, 7, 11])];
  expect((await jit((u: Value, v: Value) => grad((w: Value) => last(w, v))(u))(a, x)).item()).toBe(37);
  expect((await jit((u: Value, v: Value) => grad(grad((w: Value) => last(w, v)))(u))(a, x)).item()).toBe(10);
  expect((await jit((u: Value, v: Value) => grad((w: Value) => last(u, w))(v))(a, x)).toArray()).toEqual([9, 3, 1]);
});

test("Elman's network step by step is the operator's", async () => {
  const [x, weights] = [randomTensor([2, 4, 3], 1), randomTensor([5 * 3 + 5 * 5 + 5 + 5], 2)];
  const layer = rnn(5);
  layer.trace({ dtype: "float32", shape: [2, 4, 3] });
  let at = 0;
  for (const parameter of layer.parameters().values()) {
    const size = parameter.shape.reduce((product, extent) => product * extent, 1);
    parameter.value = tensor([...weights.data.slice(at, at + size)].map(Number), { shape: parameter.shape });
    at += size;
  }
  const [w, r, b, c] = [...layer.parameters().values()].map(({ value }) => value);
  if (!w || !r || !b || !c) throw new Error("four parameters expected");
  const { output } = await runLayer(layer, x);
  const run = jit((...[x, w, r, b, c]: [Value, Value, Value, Value, Value]) => {
    const { outputs } = scan(
      ([h], xt) => {
        const sum = add(matmul(xt, w, { transB: true }), matmul(h as Value, r, { transB: true }));
        const next = tanh(add(sum, add(b, c)));
        return { state: [next], output: next };
      },
      [zeros([2, 5])],
      transpose(x, [1, 0, 2]),
    );
    return transpose(outputs, [1, 0, 2]);
  });
  expectClose(await run(x, w, r, b, c), output, "outputs");
});

test("several states, and the number of the step", async () => {
  const fibonacci = jit((x: Value) =>
    scan(
      ([a, b], xt, t) => ({ state: [b as Value, add(a as Value, b as Value)], output: add(mul(xt, t), a as Value) }),
      [slice(x, { axis: 0, start: 0, end: 1 }), slice(x, { axis: 0, start: 1, end: 2 })].map((v) => reshape(v, [])),
      concat([x, x]),
    ),
  );
  const { outputs } = await fibonacci(tensor([1, 1]));
  // a of 1, 1, 2, 3 and t · 1.
  expect(outputs.toArray()).toEqual([1, 2, 4, 6]);
});

test("a state that changes its shape", () => {
  const x = input("float32", [3, 2], "x");
  expect(() => scan(([h], xt) => ({ state: [reduceSum(xt)], output: h as Value }), [zeros([2])], x)).toThrow(
    "scan: step 0 turns a state of [2] into []; return a state of the same shapes",
  );
  expect(() => scan(([h]) => ({ state: [h as Value], output: h as Value }), [zeros([2])], zeros([]))).toThrow(
    ShapeError,
  );
});
