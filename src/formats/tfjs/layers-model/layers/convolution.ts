/** Keras's convolutions: Conv1D, Conv2D, Conv2DTranspose, DepthwiseConv2D, SeparableConv2D. */
import { z } from "zod";
import type { Shape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import * as nn from "../../../../nn/index.ts";
import { type ConvOptions, glorotUniform, Module, zerosInit } from "../../../../nn/index.ts";
import { requireChannels, resolvePadding } from "../../../../nn/layers/convolution.ts";
import { conv, reshape } from "../../../../ops/index.ts";
import { count } from "../../../families/config-fields.ts";
import { activation, extents, type Layout, layout, padding, toggle } from "../config.ts";
import { type BuiltLayer, defineLayer, type LayerClasses, type StoredAs } from "../layer.ts";

/** A convolution whose channels lie as the file says. */
class Conv extends nn.Conv {
  readonly #layout: Layout;
  constructor(filters: number, kernel: Shape, options: ConvOptions, own: Layout) {
    super(kernel.length, filters, kernel, options);
    this.#layout = own;
  }
  protected override call(x: Value, context: nn.Context): Value {
    return this.#layout.back(super.call(this.#layout.into(x), context));
  }
}

class Conv1d extends Conv {}
class Conv2d extends Conv {}

class ConvTranspose2d extends nn.ConvTranspose2d {
  readonly #layout: Layout;
  constructor(filters: number, kernel: Shape, options: nn.ConvTransposeOptions, own: Layout) {
    super(2, filters, kernel, options);
    this.#layout = own;
  }
  protected override call(x: Value, context: nn.Context): Value {
    return this.#layout.back(super.call(this.#layout.into(x), context));
  }
}

interface DepthwiseOptions extends Pick<ConvOptions, "stride" | "padding" | "dilation" | "bias"> {
  readonly kernel: Shape;
  readonly stride: Shape;
  readonly dilation: Shape;
  /** Filters over each channel. */
  readonly multiplier: number;
  readonly activation?: (y: Value) => Value;
}

/** Convolves each channel alone: [N, H, W, C] → [N, H', W', C · multiplier]; weight [C, multiplier, kernelH, kernelW]. */
class DepthwiseConv2d extends Module {
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
    const channels = requireChannels(x, 2);
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

/** A depthwise convolution, then one of 1x1 that mixes the channels (Chollet 2017). */
class SeparableConv2d extends Module {
  readonly depthwise: DepthwiseConv2d;
  readonly pointwise: Conv2d;
  constructor(depthwise: DepthwiseOptions, filters: number, pointwise: ConvOptions, own: Layout) {
    super();
    this.depthwise = new DepthwiseConv2d(depthwise, own);
    this.pointwise = new Conv2d(filters, [1, 1], pointwise, own);
  }
  protected call(x: Value, context: nn.Context): Value {
    return this.pointwise.apply(this.depthwise.apply(x, context), context);
  }
}

/** Settings of a window over `rank` axes. */
const windowFields = (rank: number) => ({
  kernel_size: extents(rank),
  strides: extents(rank).default(new Array<number>(rank).fill(1)),
  dilation_rate: extents(rank).default(new Array<number>(rank).fill(1)),
  data_format: layout,
  use_bias: toggle(true),
  activation,
});
const groups = count().nullish();

/** Options of ours for what every convolution has. */
function optionsOf(fields: {
  readonly strides: Shape;
  readonly dilation_rate: Shape;
  readonly padding: "valid" | "same";
  readonly use_bias: boolean;
}) {
  return {
    stride: fields.strides,
    dilation: fields.dilation_rate,
    padding: fields.padding === "same" ? ("same" as const) : 0,
    bias: fields.use_bias,
  };
}

/** Keras's softmax goes along the last axis, where the channels may or may not be. */
const activated =
  ({
    activation: apply,
    data_format,
  }: {
    readonly activation: (x: Value, axis: number) => Value;
    data_format: Layout;
  }) =>
  (y: Value): Value =>
    apply(y, data_format.isLast ? 1 : -1);

const bias: StoredAs = { name: "bias" };
const kernel1d: StoredAs = { name: "kernel", axes: [2, 1, 0] };
const kernel2d: StoredAs = { name: "kernel", axes: [3, 2, 0, 1] };

const Conv1D = defineLayer(
  z.object({
    ...windowFields(1),
    filters: count(),
    groups,
    padding: z.enum(["valid", "same", "causal"], { error: "valid, same or causal" }).default("valid"),
  }),
  (fields): BuiltLayer => {
    const { filters, kernel_size: kernel, dilation_rate, data_format } = fields;
    // Output t sees nothing after input t.
    const before = ((kernel[0] ?? 1) - 1) * (dilation_rate[0] ?? 1);
    const same = optionsOf({ ...fields, padding: fields.padding === "same" ? "same" : "valid" });
    const options: ConvOptions = {
      ...same,
      ...(fields.padding === "causal" && { padding: [[before, 0]] as const }),
      groups: fields.groups ?? 1,
      activation: activated(fields),
    };
    return { module: new Conv1d(filters, kernel, options, data_format), weights: { weight: kernel1d, bias } };
  },
);

const Conv2D = defineLayer(
  z.object({ ...windowFields(2), filters: count(), groups, padding }),
  (fields): BuiltLayer => {
    const options = { ...optionsOf(fields), groups: fields.groups ?? 1, activation: activated(fields) };
    const module = new Conv2d(fields.filters, fields.kernel_size, options, fields.data_format);
    return { module, weights: { weight: kernel2d, bias } };
  },
);

const Conv2DTranspose = defineLayer(
  z.object({ ...windowFields(2), filters: count(), padding, output_padding: extents(2, 0).nullish() }),
  (fields): BuiltLayer => {
    const { filters, kernel_size: kernel, strides, dilation_rate, data_format, output_padding } = fields;
    // Without padding Keras gives what lies between the windows too: inputs times the stride at least.
    const between = kernel.map((extent, i) =>
      Math.max(0, (strides[i] ?? 1) - (dilation_rate[i] ?? 1) * (extent - 1) - 1),
    );
    const options: nn.ConvTransposeOptions = {
      ...optionsOf(fields),
      activation: activated(fields),
      ...(fields.padding === "valid" && { outputPadding: between }),
      ...(output_padding && sized(kernel, fields.padding, output_padding)),
    };
    return {
      module: new ConvTranspose2d(filters, kernel, options, data_format),
      weights: { weight: kernel2d, bias },
    };
  },
);

/** With output_padding Keras cuts half a kernel from each side of what "valid" gives, and less at the begin. */
function sized(kernel: Shape, way: "valid" | "same", added: Shape): nn.ConvTransposeOptions {
  const cut = kernel.map((extent, i) => (way === "same" ? 2 * Math.floor(extent / 2) : 0) - (added[i] ?? 0));
  return {
    padding: cut.map((width) => [Math.floor(Math.max(0, width) / 2), Math.ceil(Math.max(0, width) / 2)]),
    outputPadding: cut.map((width) => Math.max(0, -width)),
  };
}

const depthwiseFields = { ...windowFields(2), padding, depth_multiplier: count().default(1) };
const depthwiseKernel = (name: string): StoredAs => ({ name, axes: [2, 3, 0, 1] });

const DepthwiseConv2D = defineLayer(
  z.object(depthwiseFields),
  (fields): BuiltLayer => ({
    module: new DepthwiseConv2d(
      {
        ...optionsOf(fields),
        kernel: fields.kernel_size,
        multiplier: fields.depth_multiplier,
        activation: activated(fields),
      },
      fields.data_format,
    ),
    weights: { weight: depthwiseKernel("depthwise_kernel"), bias },
  }),
);

const SeparableConv2D = defineLayer(
  z.object({ ...depthwiseFields, filters: count(), depth_multiplier: count().nullish() }),
  (fields, { stored }): BuiltLayer => {
    // TensorFlow.js leaves the multiplier out when it saves.
    const multiplier = fields.depth_multiplier ?? stored("depthwise_kernel")?.[3] ?? 1;
    const module = new SeparableConv2d(
      { ...optionsOf(fields), kernel: fields.kernel_size, multiplier, bias: false },
      fields.filters,
      { bias: fields.use_bias, activation: activated(fields) },
      fields.data_format,
    );
    return {
      module,
      weights: {
        "depthwise.weight": depthwiseKernel("depthwise_kernel"),
        "pointwise.weight": { ...kernel2d, name: "pointwise_kernel" },
        "pointwise.bias": bias,
      },
    };
  },
);

export const convolutionClasses: LayerClasses = { Conv1D, Conv2D, Conv2DTranspose, DepthwiseConv2D, SeparableConv2D };
