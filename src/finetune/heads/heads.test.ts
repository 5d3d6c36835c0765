/** New heads on layers of models and on values of files' graphs. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { classifier } from "../../formats/testing/onnx-files.ts";
import { bertArchitectures } from "../../models/index.ts";
import { crossEntropy, dense, type Module } from "../../nn/index.ts";
import { activations, adam, fit, predict } from "../../train/index.ts";
import { layerGroups } from "../freezing/layer-groups.ts";
import { apart, ids, smallLlama } from "../testing/models.ts";
import { upTo } from "./up-to.ts";
import { withHead } from "./with-head.ts";

const random = new Random(keyOf(1));
const numbers = (...shape: number[]) =>
  new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

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
