/** New heads on layers of models and on values of files' graphs. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { classifier } from "../../formats/testing/onnx-files.ts";
import { modelFromTfjs } from "../../formats/tfjs/model.ts";
import { bertArchitectures } from "../../models/index.ts";
import {
  type AnyModule,
  activation,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  type Module,
  sequential,
} from "../../nn/index.ts";
import { activations, adam, fit, predict } from "../../train/index.ts";
import { layerGroups } from "../freezing/layer-groups.ts";
import { apart, ids, smallGpt2, smallLlama } from "../testing/models.ts";
import { featureLayer } from "./feature-layer.ts";
import { stateLayer } from "./state-layer.ts";
import { textVectors } from "./text-vectors.ts";
import { upTo } from "./up-to.ts";
import { withHead } from "./with-head.ts";

const random = new Random(keyOf(1));
const numbers = (...shape: number[]) =>
  new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

const ones = (length: number, rows = 2) => new Tensor("int32", [rows, length], new Int32Array(rows * length).fill(1));

describe("up to a layer", () => {
  test("gives what the layer gives, and computes nothing behind it", async () => {
    const model = smallLlama();
    const known = (await activations(model, ids, ["model.layers.0"]))["model.layers.0"];
    const cut = upTo(model, "model.layers.0");
    expect((await predict(cut, ids)).toNumbers()).toEqual(known?.toNumbers());
    const trained = [...cut.parameters()].flatMap(([path, own]) => (own.trainable ? [path] : []));
    expect(trained.every((path) => path.startsWith("base.model.layers.0.") || path.includes("embed"))).toBe(true);
    expect(
      layerGroups(cut)
        .flatMap(({ paths }) => paths)
        .sort(),
    ).toEqual(trained.sort());
    expect(() => upTo(model, "model.layer.0")).toThrow('did you mean "model.layers.0"?');
  });

  test("takes images that only what comes after refuses", async () => {
    const model = sequential([conv2d(2, 3), flatten(), dense(2)]);
    model.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 6, 6] });
    const image = numbers(1, 1, 8, 8);
    await expect(predict(model, image)).rejects.toThrow("layers.2");
    const cut = upTo(model, "layers.0");
    expect((await predict(cut, image)).shape).toEqual([1, 2, 6, 6]);
    // What comes before is needed.
    await expect(predict(cut, numbers(1, 1, 2, 2))).rejects.toThrow("layers.0");
  });

  test("of a graph of a file, by the names of its nodes", async () => {
    const model = classifier();
    const image = numbers(2, 1, 6, 6);
    model.trace({ image: { dtype: "float32", shape: [2, 1, 6, 6] } });
    expect(() => upTo(model, "nothing")).toThrow(/unknown layer "nothing"/);
    const whole = (await predict(model, { image })) as Tensor;
    const head = withHead(model, dense(2), { pooling: "none" });
    head.trace({ image: { dtype: "float32", shape: [2, 1, 6, 6] } });
    head.initialize(keyOf(1));
    expect(whole.shape).toEqual([2, 3]);
    expect(((await predict(head, { image } as never)) as Tensor).shape).toEqual([2, 2]);
  });
});

test("the last hidden states come before what a head computes", () => {
  const sizes = { layers: 2, width: 8, heads: 2, feedForward: 8, vocabulary: 20, positions: 8 };
  const layerOf = (model: AnyModule) => {
    model.trace({ dtype: "int32", shape: [2, 4] });
    return [featureLayer(model), stateLayer(model)];
  };
  const { BertForMaskedLM, BertModel } = bertArchitectures;
  expect(layerOf(BertForMaskedLM({ sizes }))).toEqual(["cls.predictions.transform", "bert"]);
  expect(layerOf(BertModel({ sizes }))).toEqual([undefined, undefined]);
  expect(layerOf(smallLlama() as AnyModule)).toEqual(["model", "model"]);
  expect(layerOf(smallGpt2() as AnyModule)).toEqual(["transformer", "transformer"]);
});

describe("vectors of texts", () => {
  test("have length 1, and leave out what fills rows up, where attention is causal without a mask", async () => {
    for (const base of [smallLlama(), smallGpt2()]) {
      const model = textVectors(base as AnyModule);
      const mask = tensor(
        [
          [1, 1, 1, 1, 0, 0],
          [1, 1, 1, 1, 1, 1],
        ],
        { dtype: "int32" },
      );
      const [padded, whole] = [await predict(model, { x: ids, mask }), await predict(model, { x: ids, mask: ones(6) })];
      const alone = await predict(model, {
        x: tensor([ids.toNumbers().slice(0, 4)], { dtype: "int32" }),
        mask: ones(4, 1),
      });
      const width = padded.shape[1] ?? 0;
      const first = padded.toNumbers().slice(0, width);
      expect(Math.hypot(...first)).toBeCloseTo(1, 5);
      expect(apart(first, alone.toNumbers())).toBeLessThan(1e-5);
      expect(apart(first, whole.toNumbers().slice(0, width))).toBeGreaterThan(1e-3);
    }
  });

  test("of a model of something else are refused", () => {
    const base = dense(3);
    base.trace({ dtype: "float32", shape: [1, 2, 2, 4] });
    expect(() => textVectors(base as AnyModule, { pooling: "mean" })).toThrow(
      /gives \[1, 2, 2, 3\], expected states of tokens/,
    );
  });

  test("leave what they do not depend on as it is: the pooler is frozen", () => {
    const sizes = { layers: 1, width: 8, heads: 2, feedForward: 8, vocabulary: 20, positions: 8 };
    const base = bertArchitectures.BertModel({ sizes });
    const type = { dtype: "int32", shape: [1, 4] } as const;
    base.trace({ x: type, mask: type });
    const model = textVectors(base as unknown as AnyModule);
    const frozen = [...model.parameters()].flatMap(([path, parameter]) => (parameter.frozen ? [path] : []));
    expect(frozen).toEqual(["base.pooler.dense.weight", "base.pooler.dense.bias"]);
  });
});

describe("pooling", () => {
  const encoder = () => {
    const sizes = { layers: 1, width: 8, heads: 2, feedForward: 8, vocabulary: 20, positions: 8 };
    const model = bertArchitectures.BertModel({ sizes });
    model.initialize(keyOf(2), { x: { dtype: "int32", shape: [2, 4] }, mask: { dtype: "int32", shape: [2, 4] } });
    return model as unknown as Module<{ x: never; mask: never }, unknown>;
  };
  const x = tensor(
    [
      [3, 4, 5, 6],
      [7, 8, 0, 0],
    ],
    { dtype: "int32" },
  );
  const mask = tensor(
    [
      [1, 1, 1, 1],
      [1, 1, 0, 0],
    ],
    { dtype: "int32" },
  );
  const short = { x: tensor([[7, 8]], { dtype: "int32" }), mask: tensor([[1, 1]], { dtype: "int32" }) };

  test.each(["mean", "first", "last", "max"] as const)("by %s leaves out what the mask leaves out", async (pooling) => {
    const model = withHead(encoder(), dense(3), { pooling, at: "encoder" });
    model.trace({ x, mask } as never);
    model.initialize(keyOf(3));
    const scores = (await predict(model as unknown as Module, { x, mask } as never)).toNumbers();
    const alone = (await predict(model as unknown as Module, short as never)).toNumbers();
    expect(apart(scores.slice(3), alone)).toBeLessThan(1e-5);
  });
});

test("channels of images lie last in Keras models", async () => {
  const config = {
    name: "small",
    layers: [
      {
        class_name: "Activation",
        name: "features",
        config: { name: "features", activation: "linear", batch_input_shape: [null, 2, 3, 5] },
      },
    ],
  };
  const model = modelFromTfjs({
    modelTopology: { model_config: { class_name: "Sequential", config } },
    weightsManifest: [],
  });
  const image = numbers(2, 2, 3, 5);
  const meanOf = (row: number, channel: number) =>
    [0, 1, 2, 3, 4, 5].reduce((sum, place) => sum + (image.toNumbers()[(row * 6 + place) * 5 + channel] ?? 0), 0) / 6;
  const identity = activation((x) => x);
  for (const base of [model, upTo(model, "features")]) {
    const pooled = (await predict(withHead(base as unknown as Module, identity), image)) as Tensor;
    expect(pooled.shape).toEqual([2, 5]);
    expect(pooled.toNumbers()[7]).toBeCloseTo(meanOf(1, 2), 5);
    const first = withHead(base as unknown as Module, identity, { channels: "first" });
    expect((await predict(first, image)).shape).toEqual([2, 2]);
  }
});

test("a head alone is trained on a frozen base", async () => {
  const model = withHead(smallLlama(), dense(2), { at: "model" });
  model.freeze("base");
  const y = tensor([0, 1], { dtype: "int32" });
  const { history } = await fit(model, fromTensors({ x: ids, y }).batch(2), {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: 0.05 }),
    epochs: 20,
  });
  expect(history.at(-1)?.loss).toBeLessThan(0.2 * (history[0]?.loss ?? 0));
  expect([...model.parameters()].flatMap(([path, own]) => (own.trainable ? [path] : []))).toEqual([
    "head.weight",
    "head.bias",
  ]);
});
