/** The architectures against torchvision's (LeNet-5 and MobileNet against PyTorch): every name and shape of their parameters, and logits of the same weights. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Shape, showShape, size } from "../core/shape.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { compile } from "../jit/compile.ts";
import type { Module } from "../nn/index.ts";
import { expectClose } from "../nn/testing/check-layer.ts";
import {
  BasicBlock,
  Bottleneck,
  DenseNet,
  EfficientNet,
  GoogLeNet,
  InceptionV3,
  LeNet5,
  MobileNetV1,
  MobileNetV2,
  presetOf,
  ResNet,
  SqueezeNet,
} from "./index.ts";

interface Recorded {
  readonly shape: Shape;
  readonly logits: readonly number[][];
  /** Of the heads, in the order in which they stand in the network. */
  readonly auxiliary?: readonly number[][][];
}

/** Written by scripts/record-model-fixtures.py. */
const recorded = JSON.parse(
  readFileSync(new URL("../../test/fixtures/models/torchvision.json", import.meta.url), "utf8"),
) as { readonly logits: Record<string, Recorded>; readonly names: Record<string, string> };

describe("names and shapes of parameters and buffers", () => {
  test.each(Object.entries(recorded.names))("%s", (name, digest) => {
    const { build, input } = presetOf(name);
    const model = build();
    model.trace(input);
    const lines = [...model.parameters()].map(([path, { shape }]) => `${path} ${showShape(shape)}`);
    expect(createHash("sha256").update(lines.sort().join("\n")).digest("hex")).toBe(digest);
  });
});

/** Numbers in [0, 1) that depend on the name and their position alone, as `uniform` in the script. */
function uniform(name: string, shape: Shape): Float32Array {
  let seed = 0;
  for (const character of name) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) >>> 0;
  const numbers = new Float32Array(size(shape));
  for (let i = 0; i < numbers.length; i++) {
    let x = Math.imul(i + seed, 0x9e3779b1);
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    numbers[i] = ((x ^ (x >>> 13)) >>> 0) / 2 ** 32;
  }
  return numbers;
}

/** Gives every parameter and buffer the value that the script gives it. */
function fill(model: Module): void {
  for (const [path, parameter] of model.parameters()) {
    const { shape, name } = parameter;
    const numbers = uniform(path, shape);
    const scale = shape.length > 1 ? Math.sqrt(6 / size(shape.slice(1))) : 0.1;
    const signed = shape.length > 1 || name === "bias" || name === "running_mean";
    for (let i = 0; i < numbers.length; i++)
      numbers[i] = signed ? (2 * (numbers[i] ?? 0) - 1) * scale : 0.5 + (numbers[i] ?? 0);
    parameter.value = new Tensor("float32", shape, numbers);
  }
}

describe("logits, and those of auxiliary heads", () => {
  const cases: readonly (readonly [string, Module, readonly string[]])[] = [
    ["lenet5", new LeNet5(), []],
    ["mobilenet_v1", new MobileNetV1({ classes: 10, width: 0.25 }), []],
    ["resnetBasic", new ResNet({ block: BasicBlock, stages: [2, 2, 2, 2], classes: 10 }), []],
    ["resnetBottleneck", new ResNet({ block: Bottleneck, stages: [1, 2, 1, 1], classes: 10 }), []],
    ["densenet", new DenseNet({ blocks: [2, 3, 2, 2], growth: 8, classes: 10 }), []],
    ["squeezenet1_0", new SqueezeNet({ version: "1.0", classes: 10 }), []],
    ["squeezenet1_1", new SqueezeNet({ version: "1.1", classes: 10 }), []],
    ["mobilenet_v2", new MobileNetV2({ classes: 10, width: 0.25 }), []],
    ["efficientnet_b0", new EfficientNet({ classes: 10 }), []],
    ["googlenet", new GoogLeNet({ classes: 10 }), ["aux1", "aux2"]],
    ["inception_v3", new InceptionV3({ classes: 10 }), ["AuxLogits"]],
  ];
  test.each(cases)("%s", async (name, model, heads) => {
    const { shape, logits, auxiliary = [] } = recorded.logits[name] as Recorded;
    const x = new Tensor(
      "float32",
      shape,
      uniform("input", shape).map((u) => 2 * u - 1),
    );
    const traced = model.trace(x);
    fill(model);
    const { records, values } = traced.context;
    const outputs = heads.map((head) => records.find(({ path }) => path === head)?.output ?? traced.y);
    const executable = await compile([traced.x, ...values.values()], [traced.y, ...outputs]);
    const [main, ...rest] = await executable.run([x, ...Array.from(values.keys(), ({ value }) => value as Tensor)]);
    await executable.session.release();
    expectClose(main, tensor(logits), "logits");
    for (const [i, head] of heads.entries()) expectClose(rest[i], tensor(auxiliary[i] ?? []), `logits of ${head}`);
  });
});
