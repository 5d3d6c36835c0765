/** What is trained by depth: groups of layers, gradual unfreezing, rates by block, normalization. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import { fileOf, weight } from "../../formats/testing/onnx-files.ts";
import { input } from "../../graph/ir.ts";
import { presetOf } from "../../models/index.ts";
import { type AnyModule, batchNorm, conv2d, crossEntropy, dense, flatten, sequential } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { fit, sgd, Trainer } from "../../train/index.ts";
import { ids, smallLlama } from "../testing/models.ts";
import { discriminativeGroups } from "./discriminative.ts";
import { gradualUnfreezing } from "./gradual-unfreezing.ts";
import { freezeBelow, layerGroups, unfreezeLast } from "./layer-groups.ts";
import { freezeNormalization, normalizationParameters } from "./normalization.ts";

const trainable = (model: AnyModule) => [...model.parameters()].flatMap(([path, own]) => (own.trainable ? [path] : []));
const names = (model: AnyModule) => layerGroups(model).map(({ name }) => name);

describe("groups by depth", () => {
  test("blocks of published architectures, in the order of the data", () => {
    const build = (name: string) => {
      const preset = presetOf(name);
      const model = preset.build();
      model.trace(preset.inputs);
      return model;
    };
    // 16 residual blocks (He et al. 2016, table 1), 17 inverted ones (Sandler et al. 2018, table 2).
    const resnet = names(build("resnet50"));
    expect([resnet.length, resnet[0], resnet[1], resnet.at(-2), resnet.at(-1)]).toEqual([
      18,
      "stem",
      "layer1.0",
      "layer4.2",
      "head",
    ]);
    expect(names(build("mobilenet_v2"))).toHaveLength(19);
    const groups = layerGroups(build("resnet50"));
    expect(groups.at(-1)?.paths).toEqual(["fc.weight", "fc.bias"]);
    expect(groups[0]?.paths[0]).toBe("conv1.weight");
  });

  test("a network without blocks is cut into its layers", () => {
    const model = sequential([conv2d(2, 3), batchNorm(), flatten(), dense(4), dense(2)]);
    model.trace({ dtype: "float32", shape: [2, 1, 4, 4] });
    expect(names(model)).toEqual(["stem", "layers.0", "layers.3", "head"]);
    expect(layerGroups(model).at(-1)?.paths).toEqual(["layers.4.weight", "layers.4.bias"]);
    expect(layerGroups(model)[1]?.paths).toContain("layers.1.running_mean");
  });

  test("blocks that Keras numbers within flat names", () => {
    const x = input("float32", [2, 4], "x");
    const layer = (value: typeof x, name: string) => ops.relu(ops.matmul(value, weight(`${name}/kernel`, [4, 4])));
    let y = layer(x, "stem_dense");
    for (const block of [1, 2, 3]) for (const part of ["expand", "project"]) y = layer(y, `block_${block}_${part}`);
    const model = modelFromOnnx(fileOf([x], [ops.matmul(y, weight("scores/kernel", [4, 2]))]));
    model.trace({ x: { dtype: "float32", shape: [2, 4] } });
    expect(names(model)).toEqual(["stem", "block_1", "block_2", "block_3", "head"]);
    unfreezeLast(model, 1);
    expect(trainable(model)).toEqual(["block_3_expand/kernel", "block_3_project/kernel", "scores/kernel"]);
  });
});

test("freezing below a block, and all but the last", () => {
  const model = smallLlama();
  const above = (from: number) => trainable(model).filter((path) => path.includes(`layers.${from}.`)).length;
  freezeBelow(model, 1);
  expect([above(0), above(1) > 5]).toEqual([0, true]);
  expect(trainable(model)).not.toContain("model.embed_tokens.weight");
  freezeBelow(model, "model.layers.0");
  expect(above(0)).toBeGreaterThan(5);
  unfreezeLast(model, 0);
  expect(trainable(model)).toEqual(["model.norm.weight", "lm_head.weight"]);
  expect(() => freezeBelow(model, 2)).toThrow("there is no block 2; the model has 2, numbered from 0");
  expect(() => freezeBelow(model, "layers.1")).toThrow('did you mean "model.layers.1"?');
  expect(() => unfreezeLast(model, 3)).toThrow("pass a whole number from 0 to 2");
  expect(() => layerGroups(dense(2))).toThrow("trace it first");
});

const y = new Tensor("int32", [2, 6], Int32Array.from(ids.data));
const data = () => fromTensors({ x: ids, y }).batch(2);
const values = (model: AnyModule) =>
  new Map([...model.parameters()].map(([path, own]) => [path, own.value?.toNumbers()]));
const moved = (model: AnyModule, before: ReturnType<typeof values>) =>
  new Set(
    layerGroups(model)
      .filter(({ paths }) => paths.some((path) => `${values(model).get(path)}` !== `${before.get(path)}`))
      .map(({ name }) => name),
  );

describe("gradual unfreezing", () => {
  const options = { loss: crossEntropy(), optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }) };

  test("trains one block more in each epoch, then everything", async () => {
    const model = smallLlama();
    const seen: string[][] = [];
    let before = values(model);
    const watch = {
      name: "watch",
      onEpoch: () => {
        seen.push([...moved(model, before)]);
        before = values(model);
      },
    };
    await fit(model, data(), { ...options, epochs: 4, callbacks: [watch, gradualUnfreezing()] });
    expect(seen).toEqual([
      ["head"],
      ["model.layers.1", "head"],
      ["model.layers.0", "model.layers.1", "head"],
      ["stem", "model.layers.0", "model.layers.1", "head"],
    ]);
  });

  test("goes on alike after a resume, to the bit", async () => {
    const [whole, parted, resumed] = [smallLlama(), smallLlama(), smallLlama()];
    const callbacks = () => [gradualUnfreezing({ first: 1, most: 2 })];
    await fit(whole, data(), { ...options, epochs: 3, callbacks: callbacks() });
    const { progress } = await fit(parted, data(), { ...options, epochs: 1, callbacks: callbacks() });
    await fit(resumed, data(), { ...options, epochs: 3, callbacks: callbacks(), training: { resume: progress } });
    expect(values(resumed)).toEqual(values(whole));
  });
});

test("rates fall by a factor a block", async () => {
  const model = smallLlama();
  const groups = discriminativeGroups(model, { factor: 2, decayFactor: 3 });
  expect(groups.map(({ learningRateScale, weightDecayScale }) => [learningRateScale, weightDecayScale])).toEqual([
    [1 / 8, 1 / 27],
    [1 / 4, 1 / 9],
    [1 / 2, 1 / 3],
    [1, 1],
  ]);
  const [plain, scaled] = [smallLlama(), model];
  const before = values(plain);
  const step = async (own: AnyModule, training: object) => {
    const trainer = new Trainer(own, { loss: crossEntropy(), optimizer: sgd({ learningRate: 0.1 }), training });
    for await (const batch of data().epoch(0)) await trainer.step(batch);
  };
  await step(plain, {});
  await step(scaled, { groups });
  const change = (own: AnyModule, path: string) => (values(own).get(path)?.[0] ?? 0) - (before.get(path)?.[0] ?? 0);
  for (const [path, factor] of [
    ["model.layers.0.mlp.up_proj.weight", 4],
    ["model.layers.1.mlp.up_proj.weight", 2],
    ["lm_head.weight", 1],
  ] as const)
    expect(change(plain, path) / change(scaled, path)).toBeCloseTo(factor, 3);
});

describe("normalization", () => {
  test("running statistics alone, or all of it", () => {
    const model = sequential([conv2d(2, 3), batchNorm(), flatten(), dense(2)]);
    model.trace({ dtype: "float32", shape: [2, 1, 4, 4] });
    model.initialize(keyOf(1));
    expect(freezeNormalization(model, "statistics")).toBe(2);
    expect(trainable(model)).toContain("layers.1.weight");
    expect(freezeNormalization(model)).toBe(4);
    expect(trainable(model)).toEqual(["layers.0.weight", "layers.0.bias", "layers.3.weight", "layers.3.bias"]);
    expect(() => freezeNormalization(dense(2), "all")).toThrow("trace it first");
  });

  test("what a batch normalization was folded into in a file", () => {
    const x = input("float32", [1, 1, 4, 4], "x");
    const channels = (name: string) => weight(name, [1, 3, 1, 1]);
    const folded = ops.add(ops.mul(ops.conv(x, weight("conv", [3, 1, 3, 3])), channels("factor")), channels("shift"));
    const scores = ops.linear(ops.reshape(ops.relu(folded), [1, 12]), weight("head", [2, 12]), weight("bias", [2]));
    const model = modelFromOnnx(fileOf([x], [scores]));
    model.trace({ x: { dtype: "float32", shape: [1, 1, 4, 4] } });
    expect(normalizationParameters(model)).toEqual({ affine: [], statistics: [], folded: ["factor", "shift"] });
    expect(freezeNormalization(model)).toBe(2);
    expect(trainable(model)).toEqual(["conv", "head", "bias"]);
    expect(() => freezeNormalization(model, "statistics")).toThrow("no running statistics");
  });
});
