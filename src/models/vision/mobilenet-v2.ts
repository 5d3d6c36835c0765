/** MobileNetV2: inverted residuals with linear bottlenecks (Sandler et al. 2018). */
import { count, fraction, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { batchNorm, type Context, dense, dropout, globalAveragePool, Module, normalInit } from "../../nn/index.ts";
import { add } from "../../ops/index.ts";
import { type Chain, chain, convNormActivation, plainConv, scaledChannels } from "../shared/blocks.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";

interface InvertedResidualOptions {
  readonly channels: number;
  readonly filters: number;
  readonly stride: number;
  /** Factor by which the first 1x1 convolution widens; 1 leaves it out. */
  readonly expansion: number;
}

/** Widens, convolves each channel alone, narrows without activation; adds the input where shapes allow (fig. 3b). */
class InvertedResidual extends Module {
  readonly conv: Chain;
  readonly #adds: boolean;
  constructor({ channels, filters, stride, expansion }: InvertedResidualOptions) {
    super();
    const hidden = channels * expansion;
    this.conv = chain([
      ...(expansion === 1 ? [] : [convNormActivation(hidden, 1, "relu6")]),
      convNormActivation(hidden, 3, "relu6", { groups: hidden, stride }),
      plainConv(filters, 1),
      batchNorm(),
    ]);
    this.#adds = stride === 1 && channels === filters;
  }
  protected call(x: Value, context: Context): Value {
    const y = this.conv.apply(x, context);
    return this.#adds ? add(x, y) : y;
  }
}

/** [expansion, filters, blocks, stride of the first] of each stage (table 2). */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Options of `MobileNetV2`. */
export interface MobileNetV2Options {
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Factor of all channels, rounded to multiples of 8; the last convolution's are not reduced; default 1. */
  readonly width?: number;
  /** Rate of dropout before the classifier; default 0.2. */
  readonly dropout?: number;
}

const checkMobileNetV2 = optionsOf<MobileNetV2Options>("MobileNetV2", {
  classes: count(),
  width: positive,
  dropout: fraction,
});

/**
 * MobileNetV2 of inverted residuals (Sandler et al. 2018): [N, 3, 224, 224] → [N, classes]; names as in torchvision.
 */
export class MobileNetV2 extends Module {
  readonly features: Chain;
  readonly avgpool = globalAveragePool();
  readonly classifier: Chain;
  constructor(options: MobileNetV2Options = {}) {
    super();
    const { classes = 1000, width = 1, dropout: rate = 0.2 } = checkMobileNetV2(options);
    let channels = scaledChannels(32, width);
    const features: Module[] = [convNormActivation(channels, 3, "relu6", { stride: 2 })];
    for (const [expansion, count, blocks, firstStride] of stages) {
      const filters = scaledChannels(count, width);
      for (let i = 0; i < blocks; i++) {
        features.push(new InvertedResidual({ channels, filters, stride: i === 0 ? firstStride : 1, expansion }));
        channels = filters;
      }
    }
    features.push(convNormActivation(scaledChannels(1280, Math.max(1, width)), 1, "relu6"));
    this.features = chain(features);
    this.classifier = chain([dropout(rate), dense(classes, { initializer: normalInit(0, 0.01) })]);
  }
  protected call(x: Value, context: Context): Value {
    const { features, avgpool, classifier } = this;
    return [features, avgpool, classifier].reduce((value, part) => part.apply(value, context), x);
  }
}

export const mobilenetV2Presets: readonly Preset[] = [
  plainPreset(
    {
      name: "mobilenet_v2",
      summary: "17 inverted residual blocks with linear bottlenecks, for phones",
      source: "Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks",
      inputs: imageInputs(3, 224),
    },
    (options) => new MobileNetV2(options),
  ),
];
