/** What the convolution layers share: their options, checks and parameters. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { flag, matching } from "../../core/option-types.ts";
import type { OptionTypes } from "../../core/options.ts";
import { type Shape, showShape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import type { ConvOptions as OpOptions } from "../../ops/index.ts";
import type { Context } from "../context.ts";
import { type Initializer, type InitializerName, initializerOf, initializerType, zerosInit } from "../initializers.ts";
import { Module } from "../module.ts";
import { requireCount } from "../options.ts";
import { type ActivationFunction, type ActivationName, activationOf, activationType } from "./activations.ts";

/** One extent for every spatial axis, or one each. */
export type PerAxis = number | Shape;

/** Options of `conv1d` and `conv2d`. */
export interface ConvOptions {
  /** Applied to the output, by name or as a function; default none. */
  readonly activation?: ActivationName | ActivationFunction;
  /** Step of the window; default 1. */
  readonly stride?: PerAxis;
  /**
   * Elements around the input: a number for both sides, [before, after] for each axis, or "same": as many outputs as
   * inputs, divided by the stride and rounded up, an odd element at the end, as in TensorFlow. Default 0.
   */
  readonly padding?: Padding;
  /** Distance between the window's elements; default 1. */
  readonly dilation?: PerAxis;
  /** Channels are convolved in this many separate groups; default 1. */
  readonly groups?: number;
  /** Add a bias; default true. */
  readonly bias?: boolean;
  /** Of the weight; default `"glorotUniform"`. The bias begins at 0. */
  readonly initializer?: InitializerName | Initializer;
}

/** Padding of a window's input: a number for both sides of every axis, "same", or [before, after] for each axis. */
export type Padding = number | "same" | readonly (readonly [number, number])[];

const isList = (value: unknown): boolean => Array.isArray(value);

/** How many of them and which, `perAxis` checks. */
export const perAxisType = matching<PerAxis>(
  "a number, or one for each axis",
  (value) => typeof value === "number" || isList(value),
);
/** Which of them, `resolvePadding` checks. */
export const paddingType = matching<Padding>(
  'a number, "same", or [before, after] for each axis',
  (value) => typeof value === "number" || value === "same" || (Array.isArray(value) && value.every(isList)),
);

/** What convolution and its transpose take. */
export const convolutionTypes: OptionTypes<Omit<ConvOptions, "groups">> = {
  activation: activationType,
  stride: perAxisType,
  padding: paddingType,
  dilation: perAxisType,
  bias: flag,
  initializer: initializerType,
};

/** One extent each for `rank` spatial axes. Throws OptionError for another number of them, or one below `least`. */
export function perAxis(what: string, extents: PerAxis, rank: number, least = 1): Shape {
  const list = typeof extents === "number" ? new Array<number>(rank).fill(extents) : extents;
  if (list.length !== rank) throw new OptionError(`${what} ${showShape(list)} needs ${rank} extents or a single one`);
  if (list.some((extent) => !Number.isSafeInteger(extent) || extent < least))
    throw new OptionError(`${what} is ${showShape(list)}; pass whole numbers from ${least}`);
  return list;
}

/** A window, and the extents over which it slides. */
interface Sliding {
  readonly kernel: Shape;
  readonly strides: Shape;
  readonly dilations: Shape;
  readonly spatial: Shape;
}

/** [before, after] for each spatial axis. */
export function resolvePadding(
  padding: Padding,
  { kernel, strides, dilations, spatial }: Sliding,
): (readonly [number, number])[] {
  if (padding === "same")
    return kernel.map((extent, i) => {
      const [stride = 1, dilation = 1, length = 1] = [strides[i], dilations[i], spatial[i]];
      const reached = (Math.ceil(length / stride) - 1) * stride + (extent - 1) * dilation + 1;
      const total = Math.max(0, reached - length);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
  const widths = typeof padding === "number" ? [padding] : padding.flat();
  if (widths.some((width) => !Number.isSafeInteger(width) || width < 0))
    throw new OptionError(`padding is ${showShape(widths)}; pass whole numbers from 0`);
  if (typeof padding === "number") return kernel.map(() => [padding, padding]);
  if (padding.length !== kernel.length)
    throw new OptionError(
      `padding has ${padding.length} pairs, the kernel ${kernel.length} axes; pass one pair an axis`,
    );
  return [...padding];
}

/** The channels of x. Throws ShapeError unless it is [batch, channels, …spatial]. */
export function requireChannels(x: Value, rank: number): number {
  if (x.rank !== rank + 2)
    throw new ShapeError(
      `input ${showShape(x.shape)} has rank ${x.rank}, expected ${rank + 2}: [batch, channels, ${rank === 1 ? "length" : "height, width"}]`,
    );
  return x.shape[1] ?? 0;
}

/** Throws ShapeError unless both channels and filters divide into the groups. */
function requireGroups(channels: number, filters: number, groups: number): void {
  requireCount("conv", "groups", groups);
  if (channels % groups !== 0 || filters % groups !== 0)
    throw new ShapeError(
      `${channels} channels and ${filters} filters do not both divide into ${groups} groups; pass groups that divide both`,
    );
}

/** What convolution and its transpose share: options, checks, the weight and the bias. */
export abstract class Convolution<Options extends ConvOptions> extends Module {
  override readonly kind = "convolution";
  readonly rank: number;
  readonly filters: number;
  readonly kernel: Shape;
  readonly options: Options;

  constructor(rank: number, filters: number, kernel: PerAxis, options: Options) {
    super();
    requireCount("conv", "filters", filters);
    this.rank = rank;
    this.filters = filters;
    this.kernel = perAxis("kernel", kernel, rank);
    this.options = options;
  }

  /** The first two extents of the weight. */
  protected abstract weightChannels(channels: number, groups: number): readonly [number, number];
  protected abstract convolve(x: Value, w: Value, options: OpOptions): Value;
  /** The extents that padding counts from. */
  protected padded(spatial: Shape, _strides: Shape): Shape {
    return spatial;
  }

  /** Kernel, channels and filters apart, then the bias: `3·3·32·64 + 64`. */
  override formula(): string {
    const [first = 0, second = 0] = this.own.get("weight")?.shape ?? [];
    const ends = first === this.filters ? [second, first] : [first, second];
    return [...this.kernel, ...ends].join("·") + (this.own.has("bias") ? ` + ${this.filters}` : "");
  }

  protected call(x: Value, context: Context): Value {
    const { groups = 1, bias = true, activation = "linear", initializer = "glorotUniform" } = this.options;
    const channels = requireChannels(x, this.rank);
    requireGroups(channels, this.filters, groups);
    const strides = perAxis("stride", this.options.stride ?? 1, this.rank);
    const dilations = perAxis("dilation", this.options.dilation ?? 1, this.rank);
    const spatial = this.padded(x.shape.slice(2), strides);
    const padding = resolvePadding(this.options.padding ?? 0, { kernel: this.kernel, strides, dilations, spatial });
    const w = context.parameter(this, "weight", {
      shape: [...this.weightChannels(channels, groups), ...this.kernel],
      initializer: initializerOf(initializer),
    });
    const b = bias ? context.parameter(this, "bias", { shape: [this.filters], initializer: zerosInit }) : undefined;
    return activationOf(activation)(
      this.convolve(x, w, { strides, dilations, padding, groups, ...(b && { bias: b }) }),
    );
  }
}
