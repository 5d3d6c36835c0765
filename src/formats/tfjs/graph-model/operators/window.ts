/** TensorFlow's operators over windows and channels: convolutions, pooling, batch normalization, biases. */
import { ShapeError, UnsupportedError } from "../../../../core/errors.ts";
import { type Shape, showShape, size } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import { resolvePadding } from "../../../../nn/layers/convolution.ts";
import * as ops from "../../../../ops/index.ts";
import { channelsFirst, channelsLast, elementwise } from "../../channels.ts";
import type { NodeAttributes } from "../attributes.ts";
import type { GraphNode } from "../graph-def.ts";
import { type Applied, type Operator, type Operators, UndeterminedError } from "../operator.ts";

/** How the images of a node lie, and what its attributes say of their axes. */
interface Layout {
  into(x: Value): Value;
  back(y: Value): Value;
  /** What a list with one entry for each axis says of the spatial ones. */
  spatial(list: readonly number[]): readonly number[];
}

const kept = (x: Value) => x;
const layouts: Readonly<Record<string, Layout>> = {
  NHWC: { into: channelsFirst, back: channelsLast, spatial: (list) => list.slice(1, -1) },
  NCHW: { into: kept, back: kept, spatial: (list) => list.slice(2) },
};

function layoutOf(attributes: NodeAttributes): Layout {
  const written = attributes.text("data_format", "NHWC");
  const layout = Object.hasOwn(layouts, written) ? layouts[written] : undefined;
  if (!layout) throw new UnsupportedError(`its data_format ${written} is not supported`);
  return layout;
}

type Pairs = readonly (readonly [number, number])[];

/** The window of a node over the spatial axes of x [N, C, …]. */
function windowOf(attributes: NodeAttributes, { spatial }: Layout, kernel: Shape, extents: Shape) {
  const strides = spatial(attributes.ints("strides"));
  const dilations = spatial(attributes.ints("dilations", [1, 1, 1, 1]));
  if ([kernel, strides, dilations].some((list) => list.length !== extents.length || list.some((own) => own < 1)))
    throw new ShapeError(
      `its window ${showShape(kernel)} with strides ${showShape(strides)} and dilations ${showShape(dilations)} does not slide over ${showShape(extents)}; convert the model again`,
    );
  const way = attributes.text("padding");
  const window = { kernel, strides, dilations, spatial: extents };
  if (way === "EXPLICIT") {
    const widths = attributes.ints("explicit_paddings");
    const starts = spatial(widths.filter((_, i) => i % 2 === 0));
    const ends = spatial(widths.filter((_, i) => i % 2 === 1));
    return { strides, dilations, padding: starts.map((start, i) => [start, ends[i] ?? 0] as const) as Pairs };
  }
  if (way !== "SAME" && way !== "VALID") throw new UnsupportedError(`its padding ${way} is not supported`);
  return { strides, dilations, padding: resolvePadding(way === "SAME" ? "same" : 0, window) as Pairs };
}

/** A vector over the channels of x [N, C, …]. */
const perChannel = (vector: Value, x: Value): Value =>
  ops.reshape(vector, [vector.shape[0] ?? 1, ...new Array<number>(Math.max(0, x.rank - 2)).fill(1)]);

/** What grappler, TensorFlow's optimizer, fuses after a product: y has its channels on axis 1. */
const fused: Readonly<Record<string, (y: Value, next: () => Value, attributes: NodeAttributes) => Value>> = {
  BiasAdd: (y, next) => ops.add(y, perChannel(next(), y)),
  FusedBatchNorm: (y, next, attributes) =>
    ops.batchNormInference(y, [next(), next(), next(), next()], { epsilon: attributes.float("epsilon") }),
  Relu: (y) => ops.relu(y),
  Relu6: (y) => ops.clip(y, 0, 6),
  Elu: (y) => ops.elu(y),
  LeakyRelu: (y, _, attributes) => ops.leakyRelu(y, attributes.float("leakyrelu_alpha", 0.2)),
  Sigmoid: (y) => ops.sigmoid(y),
  Tanh: (y) => ops.tanh(y),
  Prelu: (y, next) => {
    const alpha = next();
    // [C], or [H, W, C].
    const own = alpha.rank > 1 ? ops.transpose(alpha, [2, 0, 1]) : perChannel(alpha, y);
    return ops.prelu(y, own);
  },
};

/** A product of `operands` operands and what is fused after it. The first thing that is, is often its bias. */
function withFused(node: Applied, operands: number, product: (bias: Value | undefined) => Value): Value {
  const names = node.attributes.texts("fused_ops");
  let position = operands;
  const next = () => node.operand(position++);
  const hasBias = names[0] === "BiasAdd";
  const begin = product(hasBias ? next() : undefined);
  return names.slice(hasBias ? 1 : 0).reduce((y, name) => {
    const apply = Object.hasOwn(fused, name) ? fused[name] : undefined;
    if (!apply) throw new UnsupportedError(`${name}, which is fused into it, is not supported`);
    return apply(y, next, node.attributes);
  }, begin);
}

/** How many operands each fused operator takes. */
const fusedOperands: Readonly<Record<string, number>> = { BiasAdd: 1, FusedBatchNorm: 4, Prelu: 1 };

/** Positions of the operands of a node that are running statistics: a mean and a variance. */
export function statisticsOf({ op, attributes }: Pick<GraphNode, "op" | "attributes">): readonly number[] {
  if (/^FusedBatchNorm/.test(op)) return [3, 4];
  if (!/^_?Fused/.test(op)) return [];
  let position = 2;
  return attributes.texts("fused_ops").flatMap((name) => {
    const first = position;
    position += (Object.hasOwn(fusedOperands, name) ? fusedOperands[name] : undefined) ?? 0;
    return name === "FusedBatchNorm" ? [first + 2, first + 3] : [];
  });
}

/** x [N, H, W, C], w [h, w, C / groups, M] → [N, H', W', M]. */
const convolution: Operator = {
  op: ops.Conv,
  build: (node) => {
    const layout = layoutOf(node.attributes);
    const x = layout.into(node.operand(0));
    const w = ops.transpose(node.operand(1), [3, 2, 0, 1]);
    const window = windowOf(node.attributes, layout, w.shape.slice(2), x.shape.slice(2));
    const groups = (x.shape[1] ?? 1) / (w.shape[1] ?? 1);
    if (!Number.isInteger(groups))
      throw new UnsupportedError(`its weight takes ${w.shape[1]} channels of ${x.shape[1]}, which is no share of them`);
    return layout.back(withFused(node, 2, (bias) => ops.conv(x, w, { ...window, groups, ...(bias && { bias }) })));
  },
};

/** x [N, H, W, C], w [h, w, C, multiplier] → [N, H', W', C · multiplier]. */
const depthwise: Operator = {
  op: ops.Conv,
  build: (node) => {
    const layout = layoutOf(node.attributes);
    const x = layout.into(node.operand(0));
    const stored = node.operand(1);
    const [height = 1, width = 1, channels = 1, multiplier = 1] = stored.shape;
    const w = ops.reshape(ops.transpose(stored, [2, 3, 0, 1]), [channels * multiplier, 1, height, width]);
    const window = windowOf(node.attributes, layout, [height, width], x.shape.slice(2));
    return layout.back(
      withFused(node, 2, (bias) => ops.conv(x, w, { ...window, groups: channels, ...(bias && { bias }) })),
    );
  },
};

/** The gradient of a convolution, which stands for its transpose: sizes, w [h, w, M, C], x [N, H, W, C] → [N, H', W', M]. */
const transposed: Operator = {
  op: ops.ConvTranspose,
  build: (node) => {
    const layout = layoutOf(node.attributes);
    const x = layout.into(node.operand(2));
    const w = ops.transpose(node.operand(1), [3, 2, 0, 1]);
    const wanted = layout.spatial(node.known(0));
    const { strides, dilations, padding } = windowOf(node.attributes, layout, w.shape.slice(2), wanted);
    // Elements that the windows of the forward convolution do not reach.
    const outputPadding = wanted.map((extent, i) => {
      const [before, after] = padding[i] ?? [0, 0];
      const reached =
        ((x.shape[i + 2] ?? 1) - 1) * (strides[i] ?? 1) + (dilations[i] ?? 1) * ((w.shape[i + 2] ?? 1) - 1) + 1;
      return extent + before + after - reached;
    });
    if (outputPadding.some((extent) => extent < 0))
      throw new UndeterminedError(`its operand says the extents ${wanted.join(", ")}, which its windows exceed`);
    return layout.back(ops.convTranspose(x, w, { strides, dilations, padding, outputPadding }));
  },
};

/** A matrix product and what is fused after it: x [N, K], w [K, M] → [N, M]. */
const fusedMatMul: Operator = {
  op: ops.MatMul,
  build: (node) => {
    const [x, w] = [node.operand(0), node.operand(1)];
    const [transA, transB] = [node.attributes.flag("transpose_a"), node.attributes.flag("transpose_b")];
    return withFused(node, 2, (bias) => ops.linear(transA ? ops.transpose(x) : x, w, bias, { inFirst: !transB }));
  },
};

function pooling(average: boolean): Operator {
  return {
    op: average ? ops.AveragePool : ops.MaxPool,
    build: (node) => {
      const layout = layoutOf(node.attributes);
      const x = layout.into(node.operand(0));
      const sizes = node.attributes.ints("ksize");
      const kernel = layout.spatial(sizes);
      if (size(sizes) !== size(kernel)) throw new UnsupportedError("it pools over channels or samples");
      const { strides, padding } = windowOf(node.attributes, layout, kernel, x.shape.slice(2));
      const y = average
        ? ops.averagePool(x, kernel, { strides, padding, countIncludePad: false })
        : ops.maxPool(x, kernel, { strides, padding });
      return layout.back(y);
    },
  };
}

/** By running statistics, which are operands 3 and 4. */
const batchNorm: Operator = {
  op: ops.BatchNormalization,
  build: (node) => {
    if (node.attributes.flag("is_training"))
      throw new UnsupportedError("it normalizes by the moments of the batch, as in training");
    const layout = layoutOf(node.attributes);
    const x = layout.into(node.operand(0));
    const [scale, bias, mean, variance] = [node.operand(1), node.operand(2), node.operand(3), node.operand(4)];
    const epsilon = node.attributes.float("epsilon", 1e-4);
    return layout.back(ops.batchNormInference(x, [scale, bias, mean, variance], { epsilon }));
  },
};

const biasAdd: Operator = {
  op: ops.Add,
  build: (node) => {
    const [x, bias] = [node.operand(0), node.operand(1)];
    if (node.attributes.text("data_format", "NHWC") === "NCHW") return ops.add(x, perChannel(bias, x));
    return elementwise(ops.add, x, bias);
  },
};

export const windowOperators: Operators = {
  AvgPool: pooling(true),
  BiasAdd: biasAdd,
  Conv2D: convolution,
  Conv2DBackpropInput: transposed,
  DepthwiseConv2dNative: depthwise,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  FusedDepthwiseConv2dNative: depthwise,
  MaxPool: pooling(false),
  _FusedConv2D: convolution,
  _FusedMatMul: fusedMatMul,
};
