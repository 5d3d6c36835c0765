/** The layouts by rows change how convolutional networks are computed, not what. */
import { expect, test } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { keyOf, Random } from "../core/random.ts";
import type { Shape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { graphOf, input, type Value } from "../graph/ir.ts";
import { lower, simplify } from "../graph/passes.ts";
import type { Innermost } from "../graph/rows.ts";
import { encodeModel } from "../onnx/model.ts";
import * as ops from "../ops/index.ts";
import { backend } from "../runtime/node.ts";

import { optimize } from "./compile.ts";
import { byRows, rowLayout } from "./row-layout.ts";

const random = new Random(keyOf(5));
const draw = (shape: Shape) =>
  new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

const simplified = [(outputs: readonly Value[]) => simplify(outputs)];

/** Loss and all gradients of a network, with a layout and without. */
async function both(innermost: Innermost, shapes: readonly Shape[], network: (...operands: Value[]) => Value) {
  const values = shapes.map((shape) => input("float32", shape));
  const y = network(...values);
  const loss = ops.reduceMean(ops.square(y));
  const graph = graphOf(values, [loss, ...gradients([loss], [ops.ones([])], values)]);
  const plain = optimize(graph, [...simplified, lower]);
  const changed = optimize(graph, [...simplified, (outputs) => byRows(outputs, innermost), ...simplified, lower]);
  const tensors = shapes.map(draw);
  const run = async (g: typeof graph) => (await backend.compile(encodeModel(g))).run(tensors);
  const operators = new Set(changed.nodes.map(({ op }) => op.type));
  return { expected: await run(plain), actual: await run(changed), operators };
}

const batch = 12;
const oneAround = [
  [1, 1],
  [1, 1],
] as const;
const cases: Record<string, [Shape[], (...operands: Value[]) => Value]> = {
  "convolution, bias, pool, ReLU, flatten, dense": [
    [[batch, 3, 9, 9], [3, 3, 3, 3], [3], [5, 27]],
    (x, w, b, d) =>
      ops.linear(ops.flatten(ops.maxPool(ops.relu(conv(x, w, { bias: b as Value })), [2, 2])), d as Value),
  ],
  "strides, dilations and asymmetric padding": [
    [
      [batch, 2, 11, 10],
      [3, 2, 3, 2],
      [4, 3, 2, 2],
    ],
    (x, w, v) =>
      conv(
        ops.tanh(
          conv(x, w, {
            strides: [2, 1],
            dilations: [1, 2],
            padding: [
              [1, 0],
              [0, 2],
            ],
          }),
        ),
        v,
        {
          padding: [
            [1, 1],
            [0, 1],
          ],
        },
      ),
  ],
  "pointwise convolution and batch normalization": [
    [[batch, 4, 5, 5], [6, 4, 1, 1], [6], [6], [2, 6, 3, 3]],
    (x, w, s, b, v) =>
      conv(ops.relu(ops.batchNormTrain(conv(x, w), s as Value, b as Value).y), v, {
        padding: [
          [1, 1],
          [1, 1],
        ],
      }),
  ],
  "a residual connection and global pooling": [
    [
      [batch, 3, 6, 6],
      [3, 3, 3, 3],
      [4, 3],
    ],
    (x, w, d) =>
      ops.linear(
        ops.reduceMean(
          ops.add(
            x as Value,
            ops.relu(
              conv(x, w, {
                padding: [
                  [1, 1],
                  [1, 1],
                ],
              }),
            ),
          ),
          [2, 3],
        ),
        d as Value,
      ),
  ],
  "one spatial axis, three-wide pools": [
    [
      [batch, 2, 20],
      [3, 2, 4],
      [2, 3, 3],
    ],
    (x, w, v) => conv(ops.maxPool(conv(x, w, { strides: [2] }), [3]), v, { padding: [[1, 1]] }),
  ],
  "overlapping pools, padded ones too, and groups, which keep the plain layout": [
    [
      [batch, 4, 8, 8],
      [4, 2, 3, 3],
      [3, 4, 2, 2],
    ],
    (x, w, v) => conv(ops.maxPool(conv(x, w, { groups: 2 }), [3, 3], { strides: [2, 2] }), v),
  ],
  "transposed convolution": [
    [
      [batch, 3, 4, 4],
      [3, 3, 3, 3],
      [2, 3, 2, 2],
    ],
    (x, w, v) =>
      conv(ops.relu(ops.convTranspose(x as Value, w as Value, { strides: [2, 2], outputPadding: [1, 1] })), v),
  ],
  "Winograd's tiles: two 3x3 convolutions, their extents no multiples of four, uneven padding": [
    [[batch, 16, 10, 9], [20, 16, 3, 3], [16, 20, 3, 3], [20]],
    (x, w, v, b) =>
      conv(ops.relu(conv(x, w, { padding: oneAround, bias: b as Value })), v, {
        padding: [
          [0, 1],
          [2, 1],
        ],
      }),
  ],
  "fewer windows than filters, which are turned instead": [
    [
      [batch, 4, 5, 5],
      [150, 4, 3, 3],
      [20, 150, 3, 3],
    ],
    (x, w, v) => conv(ops.tanh(conv(x, w, { strides: [2, 2], padding: oneAround })), v),
  ],
  "a window that reads little but padding, at any stride and dilation": [
    [
      [batch, 3, 2, 1],
      [20, 3, 3, 3],
      [4, 20, 3, 3],
      [5, 4, 3, 2],
    ],
    (x, w, v, u) => {
      const y = ops.relu(conv(x, w, { padding: oneAround, strides: [2, 1] }));
      const far = conv(y, v, {
        dilations: [5, 2],
        padding: [
          [5, 6],
          [2, 2],
        ],
      });
      return conv(far, u, {
        strides: [3, 1],
        padding: [
          [2, 4],
          [1, 0],
        ],
      });
    },
  ],
  "points read at a stride, the first of them padding": [
    [
      [batch, 3, 2, 2],
      [4, 3, 1, 1],
      [2, 4, 2, 2],
    ],
    (x, w, v) => conv(ops.relu(conv(x, w, { padding: oneAround, strides: [3, 3] })), v),
  ],
  "features joined and split, an average pool between": [
    [
      [batch, 3, 8, 6],
      [4, 3, 3, 3],
      [5, 7, 1, 1],
      [2, 4, 3, 2],
    ],
    (x, w, v, u) => {
      const joined = ops.concat([x as Value, conv(x, w, { padding: oneAround })], 1);
      const pooled = ops.averagePool(ops.relu(conv(joined, v)), [2, 3]);
      const [few, many] = ops.split(pooled, [1, 4], 1);
      return ops.mul(conv(many, u), ops.reduceMean(few));
    },
  ],
  "windows of an average that overlap": [
    [
      [batch, 3, 7, 7],
      [4, 3, 3, 3],
      [2, 4, 2, 2],
    ],
    (x, w, v) => conv(ops.averagePool(conv(x, w, { padding: oneAround }), [3, 3], { strides: [2, 2] }), v),
  ],
  "Winograd's tiles: a transposed convolution": [
    [
      [batch, 20, 8, 8],
      [20, 16, 3, 3],
      [17, 16, 3, 3],
    ],
    (x, w, v) => conv(ops.convTranspose(x as Value, w as Value, { padding: oneAround }), v),
  ],
};

function conv(x: Value | undefined, w: Value | undefined, options: ops.ConvOptions = {}): Value {
  if (!x || !w) throw new Error("two operands");
  return ops.conv(x, w, options);
}

const layouts = ["batch", "channels"] as const;
test.each(layouts.flatMap((innermost) => Object.entries(cases).map(([name, own]) => [innermost, name, own] as const)))(
  "rows over %s: %s",
  async (innermost, _, [shapes, network]) => {
    const { expected, actual, operators } = await both(innermost, shapes, network);
    expect(operators).toContain("Gather");
    for (const [i, tensor] of expected.entries()) {
      const values = Array.from(tensor.data as Float32Array);
      const largest = Math.max(...values.map(Math.abs));
      // Sums of some thousand float32 products in another order.
      for (const [k, value] of values.entries())
        expect(Math.abs(Number(actual[i]?.data[k]) - value)).toBeLessThan(2e-5 * (largest + 1));
    }
  },
);

test("equal elements of a window: the first takes the gradient, as without the layout", async () => {
  const values = [input("float32", [batch, 1, 4, 4]), input("float32", [1, 1, 1, 1])];
  const [x, w] = values as [Value, Value];
  const loss = ops.reduceSum(ops.maxPool(conv(x, w), [2, 2]));
  const graph = graphOf(values, [...gradients([loss], [ops.ones([])], values)]);
  const session = await backend.compile(encodeModel(optimize(graph)));
  const ones = (shape: Shape) =>
    new Tensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1));
  const [dx] = await session.run([ones([batch, 1, 4, 4]), ones([1, 1, 1, 1])]);
  expect(Array.from((dx?.data ?? []) as Float32Array).slice(0, 16)).toEqual([
    1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0,
  ]);
});

test("a graph may be deep", () => {
  const values = [input("float32", [batch, 1, 4, 4]), input("float32", [1, 1, 2, 2])];
  let y = ops.reduceMean(conv(values[0], values[1]));
  for (let i = 0; i < 5000; i++) y = ops.add(y, 1);
  const graph = [y, ...gradients([y], [ops.ones([])], values)];
  expect(rowLayout(false)(graph)).toHaveLength(3);
});

test("a graph without convolution gradients is left alone", () => {
  const x = input("float32", [batch, 1, 4, 4]);
  const y = [conv(x, input("float32", [1, 1, 2, 2]))];
  expect(rowLayout(false)(y)).toBe(y);
});
