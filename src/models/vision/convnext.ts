/** ConvNeXt (Liu et al. 2022): a convolutional network in the manner of transformers, with Hugging Face's names. */
import { OptionError } from "../../core/errors.ts";
import { count, listOf, nameOrFunction, nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  activationFunctions,
  type Context,
  constantInit,
  conv2d,
  dense,
  type LayerNorm,
  layerNorm,
  Module,
  type TensorModule,
} from "../../nn/index.ts";
import { add, mul, reduceMean, transpose } from "../../ops/index.ts";
import { type Architectures, architectures, type EncoderOutputs, headed, pooledOf } from "../shared/heads.ts";
import { initial } from "../shared/tokens.ts";

/** Options of `ConvNextModel`. */
export interface ConvNextOptions {
  /** Layers of each stage; default 3, 3, 9, 3. */
  readonly depths?: readonly number[];
  /** Channels of each stage; default 96, 192, 384, 768. */
  readonly widths?: readonly number[];
  /** Rows of a patch, and columns; default 4. */
  readonly patch?: number;
  /** What the vectors that branches are multiplied by begin at, 0 for none; default 1e-6. */
  readonly layerScale?: number;
  /** Of the networks; default gelu. */
  readonly activation?: ActivationName;
  /** Added to the variance of the pooled state; default 1e-12. */
  readonly epsilon?: number;
  /** Standard deviation of the initial weights; default 0.02. */
  readonly deviation?: number;
}

const checkOptions = optionsOf<ConvNextOptions>("convnext", {
  depths: listOf(count(), "whole numbers"),
  widths: listOf(count(), "whole numbers"),
  patch: count(),
  layerScale: nonNegative,
  activation: nameOrFunction<ActivationName>(activationFunctions),
  epsilon: nonNegative,
  deviation: nonNegative,
});

const defaults = (options: ConvNextOptions) => ({
  depths: [3, 3, 9, 3],
  widths: [96, 192, 384, 768],
  patch: 4,
  layerScale: 1e-6,
  activation: "gelu" as ActivationName,
  epsilon: 1e-12,
  deviation: 0.02,
  ...options,
});
type Settings = ReturnType<typeof defaults>;

/** Of maps, and of all norms but the last. */
const epsilon = 1e-6;

/** Channels last: [N, C, H, W] → [N, H, W, C], and back. */
const last = (x: Value): Value => transpose(x, [0, 2, 3, 1]);
const first = (x: Value): Value => transpose(x, [0, 3, 1, 2]);

/** Normalizes the channels of each place of a map: [N, C, H, W] → [N, C, H, W]. */
const normalizeMap = (norm: LayerNorm, x: Value, context: Context): Value => first(norm.apply(last(x), context));

/** A wide convolution of each channel, a network of each place, and the input added (fig. 4). */
class Layer extends Module {
  readonly dwconv: Module;
  readonly layernorm: LayerNorm;
  readonly pwconv1: Module;
  readonly act: Module;
  readonly pwconv2: Module;
  readonly #settings: Settings;
  constructor(channels: number, settings: Settings) {
    super();
    const initializer = initial(settings.deviation);
    this.dwconv = conv2d(channels, 7, { padding: 3, groups: channels, initializer });
    this.layernorm = layerNorm({ epsilon });
    this.pwconv1 = dense(4 * channels, { initializer });
    this.act = activation(settings.activation);
    this.pwconv2 = dense(channels, { initializer });
    this.#settings = settings;
  }
  protected call(x: Value, context: Context): Value {
    const { layerScale } = this.#settings;
    const parts: readonly TensorModule[] = [this.layernorm, this.pwconv1, this.act, this.pwconv2];
    const change = parts.reduce((value, part) => part.apply(value, context), last(this.dwconv.apply(x, context))); // [N, H, W, C]
    if (layerScale === 0) return add(x, first(change));
    const initializer = constantInit(layerScale);
    const scale = context.parameter(this, "layer_scale_parameter", { shape: change.shape.slice(-1), initializer });
    return add(x, first(mul(change, scale)));
  }
}

/** Layers of one width; the first stage takes the patches as they are, others halve the map before. */
class Stage extends Module {
  readonly downsampling_layer: readonly [LayerNorm, Module] | undefined;
  readonly layers: readonly Layer[];
  constructor(index: number, settings: Settings) {
    super();
    const { depths, widths, deviation } = settings;
    const channels = widths[index] as number;
    const halve = () => conv2d(channels, 2, { stride: 2, initializer: initial(deviation) });
    this.downsampling_layer = index === 0 ? undefined : [layerNorm({ epsilon }), halve()];
    this.layers = Array.from({ length: depths[index] as number }, () => new Layer(channels, settings));
  }
  protected call(x: Value, context: Context): Value {
    const [norm, conv] = this.downsampling_layer ?? [];
    const taken = norm && conv ? conv.apply(normalizeMap(norm, x, context), context) : x;
    return this.layers.reduce((value, layer) => layer.apply(value, context), taken);
  }
}

/**
 * ConvNeXt (Liu et al. 2022): images [N, C, H, W] → a map [N, width, H/32, W/32] and the pooled state of the image. Names as in Hugging
 * Face's library.
 */
export class ConvNextModel extends Module<Value, EncoderOutputs> {
  readonly embeddings: { readonly patch_embeddings: Module; readonly layernorm: LayerNorm };
  readonly encoder: { readonly stages: readonly Stage[] };
  readonly layernorm: LayerNorm;
  constructor(options: ConvNextOptions = {}) {
    super();
    const settings = defaults(checkOptions(options));
    const { widths, depths, patch, deviation } = settings;
    if (widths.length !== depths.length)
      throw new OptionError(
        `convnext: there are ${depths.length} depths and ${widths.length} widths; pass one for each stage`,
      );
    this.embeddings = {
      patch_embeddings: conv2d(widths[0] as number, patch, { stride: patch, initializer: initial(deviation) }),
      layernorm: layerNorm({ epsilon }),
    };
    this.encoder = { stages: depths.map((_, i) => new Stage(i, settings)) };
    this.layernorm = layerNorm({ epsilon: settings.epsilon });
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    const { patch_embeddings: patches, layernorm } = this.embeddings;
    const embedded = normalizeMap(layernorm, patches.apply(x, context), context);
    const states = this.encoder.stages.reduce((value, stage) => stage.apply(value, context), embedded);
    return { states, pooled: this.layernorm.apply(reduceMean(states, [2, 3]), context) };
  }
}

/** ConvNeXt's models by the names of Hugging Face's classes. */
export const convnextArchitectures = architectures({
  ConvNextModel: (options) => new ConvNextModel(options),
  ConvNextForImageClassification: (options, { labels = 2 } = {}) =>
    headed(
      { convnext: new ConvNextModel(options) },
      { classifier: dense(labels, { initializer: initial(options.deviation) }) },
      pooledOf,
    ),
} as const satisfies Architectures<ConvNextOptions>);
