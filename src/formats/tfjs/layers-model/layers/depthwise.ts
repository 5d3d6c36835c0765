/** Keras's convolutions of each channel alone, over one and two axes: DepthwiseConv, and SeparableConv, which mixes the channels after it. */
import * as z from "zod";
import type { Shape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import type * as nn from "../../../../nn/index.ts";
import { type ConvOptions, glorotUniform, Module, zerosInit } from "../../../../nn/index.ts";
import { requireChannels, resolvePadding } from "../../../../nn/layers/convolution.ts";
import { conv, reshape } from "../../../../ops/index.ts";
import { count } from "../../../config-fields.ts";
import type { Layout } from "../config.ts";
import { type BuiltLayer, defineLayer, type LayerClass, type LayerClasses, type StoredAs } from "../layer.ts";
import { activated, Conv, kernelOf, optionsOf, paddingOf, windowFields } from "./convolution.ts";

interface DepthwiseOptions extends Pick<ConvOptions, "padding" | "bias"> {
  readonly kernel: Shape;
  readonly stride: Shape;
  readonly dilation: Shape;
  /** Filters over each channel. */
  readonly multiplier: number;
  readonly activation?: (y: Value) => Value;
}

/** Convolves each channel alone: [N, …, C] → [N, …, C · multiplier]; weight [C, multiplier, …kernel]. */
class DepthwiseConv extends Module {
  override readonly kind = "convolution";
  readonly #options: DepthwiseOptions;
  readonly #layout: Layout;
  constructor(options: DepthwiseOptions, own: Layout) {
    super();
    this.#options = options;
    this.#layout = own;
  }
  override formula(): string {
    const { kernel, multiplier } = this.#options;
    const [channels = 0] = this.own.get("weight")?.shape ?? [];
    return [...kernel, channels, multiplier].join("·") + (this.own.has("bias") ? ` + ${channels * multiplier}` : "");
  }
  protected call(input: Value, context: nn.Context): Value {
    const { kernel, stride, dilation, multiplier, bias = true } = this.#options;
    const x = this.#layout.into(input);
    const channels = requireChannels(x, kernel.length);
    const filters = channels * multiplier;
    const weight = context.parameter(this, "weight", {
      shape: [channels, multiplier, ...kernel],
      initializer: glorotUniform,
    });
    const window = { kernel, strides: stride, dilations: dilation, spatial: x.shape.slice(2) };
    const y = conv(x, reshape(weight, [filters, 1, ...kernel]), {
      strides: stride,
      dilations: dilation,
      padding: resolvePadding(this.#options.padding ?? 0, window),
      groups: channels,
      ...(bias && { bias: context.parameter(this, "bias", { shape: [filters], initializer: zerosInit }) }),
    });
    return this.#layout.back(this.#options.activation?.(y) ?? y);
  }
}

class DepthwiseConv1d extends DepthwiseConv {}
class DepthwiseConv2d extends DepthwiseConv {}

/** A depthwise convolution, then one of a single element that mixes the channels (Chollet 2017). */
class SeparableConv extends Module {
  readonly depthwise: DepthwiseConv;
  readonly pointwise: Conv;
  constructor(depthwise: DepthwiseOptions, filters: number, pointwise: ConvOptions, own: Layout) {
    super();
    const { rank, kernel } = { rank: depthwise.kernel.length, kernel: depthwise.kernel.map(() => 1) };
    this.depthwise = new (rank === 1 ? DepthwiseConv1d : DepthwiseConv2d)(depthwise, own);
    this.pointwise = new Conv(filters, kernel, pointwise, own);
  }
  protected call(x: Value, context: nn.Context): Value {
    return this.pointwise.apply(this.depthwise.apply(x, context), context);
  }
}

class SeparableConv1d extends SeparableConv {}
class SeparableConv2d extends SeparableConv {}

/** [kernel…, C, multiplier] of the file as [C, multiplier, kernel…]; Keras 3 calls it a kernel. */
const depthwiseKernel = (rank: number, name: StoredAs["name"]): StoredAs => ({
  name,
  axes: [rank, rank + 1, ...new Array(rank).keys()],
});
const bias: StoredAs = { name: "bias" };

function depthwise(Kind: typeof DepthwiseConv, rank: number): LayerClass {
  const schema = z.object({ ...windowFields(rank), padding: paddingOf(rank), depth_multiplier: count().default(1) });
  return defineLayer(schema, (fields, { keras }): BuiltLayer => {
    const { kernel_size: kernel, depth_multiplier: multiplier, data_format } = fields;
    const module = new Kind(
      { ...optionsOf(fields), kernel, multiplier, activation: activated(fields, keras) },
      data_format,
    );
    return { module, weights: { weight: depthwiseKernel(rank, ["depthwise_kernel", "kernel"]), bias } };
  });
}

function separable(Kind: typeof SeparableConv, rank: number): LayerClass {
  const schema = z.object({
    ...windowFields(rank),
    padding: paddingOf(rank),
    filters: count(),
    depth_multiplier: count().nullish(),
  });
  return defineLayer(schema, (fields, { stored, keras }): BuiltLayer => {
    // TensorFlow.js leaves the multiplier out when it saves.
    const multiplier = fields.depth_multiplier ?? stored("depthwise_kernel")?.[rank + 1] ?? 1;
    const module = new Kind(
      { ...optionsOf(fields), kernel: fields.kernel_size, multiplier, bias: false },
      fields.filters,
      { bias: fields.use_bias, activation: activated(fields, keras) },
      fields.data_format,
    );
    return {
      module,
      weights: {
        "depthwise.weight": depthwiseKernel(rank, "depthwise_kernel"),
        "pointwise.weight": { ...kernelOf(rank), name: "pointwise_kernel" },
        "pointwise.bias": bias,
      },
    };
  });
}

export const depthwiseClasses: LayerClasses = {
  DepthwiseConv1D: depthwise(DepthwiseConv1d, 1),
  DepthwiseConv2D: depthwise(DepthwiseConv2d, 2),
  SeparableConv1D: separable(SeparableConv1d, 1),
  SeparableConv2D: separable(SeparableConv2d, 2),
};
