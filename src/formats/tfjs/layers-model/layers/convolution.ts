/** Keras's convolutions and transposed convolutions, over one to three axes. */
import * as z from "zod";
import type { Shape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import type { ConvOptions } from "../../../../nn/index.ts";
import * as nn from "../../../../nn/index.ts";
import { count } from "../../../config-fields.ts";
import { activation, extents, type Layout, layout, padding, toggle, type VersionedActivation } from "../config.ts";
import {
  type BuiltLayer,
  defineLayer,
  type KerasVersion,
  type LayerClass,
  type LayerClasses,
  type StoredAs,
} from "../layer.ts";

/** A convolution whose channels lie as the file says. */
export class Conv extends nn.Conv {
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
class Conv3d extends Conv {}

class ConvTranspose extends nn.ConvTranspose {
  readonly #layout: Layout;
  constructor(filters: number, kernel: Shape, options: nn.ConvTransposeOptions, own: Layout) {
    super(kernel.length, filters, kernel, options);
    this.#layout = own;
  }
  protected override call(x: Value, context: nn.Context): Value {
    return this.#layout.back(super.call(this.#layout.into(x), context));
  }
}

class ConvTranspose1d extends ConvTranspose {}
class ConvTranspose2d extends ConvTranspose {}
class ConvTranspose3d extends ConvTranspose {}

/** Settings of a window over `rank` axes. */
export const windowFields = (rank: number) => ({
  kernel_size: extents(rank),
  strides: extents(rank).default(new Array<number>(rank).fill(1)),
  dilation_rate: extents(rank).default(new Array<number>(rank).fill(1)),
  data_format: layout,
  use_bias: toggle(true),
  activation,
});

/** How a window over one axis meets the border; "causal" looks back only. */
const sequencePadding = z
  .enum(["valid", "same", "causal"], { error: "valid, same or causal" })
  .nullish()
  .transform((value) => value ?? "valid");

/** How a window over `rank` axes meets the border. */
export const paddingOf = (rank: number): typeof sequencePadding | typeof padding =>
  rank === 1 ? sequencePadding : padding;

interface WindowFields {
  readonly kernel_size: Shape;
  readonly strides: Shape;
  readonly dilation_rate: Shape;
  readonly padding: z.output<typeof sequencePadding>;
  readonly use_bias: boolean;
}

/** Options of ours for what every convolution has. */
export function optionsOf({ kernel_size: kernel, strides, dilation_rate, padding: way, use_bias }: WindowFields) {
  // Output t sees nothing after input t.
  const causal = () => kernel.map((extent, i) => [(extent - 1) * (dilation_rate[i] ?? 1), 0] as const);
  return {
    stride: strides,
    dilation: dilation_rate,
    padding: way === "same" ? ("same" as const) : way === "causal" ? causal() : 0,
    bias: use_bias,
  };
}

/** Keras's softmax goes along the last axis, where the channels may or may not be. */
export function activated(
  fields: { readonly activation: VersionedActivation; readonly data_format: Layout },
  keras: KerasVersion,
): (y: Value) => Value {
  const apply = fields.activation(keras);
  return (y) => apply(y, fields.data_format.isLast ? 1 : -1);
}

const bias: StoredAs = { name: "bias" };

/** [kernel…, I, O] of the file as [O, I, kernel…]; of a transposed convolution O and I are the other way round. */
export const kernelOf = (rank: number): StoredAs => ({
  name: "kernel",
  axes: [rank + 1, rank, ...new Array(rank).keys()],
});

function convolution(Kind: typeof Conv, rank: number): LayerClass {
  const schema = z.object({
    ...windowFields(rank),
    filters: count(),
    groups: count().nullish(),
    padding: paddingOf(rank),
  });
  return defineLayer(schema, (fields, { keras }): BuiltLayer => {
    const options = { ...optionsOf(fields), groups: fields.groups ?? 1, activation: activated(fields, keras) };
    const module = new Kind(fields.filters, fields.kernel_size, options, fields.data_format);
    return { module, weights: { weight: kernelOf(rank), bias } };
  });
}

function transposed(Kind: typeof ConvTranspose, rank: number): LayerClass {
  const schema = z.object({
    ...windowFields(rank),
    filters: count(),
    padding,
    output_padding: extents(rank, 0).nullish(),
  });
  return defineLayer(schema, (fields, { keras }): BuiltLayer => {
    const { filters, kernel_size: kernel, strides, dilation_rate, data_format, output_padding } = fields;
    // Without padding Keras gives what lies between the windows too: inputs times the stride at least.
    const between = kernel.map((extent, i) =>
      Math.max(0, (strides[i] ?? 1) - (dilation_rate[i] ?? 1) * (extent - 1) - 1),
    );
    const options: nn.ConvTransposeOptions = {
      ...optionsOf(fields),
      activation: activated(fields, keras),
      ...(fields.padding === "valid" && { outputPadding: between }),
      ...(output_padding && sized(kernel, fields.padding, output_padding)),
    };
    return {
      module: new Kind(filters, kernel, options, data_format),
      weights: { weight: kernelOf(rank), bias },
    };
  });
}

/** With output_padding Keras cuts half a kernel from each side of what "valid" gives, and less at the begin. */
function sized(kernel: Shape, way: WindowFields["padding"], added: Shape): nn.ConvTransposeOptions {
  const cut = kernel.map((extent, i) => (way === "same" ? 2 * Math.floor(extent / 2) : 0) - (added[i] ?? 0));
  return {
    padding: cut.map((width) => [Math.floor(Math.max(0, width) / 2), Math.ceil(Math.max(0, width) / 2)]),
    outputPadding: cut.map((width) => Math.max(0, -width)),
  };
}

export const convolutionClasses: LayerClasses = {
  Conv1D: convolution(Conv1d, 1),
  Conv2D: convolution(Conv2d, 2),
  Conv3D: convolution(Conv3d, 3),
  Conv1DTranspose: transposed(ConvTranspose1d, 1),
  Conv2DTranspose: transposed(ConvTranspose2d, 2),
  Conv3DTranspose: transposed(ConvTranspose3d, 3),
};
