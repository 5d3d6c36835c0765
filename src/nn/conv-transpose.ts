/** Transposed convolution layers: the upsampling counterpart of convolution. */
import type { Shape } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import { convTranspose } from "../ops/index.ts";
import { activationOf } from "./activations.ts";
import type { Context } from "./context.ts";
import { type ConvOptions, type PerAxis, perAxis, requireChannels, requireGroups, resolvePadding } from "./conv.ts";
import { initializerOf, zerosInit } from "./initializers.ts";
import { Module } from "./module.ts";
import { requireCount } from "./options.ts";

export interface ConvTransposeOptions extends ConvOptions {
  /** Extra rows behind the output, to choose among the extents that a stride maps to one; default 0. */
  readonly outputPadding?: PerAxis;
}

/** Transposed convolution over `rank` spatial axes. */
export class ConvTranspose extends Module {
  readonly kind = "convolution";
  readonly rank: number;
  readonly filters: number;
  readonly kernel: Shape;
  readonly options: ConvTransposeOptions;
  override readonly label: string | undefined;
  constructor(rank: number, filters: number, kernel: PerAxis, options: ConvTransposeOptions = {}) {
    super();
    requireCount("convTranspose", "filters", filters);
    this.rank = rank;
    this.filters = filters;
    this.kernel = perAxis("kernel", kernel, rank);
    this.options = options;
    this.label = options.name;
  }
  override formula(): string {
    const [into, out, ...kernel] = this.own.get("weight")?.shape ?? [];
    return [...kernel, into, out].join("·") + (this.own.has("bias") ? ` + ${this.filters}` : "");
  }
  protected call(x: Value, context: Context): Value {
    const { groups = 1, bias = true, activation = "linear", initializer = "glorotUniform", regularizer } = this.options;
    const channels = requireChannels(x, this.rank, this.options.inChannels);
    requireGroups(channels, this.filters, groups);
    const strides = perAxis("stride", this.options.stride ?? 1, this.rank);
    const dilations = perAxis("dilation", this.options.dilation ?? 1, this.rank);
    const w = context.parameter(this, "weight", {
      shape: [channels, this.filters / groups, ...this.kernel],
      initializer: initializerOf(initializer),
      ...(regularizer && { regularizer }),
    });
    const b = bias ? context.parameter(this, "bias", { shape: [this.filters], initializer: zerosInit }) : undefined;
    const padding = resolvePadding(this.options.padding ?? 0, this.kernel, dilations, strides);
    const outputPadding = perAxis("outputPadding", this.options.outputPadding ?? 0, this.rank, 0);
    return activationOf(activation)(
      convTranspose(x, w, { strides, dilations, padding, groups, outputPadding, ...(b && { bias: b }) }),
    );
  }
}

export class ConvTranspose1d extends ConvTranspose {}
export class ConvTranspose2d extends ConvTranspose {}

/** [N, C, L] → [N, filters, L']; weight [C, filters / groups, kernel]. */
export const convTranspose1d = (filters: number, kernel: number, options?: ConvTransposeOptions): ConvTranspose1d =>
  new ConvTranspose1d(1, filters, kernel, options);
/** [N, C, H, W] → [N, filters, H', W']; weight [C, filters / groups, kernelH, kernelW]. */
export const convTranspose2d = (filters: number, kernel: PerAxis, options?: ConvTransposeOptions): ConvTranspose2d =>
  new ConvTranspose2d(2, filters, kernel, options);
