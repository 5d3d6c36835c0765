/** MobileNet: depthwise separable convolutions (Howard et al. 2017). */
import { count, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { activation, batchNorm, type Context, dense, globalAveragePool, Module } from "../../nn/index.ts";
import { type Chain, chain, convNormActivation, plainConv, scaledChannels } from "../shared/blocks.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";

/** [filters, stride] of each separable convolution (table 1). */
const separable = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [512, 1],
  [1024, 2],
  [1024, 1],
] as const;

/** Options of `MobileNetV1`. */
export interface MobileNetOptions {
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Factor of all channels (sec. 3.3), rounded to multiples of 8; default 1. */
  readonly width?: number;
}

const checkMobileNet = optionsOf<MobileNetOptions>("MobileNetV1", { classes: count(), width: positive });

/** A 3x3 convolution of each channel alone, then a 1x1 one across them (fig. 3, right). */
const depthwiseSeparable = (channels: number, filters: number, stride: number): Chain =>
  chain([
    plainConv(channels, 3, { groups: channels, stride, padding: 1 }),
    batchNorm(),
    activation("relu"),
    plainConv(filters, 1),
    batchNorm(),
    activation("relu"),
  ]);

/** MobileNet of depthwise separable convolutions (Howard et al. 2017): [N, 3, 224, 224] → [N, classes]. */
export class MobileNetV1 extends Module {
  readonly features: Chain;
  readonly avgpool = globalAveragePool();
  readonly fc: Module;
  constructor(options: MobileNetOptions = {}) {
    super();
    const { classes = 1000, width = 1 } = checkMobileNet(options);
    const stem = scaledChannels(32, width);
    const filters = separable.map(([count]) => scaledChannels(count, width));
    this.features = chain([
      convNormActivation(stem, 3, "relu", { stride: 2 }),
      ...separable.map(([, stride], i) => depthwiseSeparable(filters[i - 1] ?? stem, filters[i] ?? stem, stride)),
    ]);
    this.fc = dense(classes);
  }
  protected call(x: Value, context: Context): Value {
    const { features, avgpool, fc } = this;
    return [features, avgpool, fc].reduce((value, part) => part.apply(value, context), x);
  }
}

export const mobilenetV1Presets: readonly Preset[] = [
  plainPreset(
    {
      name: "mobilenet_v1",
      summary: "28 weighted layers of depthwise separable convolutions, for phones",
      source: "Howard et al. 2017, MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
      inputs: imageInputs(3, 224),
    },
    (options) => new MobileNetV1(options),
  ),
];
