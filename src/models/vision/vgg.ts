/** VGG: depth from small convolutions alone (Simonyan and Zisserman 2015). */
import { count, fraction, listOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  activation,
  adaptiveAveragePool2d,
  type Context,
  conv2d,
  dense,
  dropout,
  flatten,
  Module,
  maxPool2d,
} from "../../nn/index.ts";
import { type Chain, chain, heNormalFanOut } from "../shared/blocks.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";

/** Convolutions in each of the five stages (table 1: A, B, D, E). */
const stages = {
  vgg11: [1, 1, 2, 2, 2],
  vgg13: [2, 2, 2, 2, 2],
  vgg16: [2, 2, 3, 3, 3],
  vgg19: [2, 2, 4, 4, 4],
} as const;

/** Options of `Vgg`. */
export interface VggOptions {
  /** Convolutions in each stage. */
  readonly stages: readonly number[];
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Filters of the first stage, doubled from one to the next up to eight times as many; default 64. */
  readonly width?: number;
  /** Units of the two hidden dense layers; default 4096. */
  readonly hidden?: number;
  /** Rate of dropout after the hidden dense layers; default 0.5. */
  readonly dropout?: number;
}

const checkVgg = optionsOf<VggOptions>("Vgg", {
  stages: required(listOf(count(), "convolutions of each stage")),
  classes: count(),
  width: count(),
  hidden: count(),
  dropout: fraction,
});

/**
 * VGG (Simonyan and Zisserman 2015), without batch normalization: [N, 3, 224, 224] → [N, classes]; names as in
 * torchvision.
 */
export class Vgg extends Module {
  readonly features: Chain;
  readonly avgpool = adaptiveAveragePool2d(7);
  readonly flatten = flatten();
  readonly classifier: Chain;
  constructor(options: VggOptions) {
    super();
    const { stages, classes = 1000, width = 64, hidden = 4096, dropout: rate = 0.5 } = checkVgg(options);
    const stage = (convolutions: number, filters: number): Module[] => [
      ...Array.from({ length: convolutions }, () => [
        conv2d(filters, 3, { padding: 1, initializer: heNormalFanOut }),
        activation("relu"),
      ]).flat(),
      maxPool2d(2),
    ];
    this.features = chain(stages.flatMap((count, i) => stage(count, width * 2 ** Math.min(i, 3))));
    const hiddenLayer = () => [dense(hidden, { initializer: "heNormal" }), activation("relu"), dropout(rate)];
    this.classifier = chain([...hiddenLayer(), ...hiddenLayer(), dense(classes)]);
  }
  protected call(x: Value, context: Context): Value {
    const maps = this.avgpool.apply(this.features.apply(x, context), context); // [N, 512, 7, 7]
    return this.classifier.apply(this.flatten.apply(maps, context), context);
  }
}

export const vggPresets: readonly Preset[] = Object.entries(stages).map(([name, counts]) =>
  plainPreset(
    {
      name,
      summary: `${name.slice(3)} weighted layers of 3x3 convolutions and dense layers`,
      source: "Simonyan and Zisserman 2015, Very Deep Convolutional Networks for Large-Scale Image Recognition",
      inputs: imageInputs(3, 224),
    },
    (options) => new Vgg({ stages: counts, ...options }),
  ),
);
