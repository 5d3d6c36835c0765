/** DINOv2: ViT that learns without labels, with scaled branches (Oquab et al. 2023). */
import { flag, number } from "../../../core/option-types.ts";
import { optionsOf } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import { type Context, constantInit, dense, dropout, layerNorm, Module } from "../../../nn/index.ts";
import { concat, mul, reduceMean, slice } from "../../../ops/index.ts";
import { chain } from "../../shared/blocks.ts";
import { type Architectures, architectures, type EncoderOutputs, headed } from "../../shared/heads.ts";
import { GatedNetwork, plainNetwork } from "../../shared/networks.ts";
import { initial, SelfAttention } from "../../shared/tokens.ts";
import { imageClassifier, tokenAt, VitModel, type VitOptions, VitResidual, type VitSettings } from "./vit.ts";

/** What sets DINOv2 apart. */
export interface DinoVariant {
  /** What the vectors that branches are multiplied by begin at; default 1. */
  readonly layerScale?: number;
  /** The networks are gated; default false. */
  readonly gated?: boolean;
}

/** Options of DINOv2's models. */
export interface Dinov2Options extends VitOptions {
  /** What sets its sizes apart. */
  readonly dino?: DinoVariant;
}

const checkVariant = optionsOf<DinoVariant>("dino", { layerScale: number, gated: flag });

/** Times a vector of its own, near 0 at first (Touvron et al. 2021, Going deeper with image transformers, sec. 2). */
class LayerScale extends Module {
  readonly #start: number;
  constructor(start: number) {
    super();
    this.#start = start;
  }
  protected call(x: Value, context: Context): Value {
    const initializer = constantInit(this.#start);
    return mul(x, context.parameter(this, "lambda1", { shape: x.shape.slice(-1), initializer }));
  }
}

/** A block of DINOv2's under Hugging Face's names. */
function dinoLayer(settings: VitSettings, { layerScale = 1, gated = false }: DinoVariant): VitResidual {
  const { width, heads, feedForward, activation: name, epsilon, ...options } = settings;
  const initializer = initial(options.deviation);
  const attention = {
    attention: new SelfAttention({
      width,
      heads,
      dropout: options.attentionDropout,
      bias: options.attentionBias,
      initializer,
    }),
    output: chain({ dense: dense(width, { initializer }), dropout: dropout(options.dropout) }),
  };
  const form = { width, initializer, bias: true };
  // Two thirds of the features, in multiples of 8: as many parameters as without the gate.
  const inside = 8 * Math.ceil(Math.floor((feedForward * 2) / 3) / 8);
  const mlp = gated
    ? new GatedNetwork(["weights_in", "weights_out"], { ...form, feedForward: inside, activation: "silu" })
    : plainNetwork(["fc1", "fc2"], { ...form, feedForward, activation: name });
  const [norm1, norm2] = [layerNorm({ epsilon }), layerNorm({ epsilon })];
  const [layer_scale1, layer_scale2] = [new LayerScale(layerScale), new LayerScale(layerScale)];
  return new VitResidual({ norm1, attention, layer_scale1, norm2, mlp, layer_scale2 }, [
    [norm1, attention.attention, attention.output, layer_scale1],
    [norm2, mlp, layer_scale2],
  ]);
}

const dinov2 = ({ dino = {}, ...options }: Dinov2Options) => {
  const variant = checkVariant(dino);
  const tokens = { mask: true, ...options.tokens };
  return new VitModel({ ...options, pooler: false, tokens }, (settings) => dinoLayer(settings, variant));
};

/** The class token beside the mean of the patches: [N, T, W] → [N, 2W]. */
const tokenAndMean = ({ states }: EncoderOutputs): Value =>
  concat([tokenAt(states, 0), reduceMean(slice(states, { axis: 1, start: 1 }), 1)], 1);

/** DINOv2's models by the names of Hugging Face's classes. */
export const dinov2Architectures = architectures({
  Dinov2Model: (options) => dinov2(options),
  Dinov2ForImageClassification: (options, { labels } = {}) =>
    headed({ dinov2: dinov2(options) }, { classifier: imageClassifier(options, labels) }, tokenAndMean),
} as const satisfies Architectures<Dinov2Options>);
