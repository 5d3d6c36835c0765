/** EfficientNet: inverted residuals with squeeze-and-excitation, scaled together (Tan and Le 2019). */
import { count, fraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  activation,
  adaptiveAveragePool2d,
  batchNorm,
  type Context,
  conv2d,
  dense,
  dropout,
  globalAveragePool,
  Module,
  stochasticDepth,
} from "../../nn/index.ts";
import { add, mul } from "../../ops/index.ts";
import { type Chain, chain, convNormActivation, plainConv } from "../shared/blocks.ts";
import { imageInputs, type Preset, plainPreset } from "../shared/preset.ts";

/** Scales each channel by a factor in (0, 1) that depends on the means of all (Hu et al. 2018, eq. 3 and 4). */
class SqueezeExcitation extends Module {
  readonly avgpool = adaptiveAveragePool2d(1);
  readonly fc1: Module;
  readonly activation = activation("silu");
  readonly fc2: Module;
  readonly scale_activation = activation("sigmoid");
  constructor(channels: number, squeezed: number) {
    super();
    this.fc1 = conv2d(squeezed, 1, { initializer: "heNormal" });
    this.fc2 = conv2d(channels, 1, { initializer: "heNormal" });
  }
  protected call(x: Value, context: Context): Value {
    const { avgpool, fc1, activation, fc2, scale_activation } = this;
    const parts = [avgpool, fc1, activation, fc2, scale_activation];
    return mul(
      x,
      parts.reduce((value, part) => part.apply(value, context), x), // [N, C, 1, 1]
    );
  }
}

interface MBConvOptions {
  readonly channels: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  /** Factor by which the first 1x1 convolution widens; 1 leaves it out. */
  readonly expansion: number;
  /** Rate at which the residual branch is left out while training. */
  readonly dropRate: number;
}

/** MobileNetV2's block with squeeze-and-excitation to a quarter of the block's input channels. */
class MBConv extends Module {
  readonly block: Chain;
  readonly stochastic_depth: Module;
  readonly #adds: boolean;
  constructor({ channels, filters, kernel, stride, expansion, dropRate }: MBConvOptions) {
    super();
    const hidden = channels * expansion;
    this.block = chain([
      ...(expansion === 1 ? [] : [convNormActivation(hidden, 1, "silu")]),
      convNormActivation(hidden, kernel, "silu", { groups: hidden, stride }),
      new SqueezeExcitation(hidden, Math.max(1, Math.floor(channels / 4))),
      chain([plainConv(filters, 1), batchNorm()]),
    ]);
    this.stochastic_depth = stochasticDepth(dropRate);
    this.#adds = stride === 1 && channels === filters;
  }
  protected call(x: Value, context: Context): Value {
    const y = this.block.apply(x, context);
    return this.#adds ? add(this.stochastic_depth.apply(y, context), x) : y;
  }
}

/** [expansion, kernel, stride of the first, filters, blocks] of each stage of B0 (table 1). */
const stages = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
] as const;

/** Options of `EfficientNet`. */
export interface EfficientNetOptions {
  /** Outputs; default 1000. */
  readonly classes?: number;
  /** Rate of dropout before the classifier; default 0.2. */
  readonly dropout?: number;
  /** Rate of stochastic depth that the last block would have, growing linearly from 0; default 0.2. */
  readonly stochasticDepth?: number;
}

const checkEfficientNet = optionsOf<EfficientNetOptions>("EfficientNet", {
  classes: count(),
  dropout: fraction,
  stochasticDepth: fraction,
});

/** EfficientNet-B0 (Tan and Le 2019): [N, 3, 224, 224] → [N, classes]; names as in torchvision. */
export class EfficientNet extends Module {
  readonly features: Chain;
  readonly avgpool = globalAveragePool();
  readonly classifier: Chain;
  constructor(options: EfficientNetOptions = {}) {
    super();
    const { classes = 1000, dropout: rate = 0.2, stochasticDepth: depthRate = 0.2 } = checkEfficientNet(options);
    const total = stages.reduce((sum, [, , , , blocks]) => sum + blocks, 0);
    let [channels, at] = [32, 0];
    const stage = ([expansion, kernel, firstStride, filters, blocks]: (typeof stages)[number]): Chain =>
      chain(
        Array.from({ length: blocks }, (_, i) => {
          const stride = i === 0 ? firstStride : 1;
          const dropRate = (depthRate * at++) / total;
          const block = new MBConv({ channels, filters, kernel, stride, expansion, dropRate });
          channels = filters;
          return block;
        }),
      );
    this.features = chain([
      convNormActivation(channels, 3, "silu", { stride: 2 }),
      ...stages.map(stage),
      convNormActivation(4 * 320, 1, "silu"),
    ]);
    this.classifier = chain([dropout(rate), dense(classes)]);
  }
  protected call(x: Value, context: Context): Value {
    const { features, avgpool, classifier } = this;
    return [features, avgpool, classifier].reduce((value, part) => part.apply(value, context), x);
  }
}

export const efficientnetPresets: readonly Preset[] = [
  plainPreset(
    {
      name: "efficientnet_b0",
      summary: "16 inverted residual blocks with squeeze-and-excitation, found by search",
      source: "Tan and Le 2019, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
      inputs: imageInputs(3, 224),
    },
    (options) => new EfficientNet(options),
  ),
];
