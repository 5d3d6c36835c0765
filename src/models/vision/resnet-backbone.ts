/** ResNet (He et al. 2016) with Hugging Face's names; `resnet.ts` has torchvision's. */
import { OptionError } from "../../core/errors.ts";
import { count, flag, listOf, nameOrFunction, oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  activationFunctions,
  activationOf,
  batchNorm,
  type Context,
  dense,
  flatten,
  Module,
  maxPool2d,
} from "../../nn/index.ts";
import { add, reduceMean } from "../../ops/index.ts";
import { type Chain, chain, heNormalFanOut, plainConv } from "../shared/blocks.ts";
import { type Architectures, architectures, type EncoderOutputs, headed, pooledOf } from "../shared/heads.ts";

/** Options of `ResNetBackbone`. */
export interface ResNetBackboneOptions {
  /** Layers of each stage; default 3, 4, 6, 3. */
  readonly depths?: readonly number[];
  /** Channels that each stage gives; default 256, 512, 1024, 2048. */
  readonly widths?: readonly number[];
  /** Channels of the first convolution; default 64. */
  readonly stem?: number;
  /** Two convolutions of 3x3, or one between two that narrow and widen; default the latter. */
  readonly layer?: "basic" | "bottleneck";
  /** Default relu. */
  readonly activation?: ActivationName;
  /** The first stage halves the map too; default false. */
  readonly halveFirst?: boolean;
  /** The narrowing convolution has the stride rather than that of 3x3; default false. */
  readonly strideFirst?: boolean;
}

const checkOptions = optionsOf<ResNetBackboneOptions>("resnet", {
  depths: listOf(count(), "whole numbers"),
  widths: listOf(count(), "whole numbers"),
  stem: count(),
  layer: oneOf("basic", "bottleneck"),
  activation: nameOrFunction<ActivationName>(activationFunctions),
  halveFirst: flag,
  strideFirst: flag,
});

const defaults = (options: ResNetBackboneOptions) => ({
  depths: [3, 4, 6, 3],
  widths: [256, 512, 1024, 2048],
  stem: 64,
  layer: "bottleneck" as const,
  activation: "relu" as ActivationName,
  halveFirst: false,
  strideFirst: false,
  ...options,
});
type Settings = ReturnType<typeof defaults>;

/** A convolution and batch normalization. */
const conv = (filters: number, kernel: number, stride = 1, name: ActivationName = "linear"): Chain =>
  chain({
    convolution: plainConv(filters, kernel, { stride, padding: (kernel - 1) / 2, initializer: heNormalFanOut }),
    normalization: batchNorm(),
    activation: activation(name),
  });

/** Convolutions around which the input is added, projected where its shape is another (fig. 5). */
class Layer extends Module {
  readonly shortcut: Chain | undefined;
  readonly layer: Chain;
  readonly #activation: (x: Value) => Value;
  constructor(channels: number, filters: number, stride: number, settings: Settings) {
    super();
    const { layer, activation: name, strideFirst } = settings;
    const inner = filters / 4;
    this.shortcut = channels === filters && stride === 1 ? undefined : conv(filters, 1, stride);
    this.layer = chain(
      layer === "basic"
        ? [conv(filters, 3, stride, name), conv(filters, 3)]
        : [
            conv(inner, 1, strideFirst ? stride : 1, name),
            conv(inner, 3, strideFirst ? 1 : stride, name),
            conv(filters, 1),
          ],
    );
    this.#activation = activationOf(name);
  }
  protected call(x: Value, context: Context): Value {
    return this.#activation(add(this.layer.apply(x, context), this.shortcut?.apply(x, context) ?? x));
  }
}

/** Images [N, C, H, W] → a map [N, width, H/32, W/32], and the mean of it [N, width]. Names as in Hugging Face's library. */
export class ResNetBackbone extends Module<Value, EncoderOutputs> {
  readonly embedder: { readonly embedder: Chain };
  readonly pooler: Module;
  readonly encoder: { readonly stages: readonly { readonly layers: readonly Layer[] }[] };
  constructor(options: ResNetBackboneOptions = {}) {
    super();
    const settings = defaults(checkOptions(options));
    const { depths, widths, stem, halveFirst } = settings;
    if (widths.length !== depths.length)
      throw new OptionError(
        `resnet: there are ${depths.length} depths and ${widths.length} widths; pass one for each stage`,
      );
    this.embedder = { embedder: conv(stem, 7, 2, settings.activation) };
    this.pooler = maxPool2d(3, { stride: 2, padding: 1 });
    this.encoder = {
      stages: depths.map((depth, stage) => ({
        layers: Array.from({ length: depth }, (_, i) => {
          const filters = widths[stage] as number;
          const channels = i > 0 ? filters : (widths[stage - 1] ?? stem);
          const halves = i === 0 && (stage > 0 || halveFirst);
          return new Layer(channels, filters, halves ? 2 : 1, settings);
        }),
      })),
    };
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    const layers = this.encoder.stages.flatMap((stage) => stage.layers);
    const parts = [this.embedder.embedder, this.pooler, ...layers];
    const states = parts.reduce((value: Value, part) => part.apply(value, context), x);
    return { states, pooled: reduceMean(states, [2, 3]) };
  }
}

/** ResNet's models by the names of Hugging Face's classes. */
export const resnetArchitectures = architectures({
  ResNetModel: (options) => new ResNetBackbone(options),
  ResNetForImageClassification: (options, { labels = 2 } = {}) =>
    headed({ resnet: new ResNetBackbone(options) }, { classifier: chain([flatten(), dense(labels)]) }, pooledOf),
} as const satisfies Architectures<ResNetBackboneOptions>);
