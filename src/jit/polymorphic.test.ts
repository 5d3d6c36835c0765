/** Graphs exported with an open batch run at every batch size, and say when they cannot be opened. */
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../core/random.ts";
import type { Shape } from "../core/shape.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { graphOf, input, type Value } from "../graph/ir.ts";
import { makeNode } from "../graph/op.ts";
import { encodeModel } from "../onnx/model.ts";
import {
  add,
  concat,
  constant,
  conv,
  expand,
  flatten,
  LSTM,
  linear,
  maxPool,
  mul,
  reduceMean,
  relu,
  reshape,
  softmax,
  transpose,
} from "../ops/index.ts";
import { batchPolymorphic } from "./polymorphic.ts";

const noise = (shape: Shape, seed = 0): Tensor => {
  const random = new Random(keyOf(seed));
  const length = shape.reduce((product, extent) => product * extent, 1);
  return new Tensor(
    "float32",
    shape,
    Float32Array.from({ length }, () => random.uniform(-1, 1)),
  );
};
const weight = (...shape: number[]) => constant(noise(shape, shape.length));

/** The polymorphic graph of a function of x [batch, ...sample]. */
const open = (sample: Shape, f: (x: Value) => Value) =>
  batchPolymorphic((batch) => {
    const x = input("float32", [batch, ...sample], "x");
    return graphOf([x], [f(x)]);
  });

const cases: Record<string, [Shape, (x: Value) => Value]> = {
  "a convolutional network": [
    [1, 8, 8],
    (x) => linear(flatten(maxPool(relu(conv(x, weight(4, 1, 3, 3))), [2, 2])), weight(5, 36), weight(5)),
  ],
  "reshapes that split and join other axes": [
    [6, 4],
    (x) => reshape(transpose(reshape(x, [x.shape[0] ?? 1, 3, 2, 4]), [0, 2, 1, 3]), [(x.shape[0] ?? 1) * 2, 12]),
  ],
  "a recurrent network in both directions, its last state": [
    [5, 3],
    (x) => {
      const operands = [transpose(x, [1, 0, 2]), weight(2, 16, 3), weight(2, 16, 4), weight(2, 32)];
      const { outputs } = makeNode(LSTM, operands, { hidden_size: 4, direction: "bidirectional" });
      return reshape(transpose(outputs[1] as Value, [1, 0, 2]), [x.shape[0] ?? 1, 8]);
    },
  ],
  "attention over time": [
    [5, 8],
    (x) => {
      const scores = softmax(linear(x, weight(5, 8)));
      return add(reduceMean(scores, [1]), mul(reduceMean(x, [1, 2], { keepDims: true }), 2));
    },
  ],
  "an expansion over other axes": [[3], (x) => expand(reshape(x, [x.shape[0] ?? 1, 1, 3]), [x.shape[0] ?? 1, 4, 3])],
};

describe("one model for every batch", () => {
  test.each(Object.entries(cases))("%s", async (_, [sample, f]) => {
    const { graph, symbols, obstacle } = open(sample, f);
    expect(obstacle).toBeUndefined();
    const model = encodeModel(graph, { inputNames: ["x"], outputNames: ["y"], symbols });
    const session = await ort.InferenceSession.create(model);
    for (const batch of [1, 2, 7]) {
      const x = noise([batch, ...sample], batch);
      const run = async (of: ort.InferenceSession) =>
        (await of.run({ x: new ort.Tensor("float32", x.data as Float32Array, x.shape) }))["y"] as ort.Tensor;
      const fixed = input("float32", x.shape, "x");
      const own = await ort.InferenceSession.create(
        encodeModel(fixedGraph(fixed, f), { inputNames: ["x"], outputNames: ["y"] }),
      );
      const [y, expected] = [await run(session), await run(own)];
      expect(y.dims).toEqual(expected.dims);
      // The engine may choose another kernel for another batch: rounding only.
      for (const [i, value] of (y.data as Float32Array).entries())
        expect(value).toBeCloseTo((expected.data as Float32Array)[i] ?? Number.NaN, 5);
    }
  });
});

/** The graph of one batch size. */
const fixedGraph = (x: Value, f: (x: Value) => Value) => graphOf([x], [f(x)]);

describe("a batch that stays closed", () => {
  test.each<[string, Shape, (x: Value) => Value, RegExp]>([
    [
      "a constant that was made for the batch",
      [3],
      (x) =>
        mul(
          x,
          constant(
            tensor(
              Array.from({ length: (x.shape[0] ?? 1) * 3 }, () => 2),
              { shape: x.shape },
            ),
          ),
        ),
      /operand 1 of Mul \[29, 3\].* depends on the batch size/,
    ],
    [
      "an expansion to the batch",
      [3],
      (x) => concat([x, expand(weight(1, 3), x.shape)], 1),
      /depends on the batch size/,
    ],
    ["as many nodes as samples", [3], (x) => concat(Array.from({ length: x.shape[0] ?? 1 }, () => x)), /Concat/],
  ])("%s", async (_, sample, f, message) => {
    const { graph, symbols, obstacle } = open(sample, f);
    expect(obstacle).toMatch(message);
    expect(graph.inputs[0]?.shape[0]).toBe(1);
    expect(symbols(graph.inputs[0] as Value, 0)).toBeUndefined();
  });
});
