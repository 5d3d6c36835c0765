/** Normalization of groups of channels, sample by sample (Wu and He 2018). */
import { ShapeError } from "../../core/errors.ts";
import { flag, nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { groupNorm as groupNormOp } from "../../ops/index.ts";
import type { Context } from "../context.ts";
import { Module } from "../module.ts";
import { requireCount } from "../options.ts";
import { affineOf } from "./normalization.ts";

/** Options of `groupNorm`. */
export interface GroupNormOptions {
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
  /** Learn a factor for each channel; default true. */
  readonly scale?: boolean;
  /** Learn a bias for each channel; default true. */
  readonly center?: boolean;
}

const checkOptions = optionsOf<GroupNormOptions>("groupNorm", { epsilon: nonNegative, scale: flag, center: flag });

/** Group normalization as a layer: [N, C, …] → [N, C, …]. Make one with `groupNorm`. */
export class GroupNorm extends Module {
  override readonly kind = "normalization";
  readonly groups: number;
  readonly options: GroupNormOptions;
  constructor(groups: number, options: GroupNormOptions = {}) {
    super();
    requireCount("groupNorm", "groups", groups);
    this.groups = groups;
    this.options = checkOptions(options);
  }
  protected call(x: Value, context: Context): Value {
    const [, channels = 0] = x.shape;
    if (x.rank < 3 || channels % this.groups !== 0)
      throw new ShapeError(
        `input ${showShape(x.shape)} needs channels that ${this.groups} groups divide, and axes behind them; pass [batch, channels, …spatial], or other groups`,
      );
    const { scale, bias } = affineOf(this, context, [channels], this.options);
    return groupNormOp(x, scale, bias, { groups: this.groups, epsilon: this.options.epsilon ?? 1e-5 });
  }
}

/**
 * Normalizes groups of neighbouring channels of each sample to mean 0 and variance 1, then scales and shifts each channel: [N, C, …] → [N, C, …]
 * (Wu and He 2018). No sample depends on others, as under batch normalization: it suits small batches, and training with differential privacy.
 * Throws OptionError unless `groups` is a whole number from 1, ShapeError where the groups do not divide the channels.
 * @example
 * sequential([conv2d(64, 3, { padding: 1, bias: false }), groupNorm(8), activation("relu")]);
 */
export const groupNorm = (groups: number, options?: GroupNormOptions): GroupNorm => new GroupNorm(groups, options);
