/** Every loss and its gradient against PyTorch, the small graph of crossEntropy, and what is refused. */
import { describe, expect, test } from "vitest";
import { valueAndGrad } from "../../autodiff/transform.ts";
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { optimize } from "../../jit/compile.ts";
import { jit } from "../../jit/jit.ts";
import { expectClose } from "../testing/check-layer.ts";
import { fixture, type RecordedLoss } from "../testing/fixture.node.ts";
import type { Loss } from "./loss.ts";
import {
  binaryCrossEntropy,
  categoricalCrossEntropy,
  crossEntropy,
  huber,
  klDivergence,
  type LossName,
  losses,
  lossOf,
  meanAbsoluteError,
  meanSquaredError,
} from "./losses.ts";

const recorded = fixture<RecordedLoss>("losses");
const classWeights = [0.5, 2, 1, 0];

describe("as in PyTorch", () => {
  const cases: readonly (readonly [string, Loss])[] = [
    ["crossEntropy", crossEntropy()],
    ["crossEntropySequences", crossEntropy()],
    ["crossEntropyWeighted", crossEntropy({ classWeights })],
    ["crossEntropySmooth", crossEntropy({ labelSmoothing: 0.1 })],
    ["crossEntropyBoth", crossEntropy({ labelSmoothing: 0.2, classWeights })],
    ["categoricalCrossEntropy", categoricalCrossEntropy()],
    ["categoricalSequences", categoricalCrossEntropy()],
    ["categoricalBoth", categoricalCrossEntropy({ labelSmoothing: 0.2, classWeights })],
    ["binaryCrossEntropy", binaryCrossEntropy()],
    ["binaryWeighted", binaryCrossEntropy({ positiveWeight: 3 })],
    ["meanSquaredError", meanSquaredError()],
    ["meanAbsoluteError", meanAbsoluteError()],
    ["huber", huber()],
    ["huberDelta", huber({ delta: 0.5 })],
    ["klDivergence", klDivergence()],
  ];
  test.each(cases)("%s", async (name, loss) => {
    const { output, target, value, gradient } = recorded(name);
    const step = jit((x: Value, t: Value) => valueAndGrad((y: Value) => loss(y, t))(x));
    const [found, slope] = await step(output, target);
    expectClose(found, tensor(value), "value");
    expectClose(slope, gradient, "gradient");
  });
});

test.each([
  ["plain", {}],
  ["smoothed", { labelSmoothing: 0.2 }],
  ["weighted and smoothed", { labelSmoothing: 0.2, classWeights: [0.5, 2, 1, 3] }],
])("crossEntropy, %s: ignored rows count no more than rows that are not there", async (_, options) => {
  const logits = tensor([
    [1, 2, -1, 0.5],
    [9, 9, -9, 9],
    [0, -1, 0.3, 2],
    [-7, 7, 0, 1],
  ]);
  const lossWith = (ignoreIndex?: number) =>
    jit((x: Value, t: Value) =>
      valueAndGrad((y: Value) => crossEntropy({ ...options, ...(ignoreIndex !== undefined && { ignoreIndex }) })(y, t))(
        x,
      ),
    );
  const labels = (values: readonly number[]) => tensor([...values], { dtype: "int32" });
  const [value, slope] = await lossWith(-100)(logits, labels([3, -100, 2, -100]));
  const kept = tensor([logits.toNumbers().slice(0, 4), logits.toNumbers().slice(8, 12)]);
  const [expected, expectedSlope] = await lossWith()(kept, labels([3, 2]));
  expectClose(value, expected, "value");
  const none = [0, 0, 0, 0];
  const rows = expectedSlope.toNumbers();
  expectClose(slope, tensor([rows.slice(0, 4), none, rows.slice(4), none]), "gradient");
  const [nothing] = await lossWith(1)(logits, labels([1, 1, 1, 1]));
  expect(nothing.item()).toBeCloseTo(0, 12);
});

test("crossEntropy's gradient is softmax - onehot over N, in few passes over [N, C]", () => {
  const [x, t] = [input("float32", [64, 10]), input("int32", [64])];
  const [value, slope] = valueAndGrad((y: Value) => crossEntropy()(y, t))(x);
  const { nodes } = optimize(graphOf([x, t], [value, slope]));
  const large = nodes.filter(({ op, outputs: [y] }) => op.type !== "Constant" && y.shape.join() === "64,10");
  expect(large.map(({ op }) => op.type)).toEqual(["LogSoftmax", "ScatterElements", "Exp", "Mul", "Sub"]);
});

test("large logits neither overflow nor lose their gradient", async () => {
  const step = jit((x: Value, t: Value) => valueAndGrad((y: Value) => crossEntropy()(y, t))(x));
  const [value, slope] = await step(tensor([[1000, -1000]]), tensor([1], { dtype: "int32" }));
  expect(value.item()).toBe(2000);
  expect(slope.toArray()).toEqual([[1, -1]]);
});

test("integer labels of any width, and a column of them, are taken", async () => {
  const run = jit((x: Value, t: Value) => crossEntropy()(x, t));
  const logits = tensor([
    [0, Math.log(3)],
    [0, 0],
  ]);
  const expected = (-Math.log(0.75) - Math.log(0.5)) / 2;
  for (const dtype of ["int32", "int64", "uint8"] as const)
    for (const shape of [[2], [2, 1]])
      expect((await run(logits, tensor([1, 0], { dtype, shape }))).item()).toBeCloseTo(expected, 6);
});

test("targets [N] fit an output [N, 1]; nothing is broadcast", async () => {
  const run = jit((x: Value, t: Value) => meanSquaredError()(x, t));
  expect((await run(tensor([[1], [2]]), tensor([3, 5]))).item()).toBe((4 + 9) / 2);
  const bits = jit((x: Value, t: Value) => binaryCrossEntropy()(x, t));
  expect((await bits(tensor([[0], [0]]), tensor([0, 1], { dtype: "int32" }))).item()).toBeCloseTo(Math.LN2, 6);
});

describe("mistakes are reported while tracing", () => {
  const floats = (...shape: number[]) => input("float32", shape);
  const integers = (...shape: number[]) => input("int32", shape);
  const refused: readonly (readonly [string, () => unknown, typeof ShapeError | typeof DTypeError, RegExp])[] = [
    [
      "float labels",
      () => crossEntropy()(floats(2, 3), floats(2)),
      DTypeError,
      /targets are float32, expected integer/,
    ],
    ["labels of another batch", () => crossEntropy()(floats(2, 3), integers(3)), ShapeError, /needs labels \[2\]/],
    ["no class axis", () => crossEntropy()(floats(2), integers(2)), ShapeError, /has no class axis/],
    ["integer logits", () => crossEntropy()(integers(2, 3), integers(2)), DTypeError, /output is int32/],
    [
      "too few weights",
      () => crossEntropy({ classWeights: [1, 2] })(floats(2, 3), integers(2)),
      ShapeError,
      /there are 2 classWeights, output \[2, 3\] has 3 classes; pass one weight a class/,
    ],
    [
      "labels for probabilities",
      () => categoricalCrossEntropy()(floats(2, 3), integers(2)),
      ShapeError,
      /use crossEntropy\(\) for integer labels/,
    ],
    ["a row for a column", () => meanSquaredError()(floats(2, 1), floats(1, 2)), ShapeError, /make the shapes equal/],
    ["a scalar", () => huber()(floats(2, 1), floats()), ShapeError, /targets are \[\], output is \[2, 1\]/],
  ];
  test.each(refused)("%s", (_, trace, kind, message) => {
    expect(trace).toThrow(kind);
    expect(trace).toThrow(message);
  });
  test("options out of range", () => {
    for (const make of [
      () => crossEntropy({ labelSmoothing: 1.5 }),
      () => crossEntropy({ classWeights: [1, -1] }),
      () => categoricalCrossEntropy({ labelSmoothing: Number.NaN }),
      () => binaryCrossEntropy({ positiveWeight: 0 }),
      () => huber({ delta: -1 }),
    ])
      expect(make).toThrow(OptionError);
  });
});

test("losses by name", () => {
  for (const name of Object.keys(losses) as LossName[]) expect(lossOf(name)).toBeTypeOf("function");
  expect(() => lossOf("crossEntrpy" as LossName)).toThrow('did you mean "crossEntropy"?');
  expect(() => lossOf("valueOf" as LossName)).toThrow(OptionError);
});

describe("what is fed is checked, row by row", () => {
  const run = (loss: Loss, target: Tensor, output = tensor([0.5, 1])) =>
    jit((y: Value, t: Value) => loss(y, t))(output, target);
  const two = tensor([
    [1, 2],
    [3, 4],
  ]);

  test.each([
    [
      "binaryCrossEntropy",
      binaryCrossEntropy(),
      tensor([1, -1]),
      undefined,
      "row 1 is -1, expected a number from 0 to 1",
    ],
    [
      "binaryCrossEntropy",
      binaryCrossEntropy(),
      tensor([0, 2], { dtype: "int32" }),
      undefined,
      "row 1 is 2, expected a number from 0 to 1",
    ],
    [
      "categoricalCrossEntropy",
      categoricalCrossEntropy(),
      tensor([
        [0, 1],
        [Number.NaN, 1],
      ]),
      two,
      "row 1, place 0 is NaN",
    ],
    [
      "klDivergence",
      klDivergence(),
      tensor([
        [0, 1],
        [1.5, 1],
      ]),
      two,
      "row 1, place 0 is 1.5",
    ],
  ])("%s refuses what is no probability", async (_, loss, target, output, message) => {
    await expect(run(loss, target, output)).rejects.toThrow(message);
  });

  test("half floats are read as numbers", async () => {
    const half = (...values: number[]) => tensor(values, { dtype: "float16" });
    expect((await run(binaryCrossEntropy(), half(0, 1))).item()).toBeGreaterThan(0);
    await expect(run(binaryCrossEntropy(), half(0, 2))).rejects.toThrow("row 1 is 2");
  });
});
