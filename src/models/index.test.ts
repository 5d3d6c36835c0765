/** Every preset: parameters, output and cost against those published, without allocating weights. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { type Shape, size } from "../core/shape.ts";
import { constantOf, nodesOf } from "../graph/ir.ts";
import { type AnyModule, summarize, type TypeTree, valuesOf } from "../nn/index.ts";
import { CifarResNet, type Preset, type PresetOptions, presetOf, presets } from "./index.ts";

interface PublishedConvolution {
  readonly parameters: number;
  /** Multiply-adds of convolutions and dense layers for one sample, in thousands of millions. */
  readonly macs: number;
  /** Running means and variances: two for each channel that is normalized. */
  readonly buffers: number;
  readonly options?: PresetOptions;
}

/**
 * Parameters and multiply-adds as torchvision states them with its weights (`num_params`, `_ops`); with auxiliary heads
 * its untrained models' counts, and their cost as summed by hand. LeNet-5's cost:
 * 25·6·28² + 25·6·16·10² + 400·120 + 120·84 + 84·10. MobileNet's are those of its paper, table 4: 569 million, and
 * 4.2 million counted out.
 */
const convolutional: readonly (readonly [string, PublishedConvolution])[] = [
  ["lenet5", { parameters: 61_706, macs: 0.00041652, buffers: 0 }],
  ["alexnet", { parameters: 61_100_840, macs: 0.714, buffers: 0 }],
  ["vgg11", { parameters: 132_863_336, macs: 7.609, buffers: 0 }],
  ["vgg13", { parameters: 133_047_848, macs: 11.308, buffers: 0 }],
  ["vgg16", { parameters: 138_357_544, macs: 15.47, buffers: 0 }],
  ["vgg19", { parameters: 143_667_240, macs: 19.632, buffers: 0 }],
  // Each head adds 4·4·C·128 + 2048·1024 + 1024·1000 for C of 512 and 528.
  ["googlenet", { parameters: 13_004_888, macs: 1.50675, buffers: 15_072 }],
  ["googlenet", { parameters: 6_624_904, macs: 1.498, buffers: 14_560, options: { auxiliary: false } }],
  // The head adds 5·5·768·128 + 25·128·768 + 768·1000.
  ["inception_v3", { parameters: 27_161_264, macs: 5.719, buffers: 36_224 }],
  ["inception_v3", { parameters: 23_834_568, macs: 5.713, buffers: 34_432, options: { auxiliary: false } }],
  ["resnet18", { parameters: 11_689_512, macs: 1.814, buffers: 9_600 }],
  ["resnet34", { parameters: 21_797_672, macs: 3.664, buffers: 17_024 }],
  ["resnet50", { parameters: 25_557_032, macs: 4.089, buffers: 53_120 }],
  ["resnet101", { parameters: 44_549_160, macs: 7.801, buffers: 105_344 }],
  ["resnet152", { parameters: 60_192_808, macs: 11.514, buffers: 151_424 }],
  ["squeezenet1_0", { parameters: 1_248_424, macs: 0.819, buffers: 0 }],
  ["squeezenet1_1", { parameters: 1_235_496, macs: 0.349, buffers: 0 }],
  ["densenet121", { parameters: 7_978_856, macs: 2.834, buffers: 83_648 }],
  ["mobilenet_v1", { parameters: 4_231_976, macs: 0.569, buffers: 21_888 }],
  ["mobilenet_v2", { parameters: 3_504_872, macs: 0.301, buffers: 34_112 }],
  ["efficientnet_b0", { parameters: 5_288_548, macs: 0.386, buffers: 42_016 }],
];

/**
 * Parameters, weights that are shared counted once, and the shape of the output. Totals are those that Hugging Face's
 * library builds (see formats/presets.test.ts), of vit_b_16 torchvision's, of transformer_base
 * 37000·512 + 6·(4·512² + 2·512·2048 + 9·512 + 2048) + 6·(8·512² + 2·512·2048 + 15·512 + 2048).
 */
const transformers: readonly (readonly [string, number, Shape])[] = [
  ["transformer_base", 63_082_496, [1, 512, 37_000]],
  ["bert_base_uncased", 109_482_240, [1, 512, 768]],
  ["bert_base_cased", 108_310_272, [1, 512, 768]],
  ["bert_large_uncased", 335_141_888, [1, 512, 1024]],
  ["distilbert_base_uncased", 66_362_880, [1, 512, 768]],
  ["albert_base_v2", 11_683_584, [1, 512, 768]],
  ["gpt2", 124_439_808, [1, 512, 50_257]],
  ["gpt2_medium", 354_823_168, [1, 512, 50_257]],
  ["gpt2_large", 774_030_080, [1, 512, 50_257]],
  ["gpt2_xl", 1_557_611_200, [1, 512, 50_257]],
  ["gpt3_175b", 174_604_259_328, [1, 512, 50_257]],
  ["t5_small", 60_506_624, [1, 512, 32_128]],
  ["flan_t5_small", 76_961_152, [1, 512, 32_128]],
  ["llama2_7b", 6_738_415_616, [1, 512, 32_000]],
  ["llama2_13b", 13_015_864_320, [1, 512, 32_000]],
  ["llama3_8b", 8_030_261_248, [1, 512, 128_256]],
  ["qwen2_5_0_5b", 494_032_768, [1, 512, 151_936]],
  ["vit_b_16", 86_567_656, [1, 1000]],
];

/** Multiply-adds of a layer: each weight is used once at every position of the output. */
const macsOf = (module: AnyModule, outputShape: readonly number[]): number =>
  size(module.own.get("weight")?.shape ?? []) * size(outputShape.slice(2));

/** What a model gives, depth first: of several outputs the main one stands first. */
const outputsOf = (model: AnyModule, inputs: TypeTree) => valuesOf(model.trace(inputs).output);

describe("as published", () => {
  test.each(convolutional)("%s", (name, { parameters, macs, buffers, options }) => {
    const began = performance.now();
    const { build, inputs } = presetOf(name);
    const model = build(options);
    const summary = summarize(model, inputs);
    // Some 50 ms at most; the limit is the inspector's.
    expect(performance.now() - began).toBeLessThan(1500);

    expect(summary.parameters).toBe(parameters);
    expect(summary.trainable).toBe(parameters);
    expect(summary.buffers).toBe(buffers);
    expect(summary.layers.at(-1)?.outputShape).toEqual([1, name === "lenet5" ? 10 : 1000]);
    expect([...model.parameters().values()].filter(({ value }) => value)).toEqual([]);

    const paths = new Map([...model.modules()].map(([module, path]) => [path, module]));
    const cost = summary.layers
      .filter(({ kind }) => kind === "convolution" || kind === "dense")
      .reduce((sum, { path, outputShape }) => sum + macsOf(paths.get(path) as AnyModule, outputShape), 0);
    expect(Math.abs(cost / 1e9 - macs), `${cost} multiply-adds`).toBeLessThanOrEqual(0.0005);
  });

  test.each(transformers)("%s", (name, parameters, outputShape) => {
    const { build, inputs } = presetOf(name);
    const before = process.memoryUsage().arrayBuffers;
    const began = performance.now();
    const model = build();
    const summary = summarize(model, inputs);
    expect(performance.now() - began).toBeLessThan(1500);
    // Weights would take from 46 MB on; what was left by the test before may be freed meanwhile.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);

    expect(summary.parameters).toBe(parameters);
    expect(summary.trainable).toBe(parameters);
    expect(summary.buffers).toBe(0);
    const outputs = outputsOf(model, inputs);
    expect(outputs[0]?.shape).toEqual(outputShape);
    const constants = nodesOf(outputs).flatMap(({ outputs }) => constantOf(outputs[0]) ?? []);
    expect(Math.max(0, ...constants.map(({ shape }) => size(shape)))).toBeLessThanOrEqual(1024);
    expect([...model.parameters().values()].filter(({ value }) => value)).toEqual([]);
  });

  test("lstm", () => {
    const { build, inputs } = presetOf("lstm");
    const model = build();
    const outputs = outputsOf(model, inputs);
    const words = 10_000 * 128;
    const cell = 4 * 128 * (128 + 128) + 2 * 4 * 128;
    expect(summarize(model, inputs).parameters).toBe(words + cell + 2 * 128 + 2);
    expect(outputs.map(({ shape }) => shape)).toEqual([[1, 2]]);
    // Each step multiplies its input and its state; the scores are of the last one alone.
    const macs = nodesOf(outputs).reduce((sum, node) => sum + node.op.macs(node), 0);
    expect(macs).toBe(120 * 4 * 128 * (128 + 128) + 2 * 128);
  });

  test("every preset is reported above", () => {
    const names = new Set(["lstm", ...[...convolutional, ...transformers].map(([name]) => name)]);
    expect([...names].sort()).toEqual(Object.keys(presets).sort());
  });
});

test("the ResNet for small images: 6n + 2 weighted layers", () => {
  const input = { dtype: "float32", shape: [1, 3, 32, 32] } as const;
  const stem = 27 * 16 + 32;
  const first = 2 * 9 * 16 * 16 + 64;
  const second = 9 * 16 * 32 + 9 * 32 * 32 + 128 + 16 * 32 + 64;
  const third = 9 * 32 * 64 + 9 * 64 * 64 + 256 + 32 * 64 + 128;
  const { layers, parameters } = summarize(new CifarResNet({ blocks: 1 }), input);
  expect(parameters).toBe(stem + first + second + third + 650);
  expect(layers.filter(({ kind }) => kind === "convolution" || kind === "dense")).toHaveLength(8 + 2);
});

test("the number of classes is an option of every preset that classifies", () => {
  const classifies = ({ name, inputs }: Preset) => inputs["x"]?.dtype === "float32" || name === "lstm";
  for (const { name, build, inputs } of Object.values(presets).filter(classifies))
    expect(outputsOf(build({ classes: 7 }), inputs)[0]?.shape, name).toEqual([1, 7]);
  for (const { name, build } of Object.values(presets).filter((preset) => !classifies(preset)))
    expect(() => build({ classes: 7 }), name).toThrow(
      `${name} has no classifier whose classes could be set; leave the option classes out`,
    );
});

test("a bad number of classes, heads that there are not, and an unknown name are reported", () => {
  const { build } = presetOf("resnet18");
  expect(() => build({ classes: 0 })).toThrow("resnet18: classes is 0; pass a whole number from 1");
  expect(() => presetOf("gpt2").build({ auxiliary: true })).toThrow("gpt2 has no auxiliary heads");
  expect(() => build({ auxiliary: true })).toThrow("resnet18 has no auxiliary heads; leave the option auxiliary out");
  expect(() => presetOf("resnet-50")).toThrow('unknown architecture "resnet-50"; did you mean "resnet50"?');
  // What every object inherits is no preset.
  expect(() => presetOf("constructor")).toThrow(OptionError);
});
