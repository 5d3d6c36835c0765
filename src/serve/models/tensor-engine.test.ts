/** What goes through together is what goes through alone; what may not go together does not. */
import { describe, expect, test } from "vitest";
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type AnyModule, conv2d, dense, embedding, flatten, lambda, lstm, sequential } from "../../nn/index.ts";
import { mul, reduceMean, relu, sub } from "../../ops/index.ts";
import { predict } from "../../train/predict.ts";
import type { TensorSpec } from "../served-model.ts";
import { TensorEngine } from "./tensor-engine.ts";

const random = new Random(keyOf(7));
const numbers = (shape: readonly number[]) =>
  new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.uniform()),
  );

function open(model: AnyModule, inputs: readonly TensorSpec[], most = 4) {
  model.initialize(keyOf(3), {
    dtype: inputs[0]?.dtype ?? "float32",
    shape: (inputs[0]?.shape ?? []).map((own) => Math.abs(own)),
  });
  return TensorEngine.open({ model, inputs, nest: ({ x }) => x }, { most });
}
const image: TensorSpec = { name: "x", dtype: "float32", shape: [-1, 1, 6, 6] };

describe("a model whose samples are independent", () => {
  const model = sequential([conv2d(1, 3), lambda((x: Value) => relu(x)), flatten(), dense(5)]);
  const engine = open(model, [image]);

  test("requests of several sizes give what each gives alone", async () => {
    expect(engine.obstacle).toBeUndefined();
    expect(engine.outputs).toEqual([{ name: "output", dtype: "float32", shape: [-1, 5] }]);
    const requests = [1, 2, 3, 1, 9].map((rows) => numbers([rows, 1, 6, 6]));
    const results = await engine.run(requests.map((x) => engine.taken(new Map([["x", x]]))));
    for (const [i, x] of requests.entries()) {
      const expected = (await predict(model as never, x as never)) as Tensor;
      const [own] = results[i] as [Tensor];
      expect(own.shape).toEqual([x.shape[0], 5]);
      // Sums of 108 terms in another order.
      for (const [j, value] of own.toNumbers().entries()) expect(value).toBeCloseTo(Number(expected.data[j]), 5);
    }
  });

  test("tensors of another name, type or shape are refused in words", () => {
    const taken = (name: string, own: Tensor) => engine.taken(new Map([[name, own]]));
    expect(() => taken("y", numbers([1, 1, 6, 6]))).toThrow(OptionError);
    expect(() => engine.taken(new Map())).toThrow('input "x" is missing; send x');
    expect(() => taken("x", tensor([[[[1]]]], { dtype: "float64" }))).toThrow(DTypeError);
    expect(() => taken("x", numbers([1, 6, 6]))).toThrow(
      'input "x" is [1, 6, 6], and the model takes [any, 1, 6, 6]; send that shape',
    );
    expect(() => taken("x", numbers([0, 1, 6, 6]))).toThrow(ShapeError);
  });
});

test("a model that mixes samples computes each by itself, and says why", async () => {
  const centered = lambda((x: Value) => sub(x, reduceMean(x, [0])));
  const engine = open(centered as AnyModule, [{ name: "x", dtype: "float32", shape: [-1, 2] }]);
  expect(engine.obstacle).toContain("computes across samples");
  const [[own]] = (await engine.run([
    [
      tensor([
        [1, 2],
        [5, 9],
      ]),
    ],
  ])) as [[Tensor]];
  expect(own.toNumbers()).toEqual([0, 0, 0, 0]);
});

test("sequences of several lengths are computed with their like", async () => {
  const model = sequential([embedding(11, 4), lstm(3)]);
  const engine = open(model as AnyModule, [{ name: "x", dtype: "int32", shape: [-1, -1] }]);
  expect(engine.outputs[0]?.shape).toEqual([-1, -1, 3]);
  const [a, b] = [
    tensor([[1, 2, 3]], { dtype: "int32" }),
    tensor(
      [
        [4, 5],
        [6, 7],
      ],
      { dtype: "int32" },
    ),
  ];
  expect(engine.keyOf([a])).not.toBe(engine.keyOf([b]));
  const [[own]] = (await engine.run([[b]])) as [[Tensor]];
  const expected = (await predict(model as never, b as never)) as Tensor;
  for (const [i, value] of own.toNumbers().entries()) expect(value).toBeCloseTo(Number(expected.data[i]), 6);
});

test("a model without an open batch takes its own shape alone", async () => {
  const engine = open(lambda((x: Value) => mul(x, 2)) as AnyModule, [{ name: "x", dtype: "float32", shape: [3] }]);
  expect(engine.outputs[0]?.shape).toEqual([3]);
  const [[y]] = (await engine.run([engine.taken(new Map([["x", tensor([1, 2, 3])]]))])) as [[Tensor]];
  expect(y.toNumbers()).toEqual([2, 4, 6]);
});
