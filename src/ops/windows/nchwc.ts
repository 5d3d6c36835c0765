/**
 * Operators of images whose channels stand in blocks as wide as a processor's registers, which ONNX Runtime's optimizer writes at its
 * highest level. It alone knows how wide: they run by its own kernels, on the kind of processor for which the file was written, and
 * have no gradients. Extents are those of ONNX, with the channels filled up to whole blocks.
 */
import { ShapeError } from "../../core/errors.ts";
import { showShape, size } from "../../core/shape.ts";
import type { TensorType, Value } from "../../graph/ir.ts";
import { defineOp, type OpDef, requireFloat } from "../../graph/op.ts";
import { samplesFirst } from "../samples.ts";
import { resolveWindow, type WindowAttributes, windowSchema } from "./geometry.ts";

const domain = "com.microsoft.nchwc";

/** x [N, C, H, W] with its channels in blocks. */
export const ReorderInput: OpDef = defineOp("ReorderInput", {
  domain,
  arity: "1",
  kind: "reshape",
  attributes: { channels_last: "int" },
  infer: ([x], { channels_last = 0 }) => {
    const [batch = 1, height = 1, width = 1, channels = 1] = requireFloat("ReorderInput", x).shape;
    return { dtype: x.dtype, shape: channels_last === 1 ? [batch, channels, height, width] : x.shape };
  },
  grad: "none",
  flops: () => 0,
  samples: samplesFirst,
});

/** Back from blocks: the first `channels` [N, C, H, W], or [N, H, W, C]. */
export const ReorderOutput: OpDef = defineOp("ReorderOutput", {
  domain,
  arity: "1",
  kind: "reshape",
  attributes: { channels: "int", channels_last: "int" },
  infer: ([x], { channels = x.shape[1] ?? 1, channels_last = 0 }) => {
    const [batch = 1, , height = 1, width = 1] = x.shape;
    const shape = channels_last === 1 ? [batch, height, width, channels] : [batch, channels, height, width];
    return { dtype: x.dtype, shape };
  },
  grad: "none",
  flops: () => 0,
  samples: samplesFirst,
});

/** The convolution of x with filters in blocks, a bias, a sum beside it, and then an activation. */
export const NchwcConv: OpDef = defineOp("Conv", {
  domain,
  arity: "2-4",
  kind: "convolution",
  attributes: { ...windowSchema, group: "int", activation: "string", activation_params: "floats" },
  infer: ([x, w], attributes) => {
    if (x.rank !== 4 || w.rank !== 4)
      throw new ShapeError(`Conv: ${showShape(x.shape)} and ${showShape(w.shape)} are no images and filters in blocks`);
    const { output } = resolveWindow("Conv", x.shape.slice(2), w.shape.slice(2), attributes);
    return { dtype: x.dtype, shape: [x.shape[0] ?? 1, w.shape[0] ?? 1, ...output] };
  },
  grad: "none",
  macs: ({ inputs: [, w], outputs: [y] }) => size(y.shape) * size(w.shape.slice(1)),
  samples: samplesFirst,
});

const pooled = (x: Value, attributes: WindowAttributes): TensorType => {
  const { output } = resolveWindow("pool", x.shape.slice(2), attributes.kernel_shape ?? [], attributes);
  return { dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...output] };
};
const poolSchema = { ...windowSchema, ceil_mode: "int" } as const;

export const NchwcMaxPool: OpDef = defineOp("MaxPool", {
  domain,
  arity: "1",
  kind: "pooling",
  attributes: { ...poolSchema, storage_order: "int" },
  infer: ([x], attributes) => pooled(x, attributes),
  grad: "none",
  flops: ({ outputs: [y], attributes }) => size(y.shape) * size(attributes.kernel_shape ?? []),
  samples: samplesFirst,
});

export const NchwcAveragePool: OpDef = defineOp("AveragePool", {
  domain,
  arity: "1",
  kind: "pooling",
  attributes: { ...poolSchema, count_include_pad: "int" },
  infer: ([x], attributes) => pooled(x, attributes),
  grad: "none",
  flops: ({ outputs: [y], attributes }) => size(y.shape) * size(attributes.kernel_shape ?? []),
  samples: samplesFirst,
});

const globalPool = (type: string): OpDef =>
  defineOp(type, {
    domain,
    arity: "1",
    kind: "pooling",
    infer: ([x]) => ({ dtype: x.dtype, shape: [...x.shape.slice(0, 2), 1, 1] }),
    grad: "none",
    flops: ({ inputs: [x] }) => size(x.shape),
    samples: samplesFirst,
  });
export const NchwcGlobalMaxPool: OpDef = globalPool("GlobalMaxPool");
export const NchwcGlobalAveragePool: OpDef = globalPool("GlobalAveragePool");

/** Each element repeated, or a line between neighbours, by whole factors. */
export const NchwcUpsample: OpDef = defineOp("Upsample", {
  domain,
  arity: "1",
  kind: "reshape",
  attributes: { scales: "ints", mode: "string", coordinate_transformation_mode: "string" },
  infer: ([x], { scales = [] }) => ({ dtype: x.dtype, shape: x.shape.map((extent, i) => extent * (scales[i] ?? 1)) }),
  grad: "none",
  flops: ({ outputs: [y] }) => size(y.shape),
  samples: samplesFirst,
});
