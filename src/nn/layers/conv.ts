/** Convolution layers over one and two spatial axes. */
import { number } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { conv, type ConvOptions as OpOptions } from "../../ops/index.ts";
import { type ConvOptions, Convolution, convolutionTypes, type PerAxis } from "./convolution.ts";

const checkOptions = optionsOf<ConvOptions>("conv", { ...convolutionTypes, groups: number });

/** Convolution over `rank` spatial axes. */
export class Conv extends Convolution<ConvOptions> {
  constructor(rank: number, filters: number, kernel: PerAxis, options: ConvOptions = {}) {
    super(rank, filters, kernel, checkOptions(options));
  }
  protected weightChannels(channels: number, groups: number): readonly [number, number] {
    return [this.filters, channels / groups];
  }
  protected convolve(x: Value, w: Value, options: OpOptions): Value {
    return conv(x, w, options);
  }
}

export class Conv1d extends Conv {}
export class Conv2d extends Conv {}

/** [N, C, L] → [N, filters, L']; weight [filters, C / groups, kernel]. */
export const conv1d = (filters: number, kernel: number, options: ConvOptions = {}): Conv1d =>
  new Conv1d(1, filters, kernel, options);
/** [N, C, H, W] → [N, filters, H', W']; weight [filters, C / groups, kernelH, kernelW]. */
export const conv2d = (filters: number, kernel: PerAxis, options: ConvOptions = {}): Conv2d =>
  new Conv2d(2, filters, kernel, options);
