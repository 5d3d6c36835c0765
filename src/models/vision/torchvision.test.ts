/** The architectures against torchvision's (LeNet-5 and MobileNet against PyTorch): every name and shape of their parameters, and logits of the same weights. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Shape, showShape } from "../../core/shape.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { compile } from "../../jit/compile.ts";
import { type AnyModule, valuesOf } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
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
  VisionTransformer,
} from "../index.ts";
import { fill, signed } from "../testing/fill.ts";

interface Recorded {
  readonly shape: Shape;
  readonly logits: readonly number[][];
  /** Of the heads, in the order in which they stand in the network. */
  readonly auxiliary?: readonly number[][][];
}

/** Written by scripts/record-model-fixtures.py. */
const recorded = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/models/torchvision.json", import.meta.url), "utf8"),
) as { readonly logits: Record<string, Recorded>; readonly names: Record<string, string> };

describe("names and shapes of parameters and buffers", () => {
  test.each(Object.entries(recorded.names))("%s", (name, digest) => {
    const { build, inputs } = presetOf(name);
    const model = build();
    model.trace(inputs);
    const lines = [...model.parameters()].map(([path, { shape }]) => `${path} ${showShape(shape)}`);
    expect(createHash("sha256").update(lines.sort().join("\n")).digest("hex")).toBe(digest);
  });
});

describe("logits, and those of auxiliary heads", () => {
  const small = { width: 16, layers: 2, heads: 4, feedForward: 24 };
  const cases: readonly (readonly [string, AnyModule, readonly string[]])[] = [
    ["lenet5", new LeNet5(), []],
    ["mobilenet_v1", new MobileNetV1({ classes: 10, width: 0.25 }), []],
    ["resnetBasic", new ResNet({ block: BasicBlock, stages: [2, 2, 2, 2], classes: 10 }), []],
    ["resnetBottleneck", new ResNet({ block: Bottleneck, stages: [1, 2, 1, 1], classes: 10 }), []],
    ["densenet", new DenseNet({ blocks: [2, 3, 2, 2], growth: 8, classes: 10 }), []],
    ["squeezenet1_0", new SqueezeNet({ version: "1.0", classes: 10 }), []],
    ["squeezenet1_1", new SqueezeNet({ version: "1.1", classes: 10 }), []],
    ["mobilenet_v2", new MobileNetV2({ classes: 10, width: 0.25 }), []],
    ["efficientnet_b0", new EfficientNet({ classes: 10 }), []],
    ["vit", new VisionTransformer({ sizes: small, image: 12, patch: 4, classes: 10 }), []],
    ["googlenet", new GoogLeNet({ classes: 10 }), ["aux1", "aux2"]],
    ["inception_v3", new InceptionV3({ classes: 10 }), ["AuxLogits"]],
  ];
  test.each(cases)("%s", async (name, model, heads) => {
    const { shape, logits, auxiliary = [] } = recorded.logits[name] as Recorded;
    const x = signed("input", shape);
    const { inputs, output, context } = model.trace(x);
    fill(model);
    const { records, values } = context;
    const auxiliaryOutputs = heads.flatMap((head) => records.find(({ path }) => path === head)?.outputs ?? []);
    const executable = await compile([...inputs, ...values.values()], [...valuesOf(output), ...auxiliaryOutputs]);
    const [main, ...rest] = await executable.run([x, ...Array.from(values.keys(), ({ value }) => value as Tensor)]);
    await executable.session.release();
    expectClose(main, tensor(logits), "logits");
    for (const [i, head] of heads.entries()) expectClose(rest[i], tensor(auxiliary[i] ?? []), `logits of ${head}`);
  });
});
