/** Influence of training samples: by hand on a linear model, one sample at a time and together, over checkpoints; what is refused. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import {
  conv2d,
  crossEntropy,
  dense,
  flatten,
  lambda,
  maxPool2d,
  meanSquaredError,
  sequential,
} from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { messageOf } from "../testing/recorded.ts";
import { tracIn } from "./trac-in.ts";

/** ŷ = 2 x1 - x2 + 1 */
function linear() {
  const model = dense(1);
  model.trace({ dtype: "float32", shape: [1, 2] });
  for (const [name, parameter] of model.own) parameter.value = name === "bias" ? tensor([1]) : tensor([[2, -1]]);
  return model;
}
const train = {
  x: tensor([
    [1, 0],
    [0, 1],
    [1, 1],
  ]),
  y: tensor([[1], [0], [4]]),
};
// Errors ŷ - y: 3 - 1 = 2, 0 - 0 = 0, 2 - 4 = -2. Of the test sample (2, 1), ŷ = 4, y = 3: 1.
const other = { x: tensor([[2, 1]]), y: tensor([[3]]) };
// ∇ℓ = 2 e (x, 1): products 4 e e' (x·x' + 1): 4·2·1·3, 0, 4·(-2)·1·4
const byHand = [24, 0, -32];

const close = (found: readonly number[], wanted: readonly number[]) => {
  expect(found).toHaveLength(wanted.length);
  for (const [i, own] of found.entries()) expect(own).toBeCloseTo(wanted[i] ?? Number.NaN, 3);
};

describe("tracIn", () => {
  test("has the products of gradients of a linear model by hand, in any chunks", async () => {
    for (const chunk of [1, 2, 16]) {
      const { influences, order, parameters } = await tracIn(
        linear(),
        { train, test: other },
        { loss: meanSquaredError(), chunk },
      );
      close(influences, byHand);
      expect(order).toEqual([0, 1, 2]);
      expect([...parameters].sort()).toEqual(["bias", "weight"]);
    }
  });

  test("says what a step on a sample does to the loss of another, to the first order", async () => {
    const model = sequential([dense(4, { activation: "tanh" }), dense(3)]);
    model.initialize(keyOf(1), { dtype: "float32", shape: [1, 2] });
    const of = (label: number) => ({ x: tensor([[0.5, -1]]), y: tensor([label], { dtype: "int32" }) });
    const data = { train: of(1), test: of(1) };
    const { influences } = await tracIn(model, data, { loss: crossEntropy(), parameters: "all" });
    expect(influences[0]).toBeGreaterThan(0); // a squared norm
    const against = await tracIn(model, { train: of(1), test: of(2) }, { loss: crossEntropy(), parameters: "all" });
    expect(against.influences[0]).toBeLessThan(influences[0] as number);
  });

  test.each(["module", "file"])("is the same together and one at a time, of a convolutional %s", async (form) => {
    const network = sequential([
      conv2d(3, 3, { activation: "relu" }),
      maxPool2d(2),
      conv2d(4, 2, { activation: "tanh" }),
      flatten(),
      dense(3),
    ]);
    network.initialize(keyOf(2), { dtype: "float32", shape: [1, 1, 8, 8] });
    const model = (form === "file" ? modelFromOnnx(encodeOnnx(network).bytes) : network) as typeof network;
    const images = (count: number, key: number) =>
      new Tensor("float32", [count, 1, 8, 8], new Random(keyOf(key)).normals(64 * count));
    const data = {
      train: { x: images(5, 1), y: tensor([0, 1, 2, 1, 0], { dtype: "int32" }) },
      test: { x: images(2, 2), y: tensor([1, 2], { dtype: "int32" }) },
    };
    for (const parameters of ["last", "all"] as const) {
      const options = { loss: crossEntropy(), parameters };
      const together = await tracIn(model, data, { ...options, chunk: 3 });
      const alone = await tracIn(model, data, { ...options, chunk: 1 });
      close(together.influences, alone.influences);
      expect(together.parameters).toHaveLength(parameters === "last" ? 2 : 6);
    }
  });

  test("sums over checkpoints by their learning rates, and gives the parameters back", async () => {
    const model = linear();
    const before = [...model.own.values()].map(({ value }) => value);
    const zeros = { weight: tensor([[0, 0]]), bias: tensor([0]) };
    const now = { weight: tensor([[2, -1]]), bias: tensor([1]) };
    // With zeros: errors -1, 0, -4 and -3: 4·(-1)(-3)·3, 0, 4·(-4)(-3)·4
    const checkpoints = [
      { parameters: zeros, learningRate: 0.5 },
      { parameters: now, learningRate: 0.1 },
    ];
    const { influences, notes } = await tracIn(
      model,
      { train, test: other },
      { loss: meanSquaredError(), checkpoints },
    );
    close(influences, [0.5 * 36 + 2.4, 0, 0.5 * 192 - 3.2]);
    expect(notes).toEqual([]);
    expect([...model.own.values()].map(({ value }) => value)).toEqual(before);
    const bad = tracIn(model, { train, test: other }, { loss: meanSquaredError(), checkpoints: [{ parameters: {} }] });
    expect(await messageOf(bad)).toMatch(/^FileError: /);
    expect([...model.own.values()].map(({ value }) => value)).toEqual(before);
  });

  test("takes a loss of one number one sample at a time, and notes what a fitted sample cannot show", async () => {
    const loss = (output: Value, target: Value) => ops.reduceMean(ops.square(ops.sub(output, target)));
    close((await tracIn(linear(), { train, test: other }, { loss })).influences, byHand);
    const fitted = { x: tensor([[0, 0]]), y: tensor([[1]]) };
    const { notes } = await tracIn(linear(), { train, test: fitted }, { loss });
    expect(notes.map((note) => note.split(":")[0])).toEqual([
      "the model as it is now stands for its whole training",
      "all influences are 0",
    ]);
  });

  test("refuses data without labels, and a model without parameters", async () => {
    const loss = meanSquaredError();
    const bad = (data: object, options: object = {}) =>
      messageOf(tracIn(linear(), { train, test: other, ...data } as never, { loss, ...options }));
    expect(await bad({ train: { x: train.x } })).toMatch(/training samples are no \{ x, y \} of tensors/);
    expect(await bad({ test: { x: train.x, y: other.y } })).toBe(
      "ShapeError: tracIn: of test samples, x is [3, 2] and y [1, 1]; pass as many labels as samples, at least 1",
    );
    expect(await bad({}, { parameters: "first" })).toMatch(/parameters is "first"; pass "last" or "all"/);
    expect(await bad({}, { loss: 3 })).toMatch(/loss is 3; pass a loss/);
    const none = lambda((x: Value) => x);
    expect(await messageOf(tracIn(none, { train, test: other }, { loss }))).toMatch(/the model has no parameters/);
  });
});
