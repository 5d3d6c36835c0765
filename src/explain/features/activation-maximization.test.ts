/** Inputs that units respond to: the corner of a range for linear scores, the filter of a channel, keys, and what is refused. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import { conv2d, dense, flatten, lambda, sequential } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { predict } from "../../train/predict.ts";
import { messageOf } from "../testing/recorded.ts";
import { activationMaximization } from "./activation-maximization.ts";

/** Scores w·x of classes, rows of weights. */
const linear = (weights: readonly (readonly number[])[]) =>
  lambda((x: Value) => ops.matmul(x, ops.transpose(ops.constant(tensor(weights as number[][])), [1, 0])));

/** A layer of two filters, one of vertical edges, and a head. */
function edges() {
  const model = sequential([conv2d(2, 3, { activation: "relu" }), flatten(), dense(2)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 10, 10] });
  const filters = [-1, 0, 1, -1, 0, 1, -1, 0, 1, 1, 1, 1, 0, 0, 0, -1, -1, -1];
  for (const [path, parameter] of model.parameters())
    if (path === "layers.0.weight") parameter.value = tensor(filters).reshape([2, 1, 3, 3]);
  return model;
}

describe("activationMaximization", () => {
  test("finds the corner of the range that a linear score is largest at", async () => {
    const model = linear([
      [1, 1, 1],
      [2, -0.5, 3],
    ]);
    const found = await activationMaximization(model, {
      shape: [1, 3],
      response: { unit: 1 },
      range: [-1, 2],
      ascent: { steps: 400 },
      regularization: { decay: 0 },
    });
    expect(found.values.toNumbers()).toEqual([2, -1, 2]);
    expect(found.response).toBeCloseTo(4 + 0.5 + 6, 5);
    expect(found.notes).toEqual([]);
  });

  test("of a squared distance stays near its middle, by steps of one length", async () => {
    const model = lambda((x: Value) => ops.neg(ops.reduceSum(ops.square(ops.sub(x, 0.7)), [1], { keepDims: true })));
    const { values, response } = await activationMaximization(model, {
      shape: [1, 4],
      response: { unit: 0 },
      ascent: { stepSize: 0.01, steps: 300 },
      regularization: { decay: 0 },
    });
    for (const own of values.toNumbers()) expect(Math.abs(own - 0.7)).toBeLessThan(0.05);
    expect(response).toBeGreaterThan(-0.01);
  });

  test.each(["module", "file"])(
    "finds an image that a channel responds to more than to any noise, of a %s",
    async (form) => {
      const model = form === "file" ? modelFromOnnx(encodeOnnx(edges()).bytes) : edges();
      const options = {
        shape: [1, 1, 10, 10],
        response: { layer: "layers.0", unit: 0 },
        ascent: { steps: 60 },
      } as const;
      const found = await activationMaximization(model, options);
      // Held against noise of the same level.
      const level = Math.hypot(...found.values.toNumbers()) / 10;
      const first = sequential([conv2d(2, 3, { activation: "relu" })]);
      first.trace({ dtype: "float32", shape: [1, 1, 10, 10] });
      for (const [path, parameter] of edges().parameters()) {
        const own = first.parameters().get(path);
        if (own) own.value = parameter.value;
      }
      for (let i = 0; i < 20; i++) {
        const noise = new Tensor(
          "float32",
          [1, 1, 10, 10],
          new Random(keyOf(i)).normals(100).map((z) => level * z),
        );
        const responses = (await predict(first, noise)).toNumbers().slice(0, 64);
        expect(found.response).toBeGreaterThan(responses.reduce((sum, own) => sum + own / 64, 0));
      }
      expect(found.response).toBeGreaterThan(found.start);
      const again = await activationMaximization(model, options);
      expect(again.values.data).toEqual(found.values.data);
      const other = await activationMaximization(model, { ...options, key: keyOf(5) });
      expect(other.values.data).not.toEqual(found.values.data);
    },
  );

  test("says that a unit is silent, and blurs and shifts images alone", async () => {
    const dead = lambda((x: Value) => ops.relu(ops.sub(ops.reduceSum(x, [1], { keepDims: true }), 100)));
    const { notes } = await activationMaximization(dead, {
      shape: [1, 2],
      response: { unit: 0 },
      ascent: { steps: 3 },
    });
    expect(notes[0]).toMatch(/^the response did not rise above 0\.00: the unit may be silent near noise/);
    const bad = (options: object) =>
      messageOf(
        activationMaximization(edges(), {
          shape: [1, 1, 10, 10],
          response: { unit: 0 },
          ascent: { steps: 1 },
          ...options,
        }),
      );
    expect(await bad({ response: { layer: "layers.9", unit: 0 } })).toMatch(
      /there is no such layer "layers\.9"; did you mean "layers\.0"\?/,
    );
    expect(await bad({ response: { unit: 2 } })).toMatch(/there is no unit 2 in float32\[1, 2\]; pass 0 to 1/);
    expect(await bad({ response: { unit: -1 } })).toMatch(/unit is -1; pass a whole number from 0/);
    expect(await bad({ shape: [2, 1, 10, 10] })).toMatch(/shape is \[2,1,10,10\]; pass that of one sample/);
    expect(await bad({ range: [1, 1] })).toMatch(/range is \[1,1\]; pass \[low, high\]/);
    const flat = activationMaximization(linear([[1, 2]]), {
      shape: [1, 2],
      response: { unit: 0 },
      regularization: { jitter: 1 },
    });
    expect(await messageOf(flat)).toMatch(/an input \[1,2\] is no image, which alone is shifted and blurred/);
    const map = sequential([conv2d(2, 3)]);
    map.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 5, 5] });
    expect(await messageOf(activationMaximization(map, { shape: [1, 1, 5, 5], response: { unit: 0 } }))).toMatch(
      /is no scores, float32\[1, classes\]; name a layer/,
    );
  });
});
