/** What the convolutional architectures are put together from: named chains, and convolutions with batch normalization. */

import type { Value } from "../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  batchNorm,
  type Context,
  type ConvOptions,
  conv2d,
  fans,
  type Initializer,
  Module,
  normalInit,
  type PerAxis,
} from "../../nn/index.ts";

/** Modules run one after the other, whose names are their paths within the chain: `features.0`, `features.conv0`. */
export class Chain extends Module {
  readonly #links: readonly Module[];
  constructor(links: readonly Module[] | Readonly<Record<string, Module>>) {
    super();
    Object.assign(this, links);
    this.#links = Object.values(links);
  }
  protected call(x: Value, context: Context): Value {
    return this.#links.reduce((value, link) => link.apply(value, context), x);
  }
}

/**
 * Chains modules without a `layers` in their paths, as published weights are named.
 * @example
 * const features = chain([conv2d(64, 3), activation("relu")]); // features.0.weight
 * const stem = chain({ conv: conv2d(64, 3), bn: batchNorm() }); // stem.conv.weight, stem.bn.weight
 */
export const chain = (links: readonly Module[] | Readonly<Record<string, Module>>): Chain => new Chain(links);

/** Padding that keeps the extents of an odd kernel at stride 1. */
export const half = (kernel: readonly [number, number]): readonly (readonly [number, number])[] =>
  kernel.map((extent) => [(extent - 1) / 2, (extent - 1) / 2]);

/** Variance 2 / fanOut, for ReLU (He et al. 2015, eq. 14). */
export const heNormalFanOut: Initializer = (shape, random) =>
  normalInit(0, Math.sqrt(2 / fans(shape).fanOut))(shape, random);

/** A convolution without bias, which batch normalization would cancel. */
export const plainConv = (filters: number, kernel: PerAxis, options: ConvOptions = {}) =>
  conv2d(filters, kernel, { bias: false, initializer: "heNormal", ...options });

/** Convolution (0), batch normalization (1) and activation (2); an odd kernel keeps the extents at stride 1. */
export const convNormActivation = (
  filters: number,
  kernel: number,
  activationName: ActivationName,
  options: ConvOptions = {},
): Chain =>
  chain([
    plainConv(filters, kernel, { padding: (kernel - 1) / 2, ...options }),
    batchNorm(),
    activation(activationName),
  ]);

/** Convolution (conv), batch normalization (bn) and ReLU, as in the Inception networks. */
export const inceptionConv = (filters: number, kernel: PerAxis, options: ConvOptions = {}): Chain =>
  chain({ conv: plainConv(filters, kernel, options), bn: batchNorm({ epsilon: 1e-3 }), relu: activation("relu") });

/** The multiple of 8 nearest to a scaled channel count, at most a tenth below it (Sandler et al. 2018, as released). */
export function scaledChannels(channels: number, width: number): number {
  const wanted = channels * width;
  const rounded = Math.max(8, Math.floor((wanted + 4) / 8) * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}
