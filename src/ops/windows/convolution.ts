/** Convolution and transposed convolution over one or more spatial axes, with every gradient. */
import { ShapeError } from "../../core/errors.ts";
import { type Shape, showShape, size } from "../../core/shape.ts";
import { requireTable } from "../../core/tables.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Node, TensorType, Value } from "../../graph/ir.ts";
import { type Attributes, apply, defineOp, type OpDef, requireFloat, requireSameDType } from "../../graph/op.ts";
import { type Rows, rowShape } from "../../graph/rows.ts";
import { constant } from "../constant.ts";
import { add } from "../elementwise.ts";
import { gather } from "../indexing.ts";
import { matmul } from "../matmul.ts";
import { concat, reshape, swapAxes, transpose } from "../movement.ts";
import { perChannel } from "../normalization/normalization.ts";
import { reduceSum } from "../reduce.ts";
import { samplesFirst } from "../samples.ts";
import { dilate, flip, pad, slice } from "../slicing.ts";
import { columnsWeightGradient, convolveColumns, fitsColumns, scatterColumns } from "./columns.ts";
import { depthwise, depthwiseTransposed, depthwiseWeightGradient, fitsBlocks } from "./depthwise.ts";
import { offsetsOf, resolveWindow, type Window, type WindowAttributes, windowSchema } from "./geometry.ts";
import { liveOffsets, narrowed, widened } from "./live-offsets.ts";
import { fitsWinograd, mirrored, winograd, winogradTransposed, winogradWeightGradient } from "./winograd.ts";

const schema = { ...windowSchema, group: "int" } as const;
type ConvAttributes = WindowAttributes & { readonly group?: number };

const spatialOf = (x: Value): Shape => x.shape.slice(2);
/** Sum over batch and spatial axes: the gradient of a bias [C]. */
const sumChannels = (g: Value): Value => reduceSum(g, [0, ...spatialOf(g).map((_, i) => i + 2)]);

function convWindow(x: Value, kernel: Shape, attributes: ConvAttributes): Window {
  return resolveWindow("conv", spatialOf(x), kernel, attributes);
}

/** Attributes with every default written out, so that gradients repeat the same window. */
const explicit = (window: Window, group: number): Attributes & ConvAttributes => ({
  kernel_shape: window.kernel,
  strides: window.strides,
  dilations: window.dilations,
  pads: [...window.begins, ...window.ends],
  group,
});

/** Throws ShapeError unless x [N, C, …] and w [M, C / group, …] fit. */
function checkConv(x: Value, w: Value, group: number, bias: Value | undefined): void {
  const [channels = 0, expected = 0, filters = 0] = [x.shape[1], (w.shape[1] ?? 0) * group, w.shape[0]];
  if (x.rank !== w.rank || x.rank < 3)
    throw new ShapeError(
      `conv: input ${showShape(x.shape)} and weight ${showShape(w.shape)} need one rank of at least 3: [batch, channels, …spatial] and [filters, channels / groups, …kernel]`,
    );
  if (channels !== expected)
    throw new ShapeError(
      `conv: input has ${channels} channel${channels === 1 ? "" : "s"}, weight expects ${expected}; pass inChannels: ${channels}`,
    );
  if (filters % group !== 0)
    throw new ShapeError(
      `conv: ${filters} filters do not divide into ${group} groups; make filters a multiple of groups`,
    );
  if (bias && bias.shape[0] !== filters)
    throw new ShapeError(`conv: bias has ${bias.shape[0]} elements, weight has ${filters} filters; make them equal`);
}

/** Cross-correlation: x [N, C, …], w [M, C / group, …kernel], bias [M] → [N, M, …]. */
export const Conv: OpDef = defineOp("Conv", {
  arity: "2-3",
  attributes: schema,
  infer: ([x, w, bias], attributes): TensorType => {
    requireSameDType("conv", requireFloat("conv", x), w, bias);
    checkConv(x, w, attributes.group ?? 1, bias);
    return {
      dtype: x.dtype,
      shape: [x.shape[0] ?? 1, w.shape[0] ?? 1, ...convWindow(x, w.shape.slice(2), attributes).output],
    };
  },
  grad: ({ g, inputs: [x, w, bias], attributes, needs }) => {
    const all = explicit(convWindow(x, w.shape.slice(2), attributes), attributes.group ?? 1);
    return [
      needs[0] ? convInputGradient(g, w, spatialOf(x), all) : undefined,
      needs[1] ? apply(ConvWeightGradient, [x, g], all) : undefined,
      bias && needs[2] ? sumChannels(g) : undefined,
    ];
  },
  macs: ({ inputs: [, w], outputs: [y] }) => size(y.shape) * size(w.shape.slice(1)),
  halves: () => [0, 1, 2],
  samples: samplesFirst,
  // A convolves to `rank` channels with the same window, B mixes them point by point.
  lowRank: ({ inputs: [x, w, bias], outputs: [y], attributes }, position) => {
    if (position !== 1 || (attributes.group ?? 1) !== 1) return undefined;
    const [filters = 1, ...window] = w.shape;
    const points = window.slice(1).map(() => 1);
    return {
      x,
      outputAxes: { weight: 0, y: 1 },
      inputAxes: { weight: 1, x: 1 },
      shapes: (rank) => [
        [rank, ...window],
        [filters, rank, ...points],
      ],
      narrow: (given, a, b) => conv(apply(Conv, [given, a], attributes), b),
      product: (a, b) => {
        const [rank = 1] = a.shape;
        return reshape(matmul(reshape(b, [filters, rank]), reshape(a, [rank, size(window)])), w.shape);
      },
      bare: (given) => apply(Conv, [given, w], attributes),
      biased: (f) => (bias ? add(f, perChannel(bias, y.rank)) : f),
    };
  },
  onWebGpu: ({ inputs: [x, w, bias], outputs: [y], attributes }) => paddedOnWebGpu([x, w, bias], y, attributes),
  // ONNX Runtime convolves no float64, which goes through columns and one product; float16 on cards, and elsewhere as float32.
  lower: ({ inputs: [x, w, bias], outputs: [y], attributes }) => {
    if (x.dtype !== "float64") return undefined;
    const group = attributes.group ?? 1;
    const columns = toColumns(x, convWindow(x, w.shape.slice(2), attributes), group);
    const [filterCount = 1, channels = 1, ...kernel] = w.shape;
    // Columns run over the kernel first, then the channels: so must the filters.
    const byKernel = swapAxes(reshape(w, [filterCount, channels, size(kernel)]), 1, 2);
    const filters = reshape(byKernel, [group, filterCount / group, channels * size(kernel)]);
    const sums = reshape(matmul(filters, columns), [filterCount, x.shape[0] ?? 1, ...spatialOf(y)]);
    const result = swapAxes(sums, 0, 1);
    return [bias ? add(result, perChannel(bias, y.rank)) : result];
  },
  byRows: ({ inputs: [x, w, bias], outputs: [y], attributes, layout, rows, plain }) => {
    const given = rowWindow(x, w.shape, attributes, layout);
    if (!given) return undefined;
    const { window, filters } = livePart(spatialOf(x), plain(w), given, attributes, layout);
    const ungrouped = fitsWinograd(x, filters.shape, window) ? winograd : convolveColumns;
    const convolve = isGrouped(attributes) ? depthwise : ungrouped;
    const sums = convolve(rows(x), filters, window, layout);
    return { rows: [bias ? add(sums, perRow(plain(bias), y.rank, layout)) : sums] };
  },
});

/**
 * A convolution that the WebGPU provider computes wrongly, on channels or filters filled up with zeros. It reads three channels at once where
 * that divides their number, and adds up wrong ones if there are more than three; and it writes as many filters at once as divide all of
 * them, though not those of a group.
 */
function paddedOnWebGpu(
  [x, w, bias]: readonly [Value, Value, Value?],
  y: Value,
  attributes: ConvAttributes & Attributes,
): readonly Value[] | undefined {
  const [, channels = 1] = x.shape;
  const [filters = 1, ...extents] = w.shape;
  const { group = 1 } = attributes;
  const each = filters / group;
  if (group > 1) {
    const together = [4, 2, 1].find((own) => filters % own === 0) ?? 1;
    if (each < 4 || each % together === 0) return undefined;
    const more = Math.ceil(each / 4) * 4 - each;
    const grown = (value: Value, inner: Shape) => {
      const apart = reshape(value, [group, each, ...inner]);
      const filled = pad(apart, [[0, 0], [0, more], ...inner.map(() => [0, 0] as const)]);
      return reshape(filled, [group * (each + more), ...inner]);
    };
    const sums = apply(Conv, [x, grown(w, extents), bias && grown(bias, [])], attributes);
    const [samples = 1, , ...spatial] = y.shape;
    const apart = reshape(sums, [samples, group, each + more, ...spatial]);
    return [reshape(slice(apart, { axis: 2, start: 0, end: each }), y.shape)];
  }
  if (channels <= 3 || channels % 3 !== 0 || channels % 4 === 0 || filters % 4 !== 0) return undefined;
  const more = (value: Value) =>
    pad(
      value,
      value.shape.map((_, axis) => [0, axis === 1 ? 4 - (channels % 4) : 0] as const),
    );
  return [apply(Conv, [more(x), more(w), bias], attributes)];
}

/** Samples, and channels, below which rows are too short. */
const leastInnermost = { batch: 8, channels: 3 };

const isGrouped = ({ group = 1 }: ConvAttributes): boolean => group > 1;

/** The window of a convolution of x by filters of a shape, when it is to run on rows: in one group, or in as many as there are channels. */
function rowWindow(x: Value, w: Shape, attributes: ConvAttributes, layout: Rows): Window | undefined {
  const [batch = 1, channels = 1] = x.shape;
  const window = convWindow(x, w.slice(2), attributes);
  if (isGrouped(attributes)) return fitsBlocks(x, w, layout) ? window : undefined;
  const { innermost } = layout;
  const isLong = (innermost === "batch" ? batch : channels) >= leastInnermost[innermost];
  return x.dtype === "float32" && isLong && fitsColumns(batch, channels, window) ? window : undefined;
}

/** Window and filters without the offsets that read padding alone, of an image of extents `spatial`; of groups all. */
function livePart(spatial: Shape, w: Value, window: Window, attributes: ConvAttributes, layout: Rows) {
  const live = isGrouped(attributes) ? undefined : liveOffsets(spatial, window);
  return live ? { window: live.window, filters: narrowed(w, live, layout) } : { window, filters: w };
}

/** Whether the gradient of filters is of ones that run in blocks, which takes rows over the channels. */
export const wantsBlocks = ({ inputs: [x], outputs: [w] }: Node): boolean =>
  x !== undefined && size(w.shape.slice(2)) > 1 && fitsBlocks(x, w.shape, { innermost: "channels", blocks: true });

/** A per-channel vector [C] shaped to broadcast over values by rows. */
const perRow = (vector: Value, rank: number, layout: Rows): Value =>
  reshape(vector, rowShape([1, vector.shape[0] ?? 1, ...new Array<number>(rank - 2).fill(1)], layout));

/** Gradient of a convolution's input, whose spatial extents were `spatial`. */
function convInputGradient(g: Value, w: Value, spatial: Shape, attributes: Attributes & ConvAttributes): Value {
  const { kernel_shape: kernel = [], strides = [], dilations = [], pads = [] } = attributes;
  const output_padding = spatial.map((extent, i) => {
    const reached = ((g.shape[i + 2] ?? 1) - 1) * (strides[i] ?? 1) + (dilations[i] ?? 1) * ((kernel[i] ?? 1) - 1) + 1;
    return extent + (pads[i] ?? 0) + (pads[i + spatial.length] ?? 0) - reached;
  });
  return apply(ConvTranspose, [g, w], { ...attributes, output_padding });
}

interface TransposedAttributes extends ConvAttributes {
  readonly output_padding?: readonly number[];
  readonly output_shape?: readonly number[];
}

/** A transposed convolution as one of the input, spread by the strides, with the mirrored kernel. */
function asConvolution(
  [x, w, bias]: readonly [Value, Value, Value?],
  y: Value,
  attributes: TransposedAttributes,
): Value {
  const { strides, dilations, kernel, begins } = transposedWindow(x, w, attributes);
  const group = attributes.group ?? 1;
  const spread = spatialOf(x).reduce((value, _, i) => dilate(value, i + 2, strides[i] ?? 1), x);
  const mirrored = kernel.reduce((value, _, i) => flip(value, i + 2), w);
  // [G, C/G, M/G, …] → [M, C/G, …]
  const [channels = 1, filters = 1] = w.shape;
  const grouped = reshape(mirrored, [group, channels / group, filters, ...kernel]);
  const kernelOut = reshape(swapAxes(grouped, 1, 2), [group * filters, channels / group, ...kernel]);
  const before = kernel.map((extent, i) => (dilations[i] ?? 1) * (extent - 1) - (begins[i] ?? 0));
  const after = kernel.map(
    (extent, i) =>
      (y.shape[i + 2] ?? 1) - (spread.shape[i + 2] ?? 1) + (dilations[i] ?? 1) * (extent - 1) - (before[i] ?? 0),
  );
  const cut = pad(spread, [[0, 0], [0, 0], ...before.map((b, i) => [Math.min(0, b), Math.min(0, after[i] ?? 0)])]);
  const pads = [...before, ...after].map((width) => Math.max(0, width));
  return apply(Conv, [cut, kernelOut, bias], { kernel_shape: kernel, dilations, pads, group });
}

/** The transpose of Conv in its input: x [N, C, …], w [C, M / group, …kernel], bias [M] → [N, M, …]. */
export const ConvTranspose: OpDef = defineOp("ConvTranspose", {
  arity: "2-3",
  attributes: { ...schema, output_padding: "ints", output_shape: "ints" },
  infer: ([x, w, bias], attributes): TensorType => {
    requireSameDType("convTranspose", requireFloat("convTranspose", x), w, bias);
    const { group = 1 } = attributes;
    if (x.rank !== w.rank || x.shape[1] !== w.shape[0])
      throw new ShapeError(
        `convTranspose: input ${showShape(x.shape)} has ${x.shape[1]} channels, weight ${showShape(w.shape)} expects ${w.shape[0]}; pass inChannels: ${x.shape[1]}`,
      );
    const filters = (w.shape[1] ?? 0) * group;
    if (bias && bias.shape[0] !== filters)
      throw new ShapeError(
        `convTranspose: bias has ${bias.shape[0]} elements, weight makes ${filters} channels; make them equal`,
      );
    return { dtype: x.dtype, shape: [x.shape[0] ?? 1, filters, ...transposedWindow(x, w, attributes).output] };
  },
  grad: ({ g, inputs: [x, w, bias], attributes, needs }) => {
    const all = explicit(transposedWindow(x, w, attributes), attributes.group ?? 1);
    return [
      needs[0] ? apply(Conv, [g, w], all) : undefined,
      needs[1] ? apply(ConvWeightGradient, [g, x], all) : undefined,
      bias && needs[2] ? sumChannels(g) : undefined,
    ];
  },
  macs: ({ inputs: [x, w] }) => size(x.shape) * size(w.shape.slice(1)),
  halves: () => [0, 1, 2],
  samples: samplesFirst,
  // The provider adds up wrong elements where there are groups, and transposes over one or two axes alone.
  onWebGpu: ({ inputs, outputs: [y], attributes }) =>
    isGrouped(attributes) || y.rank > 4 ? [asConvolution(inputs, y, attributes)] : undefined,
  // Faster than ONNX Runtime's ConvTranspose at stride 1, and the only way for float64.
  lower: ({ inputs, outputs: [y], attributes: own }) => {
    const [x, w] = inputs;
    const isStrided = transposedWindow(x, w, own).strides.some((stride) => stride > 1);
    return x.dtype !== "float64" && isStrided ? undefined : [asConvolution(inputs, y, own)];
  },
  byRows: ({ inputs: [x, w, bias], outputs: [y], attributes, layout, rows, plain }) => {
    const { kernel, strides, dilations, begins, ends } = transposedWindow(x, w, attributes);
    const pads = [...begins, ...ends];
    const forward = { kernel_shape: kernel, strides, dilations, pads, group: attributes.group ?? 1 };
    const given = rowWindow(y, w.shape, forward, layout);
    if (!given || showShape(given.output) !== showShape(spatialOf(x))) return undefined;
    const spatial = spatialOf(y);
    const { window, filters } = livePart(spatial, plain(w), given, attributes, layout);
    const ungrouped = fitsWinograd(x, filters.shape, mirrored(window, spatial)) ? winogradTransposed : scatterColumns;
    const scatter = isGrouped(attributes) ? depthwiseTransposed : ungrouped;
    const sums = scatter(rows(x), filters, window, spatial, layout);
    return { rows: [bias ? add(sums, perRow(plain(bias), y.rank, layout)) : sums] };
  },
});

/** Window of the convolution whose transpose this is; `output` holds the transposed operator's extents. */
function transposedWindow(x: Value, w: Value, attributes: TransposedAttributes): Window {
  const spatial = spatialOf(x);
  const kernel = w.shape.slice(2);
  const ones = spatial.map(() => 1);
  const { strides = ones, dilations = ones, output_padding = [], output_shape } = attributes;
  const pads = [...(attributes.pads ?? new Array<number>(2 * spatial.length).fill(0))];
  const full = spatial.map(
    (extent, i) =>
      (strides[i] ?? 1) * (extent - 1) + (output_padding[i] ?? 0) + (dilations[i] ?? 1) * ((kernel[i] ?? 1) - 1) + 1,
  );
  const same = attributes.auto_pad?.startsWith("SAME")
    ? spatial.map((extent, i) => extent * (strides[i] ?? 1))
    : undefined;
  const wanted = output_shape ?? same;
  if (wanted)
    for (const [i, extent] of wanted.entries()) {
      const total = (full[i] ?? 0) - extent;
      const small = Math.floor(total / 2);
      pads[i] = attributes.auto_pad === "SAME_UPPER" ? small : total - small;
      pads[i + spatial.length] = total - (pads[i] ?? 0);
    }
  const begins = pads.slice(0, spatial.length);
  const ends = pads.slice(spatial.length);
  return {
    kernel,
    strides,
    dilations,
    begins,
    ends,
    output: full.map((extent, i) => extent - (begins[i] ?? 0) - (ends[i] ?? 0)),
  };
}

/**
 * Gradient of a convolution's weight from its input x [N, C, …] and output gradient g [N, M, …]: [M, C / group, …kernel].
 * Our own operator, since ONNX has none; it lowers to columns and one product.
 */
export const ConvWeightGradient: OpDef = defineOp("ConvWeightGradient", {
  domain: "sardonyx",
  arity: "2",
  attributes: schema,
  infer: ([x, g], { group = 1, kernel_shape = [] }) => ({
    dtype: x.dtype,
    shape: [g.shape[1] ?? 1, (x.shape[1] ?? 1) / group, ...kernel_shape],
  }),
  grad: ({ g: gw, inputs: [x, g], attributes, needs }) => [
    needs[0] ? convInputGradient(g, gw, spatialOf(x), attributes) : undefined,
    needs[1] ? apply(Conv, [x, gw], attributes) : undefined,
  ],
  macs: ({ inputs: [, g], outputs: [w] }) => size(g.shape) * size(w.shape.slice(1)),
  halves: () => [0, 1],
  lower: ({ inputs: [x, g], outputs: [w], attributes }) => {
    const { group = 1, kernel_shape: kernel = [] } = attributes;
    const [filters = 1, channels = 1] = w.shape;
    const columns = toColumns(x, convWindow(x, kernel, attributes), group);
    const rows = reshape(swapAxes(g, 0, 1), [group, filters / group, size(g.shape) / filters]);
    const products = matmul(rows, columns, { transB: true }); // [G, M/G, K · C/G]
    const byKernel = reshape(products, [filters, size(kernel), channels]);
    return [reshape(transpose(byKernel, [0, 2, 1]), w.shape)];
  },
  sampleTerms: ({ inputs: [x, g], outputs: [w], attributes, axes: [ofX, ofG], count }) => {
    const { group = 1, kernel_shape: kernel = [] } = attributes;
    if (ofX !== 0 || ofG !== 0 || x.shape[0] !== count) return undefined;
    const [filters = 1, channels = 1] = w.shape;
    const columns = columnsOfSamples(x, convWindow(x, kernel, attributes)); // [N, C, K, positions]
    const positions = columns.shape[3] ?? 1;
    if (group === 1)
      return {
        kind: "products",
        left: reshape(g, [count, filters, positions]),
        right: reshape(columns, [count, channels * size(kernel), positions]),
        positions: 2,
      };
    const products = matmul(
      reshape(g, [count, group, filters / group, positions]),
      reshape(columns, [count, group, channels * size(kernel), positions]),
      { transB: true },
    );
    return { kind: "each", terms: reshape(products, [count, ...w.shape]) };
  },
  byRows: ({ inputs: [x, g], outputs: [w], attributes, layout, rows }) => {
    const window = rowWindow(x, w.shape, attributes, layout);
    if (!window) return undefined;
    if (isGrouped(attributes)) return { plain: [depthwiseWeightGradient(rows(x), rows(g), w.shape, window)] };
    const live = liveOffsets(spatialOf(x), window);
    const read = live?.window ?? window;
    const shape = [...w.shape.slice(0, 2), ...read.kernel];
    const gradientOf = fitsWinograd(x, shape, read) ? winogradWeightGradient : columnsWeightGradient;
    const gradient = gradientOf(rows(x), rows(g), shape, read, layout);
    return { plain: [live ? widened(gradient, live, layout) : gradient] };
  },
});

/** Windows of x [N, C, …] as columns: [G, K · C/G, N · …output], kernel offset outermost within a group. */
function toColumns(x: Value, window: Window, group: number): Value {
  const [batch = 1, channels = 1] = x.shape;
  const padded = pad(x, [[0, 0], [0, 0], ...window.begins.map((begin, i) => [begin, window.ends[i] ?? 0])]);
  const byChannel = swapAxes(padded, 0, 1); // [C, N, …]
  const cuts = offsetsOf(window.kernel).map((offset) => {
    const ranges = offset.map((position, i) => {
      const start = position * (window.dilations[i] ?? 1);
      const step = window.strides[i] ?? 1;
      return { axis: i + 2, start, end: start + ((window.output[i] ?? 1) - 1) * step + 1, step };
    });
    return reshape(slice(byChannel, ...ranges), [group, channels / group, batch * size(window.output)]);
  });
  return concat(cuts, 1);
}

/** The windows of x [N, C, …], sample by sample: [N, C, K, positions]. */
function columnsOfSamples(x: Value, window: Window): Value {
  const [batch = 1, channels = 1] = x.shape;
  const offsets = offsetsOf(window.kernel);
  const padded = pad(x, [[0, 0], [0, 0], ...window.begins.map((begin, i) => [begin, window.ends[i] ?? 0])]);
  const extents = spatialOf(padded);
  // Where each offset of each window lies in a channel.
  requireTable("windows of samples", offsets.length, ...window.output);
  const places = offsets.flatMap((offset) =>
    offsetsOf(window.output).map((position) =>
      position.reduce(
        (place, at, i) =>
          place * (extents[i] ?? 1) + at * (window.strides[i] ?? 1) + (offset[i] ?? 0) * (window.dilations[i] ?? 1),
        0,
      ),
    ),
  );
  const index = constant(new Tensor("int32", [places.length], Int32Array.from(places)));
  const taken = gather(reshape(padded, [batch, channels, size(extents)]), index, 2);
  return reshape(taken, [batch, channels, offsets.length, size(window.output)]);
}

/** Options of the convolution operators. */
export interface ConvOptions {
  /** Step of the window along each spatial axis; default 1. */
  readonly strides?: Shape;
  /** Distance between the window's elements along each spatial axis; default 1. */
  readonly dilations?: Shape;
  /** [before, after] for each spatial axis, zeros; default none. */
  readonly padding?: readonly (readonly [number, number])[];
  /** Channels are convolved in this many separate groups; default 1. */
  readonly groups?: number;
  /** Added to each filter's outputs, [filters]; default none. */
  readonly bias?: Value;
}

const convAttributes = (w: Value, { strides, dilations, padding, groups = 1 }: ConvOptions): Attributes => {
  const spatial = w.shape.slice(2);
  return {
    kernel_shape: spatial,
    strides: strides ?? spatial.map(() => 1),
    dilations: dilations ?? spatial.map(() => 1),
    pads: [...spatial.map((_, i) => padding?.[i]?.[0] ?? 0), ...spatial.map((_, i) => padding?.[i]?.[1] ?? 0)],
    group: groups,
  };
};

/** Cross-correlation of x [N, C, …] with w [M, C / groups, …kernel]. */
export const conv = (x: Value, w: Value, options: ConvOptions = {}): Value =>
  apply(Conv, [x, w, options.bias], convAttributes(w, options));

/** Transposed convolution of x [N, C, …] with w [C, M / groups, …kernel]. */
export const convTranspose = (
  x: Value,
  w: Value,
  options: ConvOptions & { readonly outputPadding?: Shape } = {},
): Value =>
  apply(ConvTranspose, [x, w, options.bias], {
    ...convAttributes(w, options),
    ...(options.outputPadding && { output_padding: options.outputPadding }),
  });
