/** Every preset: parameters, cost, output and names against those published, without allocating weights. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { size } from "../core/shape.ts";
import { type Module, summarize } from "../nn/index.ts";
import { type PresetOptions, presetOf, presets } from "./index.ts";

interface Published {
  readonly parameters: number;
  /** Multiply-adds of convolutional, dense and recurrent layers for one sample, in thousands of millions. */
  readonly macs: number;
  /** Running means and variances: two for each channel that is normalized. */
  readonly buffers: number;
  readonly options?: PresetOptions;
}

/**
 * Parameters and multiply-adds as torchvision states them with its weights (`num_params`, `_ops`); with auxiliary heads
 * its untrained models' counts, and their cost as summed by hand. LeNet-5's cost:
 * 25·6·28² + 25·6·16·10² + 400·120 + 120·84 + 84·10; the LSTM's: 120·4·128·(128 + 128) + 2·128. MobileNet's are those of its paper, table 4: 569 million, and
 * 4.2 million counted out.
 */
const published: readonly (readonly [string, Published])[] = [
  ["lenet5", { parameters: 61_706, macs: 0.00041652, buffers: 0 }],
  // 10,000·128 for the words, 4·128·(128 + 128) + 2·4·128 for the cell, 2·128 + 2 for the scores.
  ["lstm", { parameters: 1_412_354, macs: 0.015729, buffers: 0 }],
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

/** Multiply-adds of a layer: each weight is used once at every position of the output, a recurrent one at every step. */
function macsOf(module: Module, outputShape: readonly number[], [, steps = 1]: readonly number[]): number {
  const weights = [...module.own].filter(([name]) => name.startsWith("weight"));
  const uses = module.kind === "recurrent" ? steps : size(outputShape.slice(2));
  return weights.reduce((sum, [, { shape }]) => sum + size(shape), 0) * uses;
}

/** Outputs of the classifier where they are not ImageNet's. */
const classes: Readonly<Record<string, number>> = { lenet5: 10, lstm: 2 };

describe("as published", () => {
  test.each(published)("%s", (name, { parameters, macs, buffers, options }) => {
    const began = performance.now();
    const { build, input } = presetOf(name);
    const model = build(options);
    const summary = summarize(model, input);
    // Some 50 ms at most; the limit is the inspector's.
    expect(performance.now() - began).toBeLessThan(1500);

    expect(summary.parameters).toBe(parameters);
    expect(summary.trainable).toBe(parameters);
    expect(summary.buffers).toBe(buffers);
    expect(summary.layers.at(-1)?.outputShape).toEqual([1, classes[name] ?? 1000]);
    expect([...model.parameters().values()].filter(({ value }) => value)).toEqual([]);

    const paths = new Map([...model.modules()].map(([module, path]) => [path, module]));
    const cost = summary.layers
      .filter(({ kind }) => ["convolution", "dense", "recurrent"].includes(kind))
      .reduce((sum, { path, outputShape }) => sum + macsOf(paths.get(path) as Module, outputShape, input.shape), 0);
    expect(Math.abs(cost / 1e9 - macs), `${cost} multiply-adds`).toBeLessThanOrEqual(0.0005);
  });

  test("every preset is in the table", () => {
    expect([...new Set(published.map(([name]) => name))].sort()).toEqual(Object.keys(presets).sort());
  });
});

test("the number of classes is an option of every preset", () => {
  for (const { name, build, input } of Object.values(presets))
    expect(build({ classes: 7 }).trace(input).y.shape, name).toEqual([1, 7]);
});

test("a bad number of classes, heads that there are not, and an unknown name are told", () => {
  const { build } = presetOf("resnet18");
  expect(() => build({ classes: 0 })).toThrow("dense: units is 0; pass a whole number from 1");
  expect(() => build({ auxiliary: true })).toThrow("resnet18 has no auxiliary heads; leave the option auxiliary out");
  expect(() => presetOf("resnet-50")).toThrow('unknown architecture "resnet-50"; did you mean "resnet50"?');
  // What every object inherits is no preset.
  expect(() => presetOf("constructor")).toThrow(OptionError);
});
