/** Normalization layers. */

import { ShapeError } from "../../core/errors.ts";
import { count, flag, nonNegative, share } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type Shape, showShape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import {
  add,
  batchNormInference,
  batchNormTrain,
  expand,
  layerNorm as layerNormOp,
  mul,
  ones,
  zeros,
} from "../../ops/index.ts";
import type { Context } from "../context.ts";
import { onesInit, zerosInit } from "../initializers.ts";
import { Module } from "../module.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
  /** Share of the batch in the running statistics; default 0.1, as in PyTorch. */
  readonly momentum?: number;
  /** Learn a factor for each channel; default true. */
  readonly scale?: boolean;
  /** Learn a bias for each channel; default true. */
  readonly center?: boolean;
}

const checkBatchNorm = optionsOf<BatchNormOptions>("batchNorm", {
  epsilon: nonNegative,
  momentum: share,
  scale: flag,
  center: flag,
});
/** Batch normalization as a layer: [N, C, …] → [N, C, …]. Make one with `batchNorm`. */
export class BatchNorm extends Module {
  override readonly kind = "normalization";
  readonly options: BatchNormOptions;
  constructor(options: BatchNormOptions = {}) {
    super();
    this.options = checkBatchNorm(options);
  }
  protected call(x: Value, context: Context): Value {
    if (x.rank < 2) throw new ShapeError(`input ${showShape(x.shape)} needs a channel axis; pass [batch, channels, …]`);
    const { epsilon = 1e-5, momentum = 0.1 } = this.options;
    const shape = [x.shape[1] ?? 1];
    const { scale, bias } = affineOf(this, context, shape, this.options);
    const mean = context.buffer(this, "running_mean", { shape, initializer: zerosInit });
    const variance = context.buffer(this, "running_var", { shape, initializer: onesInit });
    // Frozen, it is one fixed scale and shift of each channel: a frozen network gives what it gave before.
    const isFixed = !context.training || this.own.get("running_mean")?.frozen;
    if (isFixed) return batchNormInference(x, [scale, bias, mean, variance], { epsilon });
    const count = size(x.shape) / (x.shape[1] ?? 1);
    const { meanOverParts } = context;
    if (count < 2 && !meanOverParts)
      throw new ShapeError(
        `input ${showShape(x.shape)} has one element a channel, whose variance is zero; use a larger batch${x.shape[0] === 1 ? ", and leave a last batch of 1 sample out: batch(16, { dropLast: true })" : ""}`,
      );
    const batch = batchNormTrain(x, scale, bias, { epsilon, meanOverParts, near: mean });
    const blend = (running: Value, observed: Value) => add(mul(running, 1 - momentum), mul(observed, momentum));
    context.update(this, "running_mean", blend(mean, batch.mean));
    // The running variance is the unbiased one, as in PyTorch.
    context.update(this, "running_var", blend(variance, context.unbiased(batch.variance, count)));
    return batch.y;
  }
}

/**
 * Normalizes each channel of [N, C, …] by the batch while training, by running statistics otherwise and where it is
 * frozen, then scales and shifts it: [N, C, …] → [N, C, …] (Ioffe and Szegedy 2015). Throws ShapeError while training
 * for one element a channel.
 * @example
 * sequential([conv2d(64, 3, { padding: 1, bias: false }), batchNorm(), activation("relu")]);
 */
export const batchNorm = (options?: BatchNormOptions): BatchNorm => new BatchNorm(options);

/** The factor and the bias after a normalization: parameters, or constants where they are not learned. */
export function affineOf(
  module: Module,
  context: Context,
  shape: Shape,
  { scale = true, center = true }: { readonly scale?: boolean; readonly center?: boolean },
): { readonly scale: Value; readonly bias: Value } {
  return {
    scale: scale ? context.parameter(module, "weight", { shape, initializer: onesInit }) : expand(ones([]), shape),
    bias: center ? context.parameter(module, "bias", { shape, initializer: zerosInit }) : expand(zeros([]), shape),
  };
}

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** How many trailing axes are normalized together; default 1. */
  readonly axes?: number;
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
  /** Learn a factor for each element of those axes; default true. */
  readonly scale?: boolean;
  /** Learn a bias for each element of those axes; default true. */
  readonly center?: boolean;
}

const checkLayerNorm = optionsOf<LayerNormOptions>("layerNorm", {
  axes: count(),
  epsilon: nonNegative,
  scale: flag,
  center: flag,
});
/** Layer normalization as a layer: [N, …] → [N, …]. Make one with `layerNorm`. */
export class LayerNorm extends Module {
  override readonly kind = "normalization";
  readonly options: LayerNormOptions;
  constructor(options: LayerNormOptions = {}) {
    super();
    this.options = checkLayerNorm(options);
  }
  protected call(x: Value, context: Context): Value {
    const { axes = 1, epsilon = 1e-5 } = this.options;
    if (axes >= x.rank)
      throw new ShapeError(
        `input ${showShape(x.shape)} needs a batch axis before the ${axes} that are normalized together; pass fewer axes`,
      );
    const { scale, bias } = affineOf(this, context, x.shape.slice(x.rank - axes), this.options);
    return layerNormOp(x, scale, bias, { epsilon });
  }
}

/**
 * Normalizes each position over its trailing axes to mean 0 and variance 1, then scales and shifts it: [N, …] → [N, …]
 * (Ba et al. 2016). Throws ShapeError unless at least the batch axis is left out.
 * @example
 * layerNorm(); // over the features of [N, T, width]
 */
export const layerNorm = (options?: LayerNormOptions): LayerNorm => new LayerNorm(options);
