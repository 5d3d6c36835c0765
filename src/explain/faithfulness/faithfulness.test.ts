/** Whether explanations are worth believing: curves by hand, ranks, and maps that do or do not depend on the model. */
import { describe, expect, test } from "vitest";
import { foldIn, keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, conv2d, dense, flatten, lambda, Module, onesInit, sequential } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import type { Attribution } from "../attribution.ts";
import { guidedBackpropagation } from "../gradients/guided-backpropagation.ts";
import { integratedGradients } from "../gradients/integrated-gradients.ts";
import { inputTimesGradient, saliency } from "../gradients/saliency.ts";
import { deletionAndInsertion } from "./curves.ts";
import { rankCorrelation } from "./rank-correlation.ts";
import { sanityCheck } from "./sanity-check.ts";

function linear(weights: readonly number[]) {
  const model = dense(1, { bias: false });
  model.trace({ dtype: "float32", shape: [1, weights.length] });
  for (const parameter of model.own.values()) parameter.value = tensor([weights]);
  return model;
}

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** A map that is made by hand. */
const mapOf = (values: Tensor<"float32">): Attribution => ({
  method: "by hand",
  values,
  target: 0,
  score: 0,
  notes: [],
});

test("ranks are correlated as Spearman has it, with mean ranks of equal values", () => {
  expect(rankCorrelation([1, 2, 3], [10, 100, 1000])).toBeCloseTo(1, 12);
  expect(rankCorrelation([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1, 12);
  // scipy.stats.spearmanr([1, 2, 2, 4], [1, 3, 2, 4]) = 0.9486832980505139
  expect(rankCorrelation([1, 2, 2, 4], [1, 3, 2, 4])).toBeCloseTo(0.9486832980505139, 12);
  expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBe(0);
});

describe("deletionAndInsertion", () => {
  const [model, x] = [linear([1, 3]), tensor([[1, 1]])];

  test("has the areas of a linear model by hand", async () => {
    const map = await inputTimesGradient(model, x);
    const { deletion, insertion, random, notes } = await deletionAndInsertion(model, x, map);
    expect(deletion).toEqual({ shares: [0, 0.5, 1], scores: [4, 1, 0], area: 1.5 });
    expect(insertion).toEqual({ shares: [0, 0.5, 1], scores: [0, 3, 4], area: 2.5 });
    expect(random.deletion).toBeGreaterThan(1.5);
    expect(random.insertion).toBeLessThan(2.5);
    expect(notes).toEqual([]);
  });

  test("notes an order that is no better than chance", async () => {
    const { deletion, notes } = await deletionAndInsertion(model, x, mapOf(tensor([[3, 1]]) as Tensor<"float32">));
    expect(deletion.area).toBe(2.5); // 4, 3, 0
    expect(notes.map((note) => note.split(" than")[0])).toEqual([
      "the score falls no faster in this order",
      "the score rises no faster in this order",
    ]);
  });

  test("takes pixels with all channels, by maps of one channel or of all", async () => {
    const flat = sequential([flatten(), linear([1, 2, 10, 20])]);
    const image = tensor([[[[1, 1]], [[1, 1]]]]);
    for (const values of [tensor([[[[0, 1]]]]), tensor([[[[5, 2]], [[0, 4]]]])]) {
      const { deletion } = await deletionAndInsertion(flat, image, mapOf(values as Tensor<"float32">), { steps: 50 });
      expect(deletion.scores).toEqual([33, 11, 0]);
    }
  });

  test("refuses the attribution of another input, and asks for a function again", async () => {
    const map = mapOf(tensor([[1, 2, 3]]) as Tensor<"float32">);
    expect(await messageOf(deletionAndInsertion(model, x, map))).toBe(
      "ShapeError: the attribution is [1, 3], the input [1, 2]; pass the attribution of this input",
    );
    const own = await saliency(model, x, { target: (score: Value) => ops.neg(score) });
    expect(await messageOf(deletionAndInsertion(model, x, own))).toBe(
      "OptionError: deletionAndInsertion: the attribution is of a function; pass it again: { target: … }",
    );
    const again = await deletionAndInsertion(model, x, own, { target: (score: Value) => ops.neg(score) });
    expect(again.deletion.scores[0]).toBe(-4);
  });
});

describe("sanityCheck", () => {
  const image = new Tensor("float32", [1, 1, 8, 8], new Random(keyOf(4)).normals(64));
  function network() {
    const model = sequential([
      conv2d(8, 3, { activation: "tanh" }),
      flatten(),
      dense(16, { activation: "tanh" }),
      dense(3),
    ]);
    model.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 8, 8] });
    return model;
  }

  test.each(["module", "file"])(
    "passes saliency of a %s, from the output on, and gives the parameters back",
    async (form) => {
      const model = form === "file" ? modelFromOnnx(encodeOnnx(network()).bytes) : network();
      const before = new Map([...model.parameters()].map(([path, { value }]) => [path, value]));
      const check = await sanityCheck(model, image, () => saliency(model, image, { target: 1 }));
      expect(check.layers.map(({ path }) => path)).toEqual(["layers.3", "layers.2", "layers.0"]);
      expect(check.layers[2]?.absolute).toBe(check.layers[2]?.signed);
      expect(Math.abs(check.layers[2]?.absolute ?? 1)).toBeLessThan(0.4);
      expect([check.passes, check.notes]).toEqual([true, []]);
      for (const [path, { value }] of model.parameters()) expect(value).toBe(before.get(path));
      const again = await sanityCheck(model, image, () => saliency(model, image, { target: 1 }));
      expect(again).toEqual(check);
    },
  );

  test("says so of a map that shows the input whatever the model is", async () => {
    const model = network();
    const edges = async () => mapOf(new Tensor("float32", image.shape, image.data.map(Math.abs)));
    const check = await sanityCheck(model, image, edges);
    expect(check.layers.map(({ absolute }) => Math.round(100 * absolute) / 100)).toEqual([1, 1, 1]);
    expect(check.passes).toBe(false);
    expect(check.notes[0]).toMatch(
      /^by hand hardly changes when all layers are random: the rank correlation of its signed values is 1\.00/,
    );
  });

  test("tells guided backpropagation, which is sharper, from saliency by how much of it stays", async () => {
    const model = sequential([
      conv2d(8, 3, { activation: "relu" }),
      conv2d(8, 3, { activation: "relu" }),
      flatten(),
      dense(3),
    ]);
    model.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 8, 8] });
    const [guided, plain] = [
      await sanityCheck(model, image, () => guidedBackpropagation(model, image, { target: 1 })),
      await sanityCheck(model, image, () => saliency(model, image, { target: 1, absolute: false })),
    ];
    // The head alone is random.
    expect(Math.abs(guided.layers[0]?.signed ?? 0)).toBeGreaterThan(Math.abs(plain.layers[0]?.signed ?? 1));
  });

  test("notes that products with the input keep their absolute values", async () => {
    // Elements of very different sizes: whatever the gradient is, the large ones have the large products.
    const row = tensor([Array.from({ length: 40 }, (_, i) => 1.5 ** (i / 2) * (i % 2 === 0 ? 1 : -1))]);
    const model = dense(2);
    model.initialize(keyOf(1), { dtype: "float32", shape: [1, 40] });
    const check = await sanityCheck(model, row, () => inputTimesGradient(model, row, { target: 0 }));
    expect(check.layers[0]?.absolute).toBeGreaterThan(0.5);
    expect(Math.abs(check.layers[0]?.signed ?? 1)).toBeLessThan(0.5);
    expect(check.notes).toEqual([expect.stringContaining("the rank correlation of its absolute values is")]);
  });

  test("a model without parameters has nothing to be made random", async () => {
    const model = sequential([flatten(), lambda((x: Value) => ops.reduceSum(x, [1], { keepDims: true }))]);
    const check = await sanityCheck(model, image, () => integratedGradients(model, image));
    expect([check.layers, check.passes]).toEqual([[], false]);
    expect(check.notes[0]).toMatch(/^nothing can be made random, since the model has no parameters/);
  });

  test("gives the parameters back after an error, and asks for the class by name", async () => {
    const model = network();
    const before = [...model.parameters().values()].map(({ value }) => value);
    let calls = 0;
    const failing = async () => {
      if (++calls > 2) throw new Error("stopped");
      return saliency(model, image, { target: 1 });
    };
    expect(await messageOf(sanityCheck(model, image, failing))).toBe("Error: stopped");
    let target = 0;
    const changing = () => saliency(model, image, { target: target++ });
    expect(await messageOf(sanityCheck(model, image, changing))).toBe(
      "OptionError: sanityCheck: the class that is explained became 1 as layers became random; name it: { target: 0 }",
    );
    expect([...model.parameters().values()].map(({ value }) => value)).toEqual(before);
  });
});

test("a map that comes from a buffer of what was counted says that the check does not reach it", async () => {
  class Counted extends Module<Value> {
    readonly layer = dense(2);
    protected call(x: Value, context: Context): Value {
      const counts = context.buffer(this, "counts", { shape: [16, 2], initializer: onesInit });
      // A layer that changes nothing of the order.
      return ops.add(ops.matmul(x, counts), ops.mul(this.layer.apply(x, context), 1e-6));
    }
  }
  const model = new Counted();
  const x = tensor([Array.from({ length: 16 }, (_, i) => i)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 16] });
  const { passes, kept, notes } = await sanityCheck(model, x, () => inputTimesGradient(model, x, { target: 0 }));
  expect([passes, kept]).toEqual([false, ["counts"]]);
  expect(notes).toEqual([
    "the map of inputTimesGradient hardly changes when all layers are random, which says nothing here: buffers stay that hold what was counted of the data, counts",
  ]);
});

test("of a few values the mean over several random models is compared, and the model has its own back each time", async () => {
  const model = sequential([dense(8, { activation: "tanh" }), dense(2)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 4] });
  const x = tensor([[1, -2, 0.5, 3]]);
  const explain = () => inputTimesGradient(model, x, { target: 0 });
  const before = (await explain()).values.toNumbers();
  const each = [];
  for (const own of [keyOf(0), foldIn(keyOf(0), "repeat", 1), foldIn(keyOf(0), "repeat", 2)])
    each.push((await sanityCheck(model, x, explain, { key: own })).layers.at(-1)?.signed ?? Number.NaN);
  const { layers } = await sanityCheck(model, x, explain, { repeats: 3 });
  expect(layers.at(-1)?.signed).toBeCloseTo(
    each.reduce((sum, own) => sum + own / 3, 0),
    6,
  );
  expect(layers.map(({ path }) => path)).toEqual(["layers.1", "layers.0"]);
  expect((await explain()).values.toNumbers()).toEqual(before);
});
