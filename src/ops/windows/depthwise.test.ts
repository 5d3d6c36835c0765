/** Convolutions of each channel by its own filter in blocks: the numbers of plain ones, forward, backward and differentiated again. */
import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { keyOf, Random } from "../../core/random.ts";
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { lower } from "../../graph/passes.ts";
import { optimize, tidy } from "../../jit/compile.ts";
import { byRows, rowLayout } from "../../jit/row-layout.ts";
import { encodeModel } from "../../onnx/model.ts";
import { backend } from "../../runtime/node.ts";
import { type ConvOptions, conv, convTranspose, mul, ones, reduceSum, square } from "../index.ts";
import { NchwcConv } from "./nchwc.ts";

const random = new Random(keyOf(3));
const draw = (shape: Shape) => new Tensor("float32", shape, random.normals(size(shape)));
const [batch, channels] = [3, 32];

/** Results of a graph with rows and without, and how many convolutions ran in blocks. */
async function both(shapes: readonly Shape[], build: (...operands: Value[]) => readonly Value[]) {
  const inputs = shapes.map((shape) => input("float32", shape));
  const graph = graphOf(inputs, build(...inputs));
  const tensors = shapes.map(draw);
  const run = async (passes: Parameters<typeof optimize>[1]) => {
    const { nodes, ...changed } = optimize(graph, passes);
    const session = await backend.compile(encodeModel({ nodes, ...changed }));
    const results = await session.run(tensors);
    await session.release();
    return { results, blocked: nodes.filter(({ op }) => op === NchwcConv).length };
  };
  const plain = await run([...tidy, lower, ...tidy]);
  const rows = await run([...tidy, (outputs) => byRows(outputs, "channels", true), ...tidy, lower, ...tidy]);
  return { expected: plain.results, actual: rows.results, blocked: rows.blocked };
}

/** How far results lie apart, of the largest. */
function error({ expected, actual }: Awaited<ReturnType<typeof both>>): number {
  const errors = expected.map(({ shape, data }, i) => {
    expect(actual[i]?.shape).toEqual(shape);
    const [values, others] = [data as Float32Array, actual[i]?.data as Float32Array];
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return values.reduce((most, value, k) => Math.max(most, Math.abs(value - (others[k] ?? Number.NaN))), 0) / largest;
  });
  return Math.max(...errors);
}

const geometries: Record<string, [extents: Shape, kernel: Shape, options: ConvOptions]> = {
  "3x3, same": [
    [9, 7],
    [3, 3],
    {
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  ],
  "no padding": [[9, 7], [3, 2], {}],
  "strides that leave positions out": [
    [10, 9],
    [3, 3],
    {
      strides: [2, 3],
      padding: [
        [1, 0],
        [0, 0],
      ],
    },
  ],
  "strides beyond the kernel": [[11, 10], [2, 1], { strides: [4, 3] }],
  "5x5, uneven padding and strides": [
    [12, 12],
    [5, 5],
    {
      strides: [2, 2],
      padding: [
        [1, 2],
        [2, 1],
      ],
    },
  ],
  dilated: [
    [12, 11],
    [3, 3],
    {
      dilations: [2, 3],
      padding: [
        [2, 2],
        [3, 0],
      ],
    },
  ],
  "dilated, with strides": [
    [13, 12],
    [3, 3],
    {
      dilations: [2, 1],
      strides: [3, 2],
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  ],
  "more padding than the kernel reaches": [
    [5, 5],
    [2, 2],
    {
      padding: [
        [3, 2],
        [2, 3],
      ],
    },
  ],
};

test.each(Object.entries(geometries))("%s", async (_, [extents, kernel, options]) => {
  const [x, w, bias]: Shape[] = [[batch, channels, ...extents], [channels, 1, ...kernel], [channels]];
  const y = conv(input("float32", x as Shape), input("float32", w as Shape), { ...options, groups: channels });
  const found = await both([x as Shape, w as Shape, bias as Shape, y.shape], (x, w, bias, g) => {
    const y = conv(x as Value, w as Value, { ...options, groups: channels, bias: bias as Value });
    return [y, ...gradients([y], [g as Value], [x as Value, w as Value, bias as Value])];
  });
  expect(found.blocked).toBe(3);
  expect(error(found)).toBeLessThan(2e-6);
});

test("transposed", async () => {
  const options = {
    groups: channels,
    strides: [2, 2],
    padding: [
      [1, 1],
      [1, 1],
    ],
  } as const;
  const found = await both(
    [
      [batch, channels, 5, 6],
      [channels, 1, 4, 3],
    ],
    (x, w) => {
      const y = convTranspose(x as Value, w as Value, options);
      return [y, ...gradients([y], [square(y)], [x as Value, w as Value])];
    },
  );
  expect(found.blocked).toBe(3);
  expect(error(found)).toBeLessThan(2e-6);
});

test("gradients of gradients", async () => {
  const options = {
    groups: channels,
    strides: [2, 1],
    padding: [
      [1, 1],
      [1, 1],
    ],
  } as const;
  const found = await both(
    [
      [batch, channels, 6, 7],
      [channels, 1, 3, 3],
    ],
    (x, w) => {
      const y = conv(x as Value, w as Value, options);
      const [gx, gw] = gradients([y], [mul(y, y)], [x as Value, w as Value]) as [Value, Value];
      const loss = [reduceSum(square(gx)), reduceSum(square(gw))];
      return loss.flatMap((sum) => gradients([sum], [ones([])], [x as Value, w as Value]));
    },
  );
  expect(found.blocked).toBeGreaterThan(3);
  expect(error(found)).toBeLessThan(1e-5);
});

test("a network that has them runs over channels, whatever the batch; others, and other engines, do not", () => {
  const blockedIn = (batch: number, groups: number, blocks: boolean) => {
    const [x, w] = [input("float32", [batch, 32, 6, 6]), input("float32", [32, 32 / groups, 3, 3])];
    const y = reduceSum(conv(x, w, { groups }));
    const { nodes } = graphOf([x, w], rowLayout(blocks)([y, ...gradients([y], [ones([])], [w])]));
    return nodes.filter(({ op }) => op === NchwcConv).length;
  };
  expect(blockedIn(64, 32, true)).toBe(2);
  expect(blockedIn(64, 1, true)).toBe(0);
  expect(blockedIn(64, 32, false)).toBe(0);
  expect(blockedIn(64, 16, true)).toBe(0);
});
