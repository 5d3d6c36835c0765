/** Transposed convolution layers: the upsampling counterpart of convolution. */
import { optionsOf } from "../../core/options.ts";
import type { Shape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { convTranspose, type ConvOptions as OpOptions } from "../../ops/index.ts";
import { type ConvOptions, Convolution, convolutionTypes, type PerAxis, perAxis, perAxisType } from "./convolution.ts";

/** Options of `convTranspose1d` and `convTranspose2d`. */
export interface ConvTransposeOptions extends Omit<ConvOptions, "groups"> {
  /**
   * Extra rows after the output, to choose among the extents that a stride maps to one; default 0, with padding "same"
   * what the outputs lack of the inputs times the stride.
   */
  readonly outputPadding?: PerAxis;
}

const checkOptions = optionsOf<ConvTransposeOptions>("convTranspose", {
  ...convolutionTypes,
  outputPadding: perAxisType,
});

/**
 * Transposed convolution over `rank` spatial axes, which every transposed convolution layer is. Make one with
 * `convTranspose1d` or `convTranspose2d`.
 */
export class ConvTranspose extends Convolution<ConvTransposeOptions> {
  constructor(rank: number, filters: number, kernel: PerAxis, options: ConvTransposeOptions = {}) {
    super(rank, filters, kernel, checkOptions(options));
  }
  protected weightChannels(channels: number, groups: number): readonly [number, number] {
    return [channels, this.filters / groups];
  }
  /** "same" is that of the convolution whose transpose this is: over the output, the input times the stride. */
  protected override padded(spatial: Shape, strides: Shape): Shape {
    return spatial.map((extent, i) => extent * (strides[i] ?? 1));
  }
  protected convolve(x: Value, w: Value, options: OpOptions): Value {
    const { strides = [], dilations = [] } = options;
    const lacking = this.kernel.map((extent, i) =>
      this.options.padding === "same" ? Math.max(0, (strides[i] ?? 1) - (dilations[i] ?? 1) * (extent - 1) - 1) : 0,
    );
    const outputPadding = perAxis("outputPadding", this.options.outputPadding ?? lacking, this.rank, 0);
    return convTranspose(x, w, { ...options, outputPadding });
  }
}

/** Transposed convolution of sequences: [N, C, L] → [N, filters, L']. Make one with `convTranspose1d`. */
export class ConvTranspose1d extends ConvTranspose {}
/** Transposed convolution of images: [N, C, H, W] → [N, filters, H', W']. Make one with `convTranspose2d`. */
export class ConvTranspose2d extends ConvTranspose {}

/**
 * Transposed convolution of sequences, which lengthens them: [N, C, L] → [N, filters, L'], with L' = (L - 1) · stride -
 * before - after + dilation · (kernel - 1) + 1 + outputPadding. The weight is [C, filters, kernel]. Throws
 * OptionError for options that make no sense, ShapeError for an input that does not fit.
 */
export const convTranspose1d = (filters: number, kernel: number, options: ConvTransposeOptions = {}): ConvTranspose1d =>
  new ConvTranspose1d(1, filters, kernel, options);
/**
 * Transposed convolution of images, which enlarges them: [N, C, H, W] → [N, filters, H', W'], each extent as in
 * `convTranspose1d`. The weight is [C, filters, kernelH, kernelW].
 * @example
 * convTranspose2d(32, 4, { stride: 2, padding: 1 }); // [N, 64, 7, 7] → [N, 32, 14, 14]
 */
export const convTranspose2d = (
  filters: number,
  kernel: PerAxis,
  options: ConvTransposeOptions = {},
): ConvTranspose2d => new ConvTranspose2d(2, filters, kernel, options);
