/** Compiled functions give the values and gradients of the functions they were traced from. */
import { expect, test } from "vitest";
import { grad, valueAndGrad } from "../autodiff/transform.ts";
import { tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { conv, linear, maxPool, mul, reduceMean, reduceSum, relu, reshape, sqrt, square } from "../ops/index.ts";
import { jit } from "./jit.ts";

test("a function of tensors", async () => {
  const norm = jit((x: Value) => sqrt(reduceSum(mul(x, x))));
  expect((await norm(tensor([3, 4]))).item()).toBe(5);
});

test("arguments that are no tensors are told apart, functions and instances by identity", async () => {
  const apply = jit((f: (x: Value) => Value, x: Value) => f(x));
  const times = (factor: number) => (x: Value) => mul(x, factor);
  expect((await apply(times(2), tensor(3))).item()).toBe(6);
  expect((await apply(times(5), tensor(3))).item()).toBe(15);
  const count = jit((names: readonly string[], x: Value) => mul(x, names.length));
  expect((await count(["a", "b"], tensor(1))).item()).toBe(2);
  expect((await count(["a,string:b"], tensor(1))).item()).toBe(1);
});

test("pytrees in, pytrees out, with gradients", async () => {
  const loss = (p: { w: Value; b: Value }, x: Value) => reduceMean(square(linear(x, p.w, p.b)));
  const step = jit((p: { w: Value; b: Value }, x: Value) => valueAndGrad(loss)(p, x));
  const [value, grads] = await step(
    { w: tensor([[1, 2]]), b: tensor([1]) },
    tensor([
      [1, 1],
      [2, 0],
    ]),
  );
  expect(value.item()).toBe((16 + 9) / 2);
  // dL/db = mean(2 y) = 4 + 3, dL/dw = mean(2 y x)
  expect(grads.b.toArray()).toEqual([7]);
  expect(grads.w.toArray()).toEqual([[10, 4]]);
});

test("a Hessian-vector product, by differentiating a gradient", async () => {
  // f(x) = Σ x³: H v = 6 x v
  const f = (x: Value) => reduceSum(mul(x, mul(x, x)));
  const hvp = jit((x: Value, v: Value) => grad((y: Value) => reduceSum(mul(grad(f)(y), v)))(x));
  expect((await hvp(tensor([1, 2]), tensor([1, 10]))).toArray()).toEqual([6, 120]);
});

test("a convolutional network", async () => {
  const net = (w: Value, x: Value) => reduceSum(reshape(relu(maxPool(conv(x, w), [2, 2])), [-1]));
  const step = jit((w: Value, x: Value) => valueAndGrad(net)(w, x));
  const x = tensor(
    Float32Array.from({ length: 25 }, (_, i) => i),
    { shape: [1, 1, 5, 5] },
  );
  const [value, g] = await step(
    tensor([
      [
        [
          [1, 0],
          [0, 0],
        ],
      ],
    ]),
    x,
  );
  expect(value.item()).toBe(6 + 8 + 16 + 18);
  expect(g.toArray()).toEqual([
    [
      [
        [48, 52],
        [68, 72],
      ],
    ],
  ]);
});
