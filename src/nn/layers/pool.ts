/** Pooling layers over one and two spatial axes, and over the whole map. */

import { ShapeError } from "../../core/errors.ts";
import { flag } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type Shape, showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { averagePool, maxPool, reduceMax, reduceMean } from "../../ops/index.ts";
import { Module } from "../module.ts";
import {
  type Padding,
  type PerAxis,
  paddingType,
  perAxis,
  perAxisType,
  requireChannels,
  resolvePadding,
} from "./convolution.ts";

export interface PoolOptions {
  /** Step of the window; default its extent, so that windows do not overlap. */
  readonly stride?: PerAxis;
  readonly padding?: Padding;
  /** Round the number of windows up instead of down; default false. */
  readonly ceilMode?: boolean;
  /** Average over padding too; default true, as in PyTorch. */
  readonly countIncludePad?: boolean;
}

const checkOptions = optionsOf<PoolOptions>("pool", {
  stride: perAxisType,
  padding: paddingType,
  ceilMode: flag,
  countIncludePad: flag,
});

/** Reduces each window to its maximum or mean. */
export class Pool extends Module {
  override readonly kind = "pooling";
  readonly rank: number;
  readonly kernel: Shape;
  readonly options: PoolOptions;
  readonly #average: boolean;
  constructor(rank: number, kernel: PerAxis, average: boolean, options: PoolOptions = {}) {
    super();
    this.rank = rank;
    this.kernel = perAxis("kernel", kernel, rank);
    this.options = checkOptions(options);
    this.#average = average;
  }
  protected call(x: Value): Value {
    requireChannels(x, this.rank);
    const { stride = this.kernel, padding = 0, ceilMode = false, countIncludePad = true } = this.options;
    const strides = perAxis("stride", stride, this.rank);
    const dilations = this.kernel.map(() => 1);
    const widths = resolvePadding(padding, { kernel: this.kernel, strides, dilations, spatial: x.shape.slice(2) });
    const common = { strides, padding: widths, ceilMode };
    return this.#average
      ? averagePool(x, this.kernel, { ...common, countIncludePad })
      : maxPool(x, this.kernel, common);
  }
}

export class MaxPool1d extends Pool {}
export class MaxPool2d extends Pool {}
export class AveragePool1d extends Pool {}
export class AveragePool2d extends Pool {}

export const maxPool1d = (kernel: number, options?: PoolOptions): MaxPool1d => new MaxPool1d(1, kernel, false, options);
/** [N, C, H, W] → [N, C, H', W'], the largest element of each window. */
export const maxPool2d = (kernel: PerAxis, options?: PoolOptions): MaxPool2d =>
  new MaxPool2d(2, kernel, false, options);
export const averagePool1d = (kernel: number, options?: PoolOptions): AveragePool1d =>
  new AveragePool1d(1, kernel, true, options);
/** [N, C, H, W] → [N, C, H', W'], the mean of each window. */
export const averagePool2d = (kernel: PerAxis, options?: PoolOptions): AveragePool2d =>
  new AveragePool2d(2, kernel, true, options);

/** Reduces every spatial axis. */
export class GlobalPool extends Module {
  override readonly kind = "pooling";
  readonly #average: boolean;
  constructor(average: boolean) {
    super();
    this.#average = average;
  }
  protected call(x: Value): Value {
    if (x.rank < 3)
      throw new ShapeError(`input ${showShape(x.shape)} has no spatial axis; pass [batch, channels, …spatial]`);
    const axes = x.shape.map((_, axis) => axis).slice(2);
    return this.#average ? reduceMean(x, axes) : reduceMax(x, axes);
  }
}

export class GlobalAveragePool extends GlobalPool {}
export class GlobalMaxPool extends GlobalPool {}

/** [N, C, …] → [N, C], the mean of each channel. */
export const globalAveragePool = (): GlobalAveragePool => new GlobalAveragePool(true);
/** [N, C, …] → [N, C], the largest element of each channel. */
export const globalMaxPool = (): GlobalMaxPool => new GlobalMaxPool(false);
