/** MobileNetV1 and MobileNetV2 with Hugging Face's names, which converted TensorFlow's; `mobilenet-v1.ts` and `mobilenet-v2.ts` have torchvision's. */
import { count, flag, nameOrFunction, positive } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  activationFunctions,
  batchNorm,
  type Context,
  dense,
  dropout,
  Module,
} from "../../nn/index.ts";
import { add, reduceMean } from "../../ops/index.ts";
import { type Chain, chain, plainConv } from "../shared/blocks.ts";
import {
  type Architectures,
  architectures,
  type EncoderOutputs,
  type HeadOptions,
  headed,
  pooledOf,
} from "../shared/heads.ts";

/** Options of both. */
export interface MobileNetBackboneOptions {
  /** Factor of all channels; default 1. */
  readonly width?: number;
  /** The fewest channels; default 8. */
  readonly least?: number;
  /** Default relu6. */
  readonly activation?: ActivationName;
  /** Padding as TensorFlow has it, more behind than before where it is uneven; default true. */
  readonly tensorflowPadding?: boolean;
  /** Added to variances; default 0.001. */
  readonly epsilon?: number;
}

const types: OptionTypes<MobileNetBackboneOptions> = {
  width: positive,
  least: count(),
  activation: nameOrFunction<ActivationName>(activationFunctions),
  tensorflowPadding: flag,
  epsilon: positive,
};
const checkFirst = optionsOf("mobilenet_v1", types);

const defaults = <O extends MobileNetBackboneOptions>(options: O) => ({
  width: 1,
  least: 8,
  activation: "relu6" as ActivationName,
  tensorflowPadding: true,
  epsilon: 1e-3,
  ...options,
});
type Settings = ReturnType<typeof defaults<MobileNetBackboneOptions>>;

interface ConvOptions {
  readonly stride?: number;
  /** Each channel by itself. */
  readonly depthwise?: boolean;
  readonly name?: ActivationName;
}

/** A convolution, batch normalization, and the activation. */
function conv(filters: number, kernel: number, settings: Settings, options: ConvOptions = {}): Chain {
  const { stride = 1, depthwise = false, name = settings.activation } = options;
  return chain({
    convolution: plainConv(filters, kernel, {
      stride,
      groups: depthwise ? filters : 1,
      padding: settings.tensorflowPadding ? "same" : (kernel - 1) / 2,
    }),
    normalization: batchNorm({ epsilon: settings.epsilon, momentum: 0.003 }),
    activation: activation(name),
  });
}

/** The pooled state of a map: [N, C, H, W] → [N, C]. */
const withMean = (states: Value): EncoderOutputs => ({ states, pooled: reduceMean(states, [2, 3]) });

const classifier = (rate: number, { labels = 2 }: HeadOptions) => ({
  dropout: dropout(rate),
  classifier: dense(labels),
});

/** Strides of the convolutions of each channel (Howard et al. 2017, table 1). */
const strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1];

/** MobileNetV1 (Howard et al. 2017): images [N, C, H, W] → a map, and the mean of it. Names as in Hugging Face's library. */
export class MobileNetV1Backbone extends Module<Value, EncoderOutputs> {
  readonly conv_stem: Chain;
  readonly layer: readonly Chain[];
  constructor(options: MobileNetBackboneOptions = {}) {
    super();
    const settings = defaults(checkFirst(options));
    const scaled = (depth: number) => Math.max(settings.least, Math.floor(depth * settings.width));
    this.conv_stem = conv(scaled(32), 3, settings, { stride: 2 });
    let depth = 32;
    this.layer = strides.flatMap((stride, i) => {
      const channels = scaled(depth);
      if (stride === 2 || i === 0) depth *= 2;
      return [conv(channels, 3, settings, { stride, depthwise: true }), conv(scaled(depth), 1, settings)];
    });
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    return withMean([this.conv_stem, ...this.layer].reduce((value, part) => part.apply(value, context), x));
  }
}

/** Options of `MobileNetV2Backbone`. */
export interface MobileNetV2BackboneOptions extends MobileNetBackboneOptions {
  /** Factor of the channels inside a block; default 6. */
  readonly expansion?: number;
  /** The last convolution's channels are not reduced with the others; default true. */
  readonly wideEnd?: boolean;
}

const checkSecond = optionsOf<MobileNetV2BackboneOptions>("mobilenet_v2", {
  ...types,
  expansion: positive,
  wideEnd: flag,
});

/** Channels and strides of the blocks after the first (Sandler et al. 2018, table 2). */
const channels = [24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320];
const blockStrides = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1];

/** The multiple of 8 nearest to a number of channels, at most a tenth below it. */
function divisible(wanted: number, least: number): number {
  const rounded = Math.max(least, Math.floor((wanted + 4) / 8) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

/** Half to even, as Python rounds. */
const round = (x: number): number => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/** A block that widens, filters each channel and narrows, around which the input is added where its shape is the same (fig. 4). */
class InvertedResidual extends Module {
  readonly expand_1x1: Chain;
  readonly conv_3x3: Chain;
  readonly reduce_1x1: Chain;
  readonly #adds: boolean;
  constructor(
    into: number,
    filters: number,
    stride: number,
    { expansion, ...settings }: Settings & { readonly expansion: number },
  ) {
    super();
    const inner = divisible(round(into * expansion), settings.least);
    this.expand_1x1 = conv(inner, 1, settings);
    this.conv_3x3 = conv(inner, 3, settings, { stride, depthwise: true });
    this.reduce_1x1 = conv(filters, 1, settings, { name: "linear" });
    this.#adds = stride === 1 && into === filters;
  }
  protected call(x: Value, context: Context): Value {
    const parts = [this.expand_1x1, this.conv_3x3, this.reduce_1x1];
    const change = parts.reduce((value, part) => part.apply(value, context), x);
    return this.#adds ? add(x, change) : change;
  }
}

/** MobileNetV2 (Sandler et al. 2018): images [N, C, H, W] → a map, and the mean of it. Names as in Hugging Face's library. */
export class MobileNetV2Backbone extends Module<Value, EncoderOutputs> {
  readonly conv_stem: Chain;
  readonly layer: readonly InvertedResidual[];
  readonly conv_1x1: Chain;
  constructor(options: MobileNetV2BackboneOptions = {}) {
    super();
    const { wideEnd, ...settings } = { expansion: 6, wideEnd: true, ...defaults(checkSecond(options)) };
    const scaled = (count: number) => divisible(round(count * settings.width), settings.least);
    const stem = scaled(32);
    this.conv_stem = chain({
      first_conv: conv(stem, 3, settings, { stride: 2 }),
      conv_3x3: conv(stem, 3, settings, { depthwise: true }),
      reduce_1x1: conv(scaled(16), 1, settings, { name: "linear" }),
    });
    this.layer = channels.map(
      (count, i) =>
        new InvertedResidual(scaled(channels[i - 1] ?? 16), scaled(count), blockStrides[i] as number, settings),
    );
    this.conv_1x1 = conv(wideEnd && settings.width < 1 ? 1280 : scaled(1280), 1, settings);
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    const parts = [this.conv_stem, ...this.layer, this.conv_1x1];
    return withMean(parts.reduce((value: Value, part) => part.apply(value, context), x));
  }
}

/** MobileNetV1's models by the names of Hugging Face's classes. */
export const mobilenetV1Architectures = architectures({
  MobileNetV1Model: (options) => new MobileNetV1Backbone(options),
  MobileNetV1ForImageClassification: (options, { dropout: rate = 0.001, ...head } = {}) =>
    headed({ mobilenet_v1: new MobileNetV1Backbone(options) }, classifier(rate, head), pooledOf),
} as const satisfies Architectures<MobileNetBackboneOptions>);
/** MobileNetV2's models by the names of Hugging Face's classes. */
export const mobilenetV2Architectures = architectures({
  MobileNetV2Model: (options) => new MobileNetV2Backbone(options),
  MobileNetV2ForImageClassification: (options, { dropout: rate = 0.2, ...head } = {}) =>
    headed({ mobilenet_v2: new MobileNetV2Backbone(options) }, classifier(rate, head), pooledOf),
} as const satisfies Architectures<MobileNetV2BackboneOptions>);
