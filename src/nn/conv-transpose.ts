/** Transposed convolution layers: the upsampling counterpart of convolution. */
import { requireKnown } from "../core/options.ts";
import type { Value } from "../graph/ir.ts";
import { convTranspose, type ConvOptions as OpOptions } from "../ops/index.ts";
import { type ConvOptions, Convolution, convOptionNames, type PerAxis, perAxis } from "./convolution.ts";

export interface ConvTransposeOptions extends ConvOptions {
  /** Extra rows behind the output, to choose among the extents that a stride maps to one; default 0. */
  readonly outputPadding?: PerAxis;
}

/** Transposed convolution over `rank` spatial axes. */
export class ConvTranspose extends Convolution<ConvTransposeOptions> {
  constructor(rank: number, filters: number, kernel: PerAxis, options: ConvTransposeOptions = {}) {
    super(rank, filters, kernel, options);
    requireKnown("convTranspose", options, { ...convOptionNames, outputPadding: true });
  }
  protected weightChannels(channels: number, groups: number): readonly [number, number] {
    return [channels, this.filters / groups];
  }
  protected convolve(x: Value, w: Value, options: OpOptions): Value {
    const outputPadding = perAxis("outputPadding", this.options.outputPadding ?? 0, this.rank, 0);
    return convTranspose(x, w, { ...options, outputPadding });
  }
}

export class ConvTranspose1d extends ConvTranspose {}
export class ConvTranspose2d extends ConvTranspose {}

/** [N, C, L] → [N, filters, L']; weight [C, filters / groups, kernel]. */
export const convTranspose1d = (filters: number, kernel: number, options: ConvTransposeOptions = {}): ConvTranspose1d =>
  new ConvTranspose1d(1, filters, kernel, options);
/** [N, C, H, W] → [N, filters, H', W']; weight [C, filters / groups, kernelH, kernelW]. */
export const convTranspose2d = (
  filters: number,
  kernel: PerAxis,
  options: ConvTransposeOptions = {},
): ConvTranspose2d => new ConvTranspose2d(2, filters, kernel, options);
