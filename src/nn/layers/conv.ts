/** Convolution layers over one and two spatial axes. */
import { number } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import { conv, type ConvOptions as OpOptions } from "../../ops/index.ts";
import { type ConvOptions, Convolution, convolutionTypes, type PerAxis } from "./convolution.ts";

const checkOptions = optionsOf<ConvOptions>("conv", { ...convolutionTypes, groups: number });

/** Convolution over `rank` spatial axes, which every convolution layer is. Make one with `conv1d` or `conv2d`. */
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

/** Convolution of sequences: [N, C, L] → [N, filters, L']. Make one with `conv1d`. */
export class Conv1d extends Conv {}
/** Convolution of images: [N, C, H, W] → [N, filters, H', W']. Make one with `conv2d`. */
export class Conv2d extends Conv {}

/**
 * Convolution of sequences: [N, C, L] → [N, filters, L'], with L' = ⌊(L + before + after - dilation · (kernel - 1) - 1)
 * / stride⌋ + 1. The weight is [filters, C / groups, kernel], the bias [filters]. Throws OptionError for options that
 * make no sense, ShapeError for an input that does not fit.
 */
export const conv1d = (filters: number, kernel: number, options: ConvOptions = {}): Conv1d =>
  new Conv1d(1, filters, kernel, options);
/**
 * Convolution of images: [N, C, H, W] → [N, filters, H', W'], each extent as in `conv1d`. The weight is [filters, C /
 * groups, kernelH, kernelW], the bias [filters], as in PyTorch.
 * @example
 * conv2d(32, 3, { padding: "same", activation: "relu" }); // [N, 3, 32, 32] → [N, 32, 32, 32]
 */
export const conv2d = (filters: number, kernel: PerAxis, options: ConvOptions = {}): Conv2d =>
  new Conv2d(2, filters, kernel, options);
