/** The reverse walk: chain rule, missing gradients, higher orders. Single rules are tested by src/ops/sweep.test.ts. */
import { expect, test } from "vitest";
import { foldIn, keyOf, Random } from "../core/random.ts";
import { type Shape, size } from "../core/shape.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { input, nodesOf, type Value } from "../graph/ir.ts";
import { apply, defineOp } from "../graph/op.ts";
import { jit } from "../jit/jit.ts";
import * as ops from "../ops/index.ts";
import { gradients } from "./gradients.ts";
import { grad, valueAndGrad, valueAndGradWithAux } from "./transform.ts";

const double = (elements: readonly number[], shape: Shape = [elements.length]) =>
  tensor(elements, { dtype: "float64", shape });

test("a subexpression used twice gets the sum of its gradients", async () => {
  // y = s² + 3 s with s = exp(x): dy/dx = (2 s + 3) s
  const f = (x: Value) => {
    const s = ops.exp(x);
    return ops.reduceSum(ops.add(ops.mul(s, s), ops.mul(3, s)));
  };
  const result = await jit(grad(f))(double([0.5, -1]));
  for (const [i, x] of [0.5, -1].entries())
    expect(Number(result.data[i])).toBeCloseTo((2 * Math.exp(x) + 3) * Math.exp(x), 12);
});

test("both operands the same value", async () => {
  const square = jit(grad((x: Value) => ops.reduceSum(ops.mul(x, x))));
  expect((await square(tensor([3, -2]))).toArray()).toEqual([6, -4]);
});

test("an operator whose gradient is that of an expression: operands that depend on one another, and one value as both", async () => {
  // a b + a, written so: its derivatives are b + 1 and a
  const Joined = defineOp("Joined", {
    arity: "2",
    domain: "test",
    infer: ([a]) => a,
    grad: { through: ({ inputs: [a, b] }) => [ops.add(ops.mul(a, b), a)] },
    flops: () => 0,
    lower: ({ inputs: [a, b] }) => [ops.add(ops.mul(a, b), a)],
  });
  // f = x x² + x, whose derivative is 3 x² + 1
  const f = jit(grad((x: Value) => ops.reduceSum(apply(Joined, [x, ops.mul(x, x)]))));
  expect((await f(tensor([2, -1]))).toArray()).toEqual([13, 4]);
  // f = x² + x
  const g = jit(grad((x: Value) => ops.reduceSum(apply(Joined, [x, x]))));
  expect((await g(tensor([2, -1]))).toArray()).toEqual([5, -1]);
  // Twice: f'' = 6 x
  const h = jit(
    grad((x: Value) => ops.reduceSum(grad((y: Value) => ops.reduceSum(apply(Joined, [y, ops.mul(y, y)])))(x))),
  );
  expect((await h(tensor([2, -1]))).toArray()).toEqual([12, -6]);
});

test("a parameter that the loss does not use gets zeros of its shape", async () => {
  const f = jit(grad((p: { used: Value; unused: Value }) => ops.reduceSum(p.used)));
  const result = await f({ used: tensor([1, 2]), unused: tensor([[1, 2, 3]]) });
  expect(result.used.toArray()).toEqual([1, 1]);
  expect(result.unused.toArray()).toEqual([[0, 0, 0]]);
});

test("a way through integers ends there: zeros", async () => {
  const f = jit(grad((x: Value) => ops.reduceSum(ops.cast(ops.argMax(x, 0), "float32"))));
  expect((await f(tensor([1, 3, 2]))).toArray()).toEqual([0, 0, 0]);
});

test("the loss must be a scalar", () => {
  const x = input("float32", [2, 3]);
  expect(() => grad((p: Value) => ops.mul(p, 2))(x)).toThrow(
    "the function to differentiate must return a scalar, got float32[2, 3]; reduce it, e.g. reduceMean(loss)",
  );
});

test("parameters must be floats, and values", () => {
  const labels = input("int64", [2]);
  expect(() => grad((p: Value) => ops.reduceSum(ops.cast(p, "float32")))(labels)).toThrow(
    "gradient with respect to a int64 value; only floats have gradients",
  );
  expect(() =>
    grad((p: { w: Value; rate: number }) => ops.reduceSum(p.w))({ w: input("float32", [1]), rate: 3 }),
  ).toThrow('gradient with respect to "rate", which is a number; pass tensors only');
});

test("an operator without a gradient is named with its layer", () => {
  const x = input("float32", [2]);
  const remainder = ops.mod(x, ops.full([2], 2));
  if (remainder.producer) remainder.producer.scope = { path: "features.3" };
  const message = "features.3: Mod has no gradient; take it out of the way from the parameters to the loss";
  expect(() => gradients([ops.reduceSum(remainder)], [ops.ones([])], [x])).toThrow(message);
});

test("parameters behind an operator without a gradient are named, those beside it not", () => {
  const [near, far, beside] = ["near", "far", "beside"].map((name) => input("float32", [2], name)) as [
    Value,
    Value,
    Value,
  ];
  const rounded = ops.mod(ops.mul(near, ops.neg(far)), ops.full([2], 2));
  const loss = ops.reduceSum(ops.mul(rounded, beside));
  expect(() => gradients([loss], [ops.ones([])], [near, far, beside])).toThrow(
    "graph: Mod has no gradient, and stands between near, far and the loss; freeze them, or take the operator out of the way",
  );
});

test("an operator without a gradient does not matter beside the path", async () => {
  const f = jit(grad((x: Value, other: Value) => ops.reduceSum(ops.mul(x, ops.mod(other, 2)))));
  expect((await f(tensor([1, 1]), tensor([3, 4]))).toArray()).toEqual([1, 0]);
});

test.each<[string, (x: Value) => Value, (h: Value) => Value]>([
  ["MaxPool of it would move after its Relu", ops.relu, (h) => ops.maxPool(h, [1, 1])],
  ["Neg of it would cancel", ops.neg, ops.neg],
  ["Reshape of it would merge", (x) => ops.reshape(x, [1, 1, 4, 1]), (h) => ops.reshape(h, [1, 1, 2, 2])],
  ["Mul by 1 of it would vanish", (x) => ops.mul(x, 2), (h) => ops.mul(h, 1)],
])("an intermediate value keeps its gradient: %s", async (_, inner, outer) => {
  const f = jit((x: Value) => {
    const h = inner(x);
    return valueAndGrad((intermediate: Value) => ops.reduceSum(ops.mul(3, outer(intermediate))))(h)[1];
  });
  const result = await f(tensor([1, 2, 3, 4], { shape: [1, 1, 2, 2] }));
  const sign = outer === ops.neg ? -1 : 1;
  expect(Array.from(result.data as Float32Array)).toEqual(new Array(4).fill(3 * sign));
});

test("gradients of a value and of what it is computed from, together", async () => {
  // y = Σ h² with h = 2 x: dy/dh = 2 h, dy/dx = 4 h
  const f = jit((x: Value) => {
    const h = ops.mul(x, 2);
    const y = ops.reduceSum(ops.mul(h, h));
    return gradients([y], [ops.ones([])], [x, h]);
  });
  const [dx, dh] = await f(tensor([1, -3]));
  expect(dx?.toArray()).toEqual([8, -24]);
  expect(dh?.toArray()).toEqual([4, -12]);
});

test("several outputs with their seeds: a vector-Jacobian product", async () => {
  const f = jit((x: Value, u: Value, v: Value) => gradients([ops.mul(x, x), ops.exp(x)], [u, v], [x])[0] as Value);
  const result = await f(double([0.5]), double([3]), double([2]));
  expect(result.item()).toBeCloseTo(3 * 2 * 0.5 + 2 * Math.exp(0.5), 12);
});

test("aux values come out as they are", async () => {
  const f = jit((x: Value) =>
    valueAndGradWithAux(
      (p: Value) => [ops.reduceSum(ops.mul(p, p)), { doubled: ops.mul(p, 2), note: "kept" }] as const,
    )(x),
  );
  const [loss, aux, g] = await f(tensor([1, 2]));
  expect([loss.item(), aux.doubled.toArray(), aux.note, g.toArray()]).toEqual([5, [2, 4], "kept", [2, 4]]);
});

test("third derivative of x⁴ is 24 x", async () => {
  const fourth = (x: Value) => ops.reduceSum(ops.mul(ops.mul(x, x), ops.mul(x, x)));
  const derive = (f: (x: Value) => Value) => (x: Value) => ops.reduceSum(grad(f)(x));
  const third = jit((x: Value) => grad(derive(derive(fourth)))(x));
  expect((await third(double([1, -2, 0.5]))).toArray()).toEqual([24, -48, 12]);
});

test("nodes of the backward pass carry the layer they belong to", () => {
  const x = input("float32", [3]);
  const y = ops.tanh(x);
  if (y.producer) y.producer.scope = { path: "hidden" };
  const [g] = gradients([ops.reduceSum(y)], [ops.ones([])], [x]);
  const scopes = nodesOf([g as Value])
    .filter((node) => node.op.type === "Mul")
    .map((node) => node.scope?.path);
  expect(new Set(scopes)).toEqual(new Set(["hidden"]));
});

test("a random two-layer network against finite differences in float64", async () => {
  const random = new Random(foldIn(keyOf(11), "mlp"));
  const draw = (...shape: number[]) =>
    double(
      Array.from({ length: size(shape) }, () => random.normal()),
      shape,
    );
  const parameters = { w1: draw(5, 4), b1: draw(5), w2: draw(3, 5), b2: draw(3) };
  const [x, labels] = [draw(6, 4), tensor([0, 2, 1, 1, 0, 2], { dtype: "int64" })];
  const loss = (p: { w1: Value; b1: Value; w2: Value; b2: Value }, inputs: Value, classes: Value) => {
    const hidden = ops.tanh(ops.linear(inputs, p.w1, p.b1)); // [6, 5]
    const scores = ops.logSoftmax(ops.linear(hidden, p.w2, p.b2)); // [6, 3]
    return ops.neg(ops.reduceMean(ops.gatherElements(scores, ops.unsqueeze(classes, [1]), 1)));
  };
  const step = jit((p: { w1: Value; b1: Value; w2: Value; b2: Value }, inputs: Value, classes: Value) =>
    valueAndGrad(loss)(p, inputs, classes),
  );
  const [, grads] = await step(parameters, x, labels);
  const h = 1e-5;
  for (const name of ["w1", "b1", "w2", "b2"] as const)
    for (const i of parameters[name].data.keys()) {
      const at = async (distance: number) => {
        const moved: Tensor<"float64"> = double(Array.from(parameters[name].data), parameters[name].shape);
        moved.data[i] = Number(moved.data[i]) + distance;
        return (await step({ ...parameters, [name]: moved }, x, labels))[0].item();
      };
      // A central difference errs by h² f'''/6 + 1e-16 / h, about 1e-10 here.
      expect(Math.abs(Number(grads[name].data[i]) - ((await at(h)) - (await at(-h))) / (2 * h))).toBeLessThan(1e-8);
    }
});
