/** Pooling over spatial windows: maximum, average, and both over the whole map. */
import { ShapeError } from "../../core/errors.ts";
import { type Shape, sameShape, showShape, size } from "../../core/shape.ts";
import { requireTable } from "../../core/tables.ts";
import { fullTensor, Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type AttributeSchema,
  apply,
  defineOp,
  makeNode,
  type OpDef,
  type RowsView,
  requireFloat,
} from "../../graph/op.ts";
import { type Rows, type RowsResult, rowShape } from "../../graph/rows.ts";
import { Relu, relu } from "../activations.ts";
import { constant, int64s, requireConstant } from "../constant.ts";
import { Add, add, div, mul } from "../elementwise.ts";
import { gather, gatherElements } from "../indexing.ts";
import { through } from "../kernels.ts";
import { expand, reshape, unsqueeze } from "../movement.ts";
import { after } from "../order.ts";
import { storedNode } from "../reading.ts";
import { reduceMax, reduceMean } from "../reduce.ts";
import { samplesFirst } from "../samples.ts";
import { scatterElements } from "../selection/scatter.ts";
import { Pad, pad, slice } from "../slicing.ts";
import { convTranspose } from "./convolution.ts";
import { offsetsOf, reachOf, resolveWindow, type Window, type WindowAttributes, windowSchema } from "./geometry.ts";
import { positionsOfMaxima } from "./maxima.ts";
import { asRows, indexTensor, keyOf, phasesOf, placePhases, readsPadding, sourceRows, tournament } from "./rows.ts";

const schema = { ...windowSchema, ceil_mode: "int" } as const;
const spatialAxes = (x: Value): number[] => x.shape.slice(2).map((_, i) => i + 2);
/** The windows of a pool over x [N, C, …]. */
export const poolWindow = (x: Value, attributes: WindowAttributes): Window =>
  resolveWindow("pool", x.shape.slice(2), attributes.kernel_shape ?? [], attributes);

/** Whether every window lies in the input and no element is in two: what MaxUnpool can undo. */
const separate = (x: Value, { kernel, strides, dilations, begins, output }: Window): boolean =>
  kernel.every((extent, i) => {
    const stride = strides[i] ?? 1;
    const end = ((output[i] ?? 1) - 1) * stride + extent;
    return extent <= stride && dilations[i] === 1 && begins[i] === 0 && end <= (x.shape[i + 2] ?? 0);
  });

/**
 * Pads at the ends for a number of windows that was rounded up. ONNX Runtime is never asked to round: before operator set 22
 * that counts a window that begins after the input, which we do not.
 */
const endsOf = (x: Value, window: Window): number[] =>
  reachOf(window).map((extent, i) => Math.max(0, extent - (x.shape[i + 2] ?? 0) - (window.begins[i] ?? 0)));

/**
 * x for a pool; its Pad lists the axes, which ONNX Runtime then leaves alone. One without is folded into the pads of the pool:
 * a maximum forgets its zeros, a mean divides by them, and a number of windows rounded up is another.
 */
function apart(x: Value): Value {
  const { op, inputs, attributes } = x.producer ?? {};
  const [source, pads, value, axes] = inputs ?? [];
  if (op !== Pad || !source || axes) return x;
  return apply(Pad, [source, pads, value, int64s(x.shape.map((_, axis) => axis))], attributes);
}

/** Floats in which their maxima are taken, since ONNX Runtime has kernels for floats and bytes. */
const integers = { int16: "float32", uint16: "float32", int32: "float64", uint32: "float64" } as const;

/** The second output holds the position of each maximum in the flattened input, int64. */
export const MaxPool: OpDef = defineOp("MaxPool", {
  arity: "1",
  attributes: { ...schema, storage_order: "int" },
  infer: ([x], attributes) => {
    const shape = [...x.shape.slice(0, 2), ...poolWindow(x, attributes).output];
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  grad: ({ g, inputs: [x], outputs: [, written], attributes }) => {
    // By column, positions do not address the flattened input.
    const positions = attributes.storage_order
      ? makeNode(MaxPool, [x], { ...attributes, storage_order: 0 }).outputs[1]
      : written;
    if (!positions) throw new ShapeError("maxPool: its positions are needed for the gradient");
    if (x.dtype === "float32" && separate(x, poolWindow(x, attributes)))
      return [
        apply(MaxUnpool, [g, positions, int64s(x.shape)], {
          kernel_shape: attributes.kernel_shape ?? [],
          strides: attributes.strides ?? [],
        }),
      ];
    return [apply(MaxPoolGradient, [g, positions], { input_shape: x.shape })];
  },
  flops: ({ outputs: [y], attributes }) => size(y.shape) * size(attributes.kernel_shape ?? []),
  // Positions count through all samples: only the values are of each.
  samples: samplesFirst,
  requiredOutputs: 1,
  // The provider has no positions.
  onWebGpu: ({ inputs: [x], attributes }) => {
    if (attributes.ceil_mode === 1 || x.dtype !== "float32") return undefined;
    const values = attributes.storage_order
      ? makeNode(MaxPool, [x], { ...attributes, storage_order: 0 }).outputs[0]
      : undefined;
    return [values, positionsOfMaxima(x, poolWindow(x, attributes), attributes.storage_order === 1)];
  },
  lower: (view) => {
    const {
      inputs: [x],
      attributes,
    } = view;
    const window = poolWindow(x, attributes);
    if (apart(x) !== x) return makeNode(MaxPool, [apart(x)], attributes).outputs;
    if (attributes.ceil_mode !== 1) return through(integers)(view);
    const pads = [...window.begins, ...endsOf(x, window)];
    return makeNode(MaxPool, [x], { ...attributes, auto_pad: undefined, ceil_mode: 0, pads }).outputs;
  },
  // ReLU is monotonic: the maximum of rectified elements is the rectified maximum, of fewer elements.
  simplify: ({ inputs: [x], attributes }) => {
    const source = x.producer?.op === Relu ? x.producer.inputs[0] : undefined;
    if (!source) return undefined;
    const [y, positions] = makeNode(MaxPool, [source], attributes).outputs;
    return [relu(y), positions as Value];
  },
  // Only the values: whoever needs the positions as well gets them from the plain operator, MaxUnpool does not.
  byRows: ({ inputs: [x], outputs: [y], attributes, layout, has, rows }) => {
    const window = poolWindow(x, attributes);
    if (!has(x) || !fitsPhases(x, window)) return undefined;
    const { values, bias } = withoutBias(rows(x), layout);
    const { best } = tournament(maximaAmong(values, window, layout));
    const pooled = reshape(best, rowShape(y.shape, layout));
    return { rows: [bias ? add(pooled, bias) : pooled] };
  },
});

/** Elements of a window up to which it is taken by rows, one gather for each. */
const mostPhases = 9;

/** Whether maxima over windows of x are taken by rows. */
const fitsPhases = (x: Value, window: Window): boolean =>
  separate(x, window) || (x.dtype === "float32" && size(window.kernel) <= mostPhases);

/** What the maxima are among: the elements at each offset, nothing beyond the input. */
const maximaAmong = (values: Value, window: Window, layout: Rows): Value[] =>
  phasesOf(values, window, layout, Number.NEGATIVE_INFINITY);

/** What a per-channel bias was added to: a maximum may be taken before it is. */
function withoutBias(x: Value, { innermost }: Rows): { readonly values: Value; readonly bias?: Value } {
  const [values, bias] = x.producer?.op === Add ? x.producer.inputs : [];
  const axis = innermost === "batch" ? 0 : x.rank - 1;
  const isBias =
    values && bias?.rank === x.rank && bias.shape[axis] === x.shape[axis] && size(bias.shape) === x.shape[axis];
  return isBias && sameShape(values.shape, x.shape) ? { values, bias } : { values: x };
}

/** The elements of x at positions in it. */
const taken = (x: Value, positions: Value): Value =>
  reshape(gatherElements(reshape(x, [size(x.shape)]), reshape(positions, [size(positions.shape)])), positions.shape);

/** Elements added at their positions to zeros of the shape of y. */
function scattered([x, positions]: readonly [Value, Value, ...unknown[]], y: Value): Value {
  const [flat, at] = [reshape(x, [size(x.shape)]), reshape(positions, [size(x.shape)])];
  return reshape(scatterElements([size(y.shape)], at, flat), y.shape);
}

/** Puts each element at its position in zeros of the given shape; positions must differ. */
export const MaxUnpool: OpDef = defineOp("MaxUnpool", {
  arity: "3",
  attributes: { kernel_shape: "ints", strides: "ints", pads: "ints" },
  infer: ([x, , shape]) => ({ dtype: x.dtype, shape: requireConstant("MaxUnpool", "shape", shape) }),
  grad: ({ g, inputs: [, positions] }) => [taken(g, positions), undefined, undefined],
  flops: () => 0,
  // Without a shape it is that of which the windows are taken. Positions are those of the output, whatever its shape, as in ONNX Runtime.
  read: ({ inputs: [x, positions, shape], attributes }, op) => {
    if (!x || !positions) return undefined;
    const { kernel_shape = [], strides, pads = [] } = attributes as Readonly<Record<string, readonly number[]>>;
    const undone = x.shape.slice(2).map((extent, i) => {
      const width = (pads[i] ?? 0) + (pads[i + x.rank - 2] ?? 0);
      return (extent - 1) * (strides?.[i] ?? 1) + (kernel_shape[i] ?? 1) - width;
    });
    return storedNode(op, [x, positions, shape ?? int64s([...x.shape.slice(0, 2), ...undone])], attributes).outputs;
  },
  // ONNX Runtime unpools float32 only.
  lower: ({ inputs, outputs: [y] }) => (inputs[0].dtype === "float32" ? undefined : [scattered(inputs, y)]),
  onWebGpu: ({ inputs, outputs: [y] }) => [scattered(inputs, y)],
  byRows: (view) => unpooledByRows(view),
});

/** Undoes the MaxPool that made the positions by deciding each maximum again. */
function unpooledByRows({
  inputs: [g, positions],
  outputs: [y],
  layout,
  has,
  rows,
}: RowsView<"2" | "3", AttributeSchema>): RowsResult | undefined {
  const pool = positions.producer;
  const [x] = pool?.inputs ?? [];
  if (pool?.op !== MaxPool || !x || !has(x) || !sameShape(x.shape, y.shape)) return undefined;
  const window = poolWindow(x, pool.attributes);
  if (!fitsPhases(x, window)) return undefined;
  const [given, { values }] = [rows(g), withoutBias(rows(x), layout)];
  // Where windows overlap they read more than x has, and read it again on the way back rather than keep it.
  const { route } = tournament(maximaAmong(separate(x, window) ? values : after(values, given), window, layout));
  return { rows: [placePhases(route(asRows(given)), rowShape(y.shape, layout), window, layout)] };
}

/**
 * The gradient of MaxPool from that of its values and its positions: each is added at its position in zeros of `input_shape`. Our own operator, since
 * windows may overlap.
 */
export const MaxPoolGradient: OpDef = defineOp("MaxPoolGradient", {
  domain: "sardonyx",
  arity: "2",
  attributes: { input_shape: "ints" },
  infer: ([g], { input_shape: shape = [] }) => ({ dtype: g.dtype, shape }),
  grad: ({ g, inputs: [, positions] }) => [taken(g, positions), undefined],
  flops: ({ inputs: [g] }) => size(g.shape),
  lower: ({ inputs, outputs: [y] }) => [scattered(inputs, y)],
  byRows: (view) => unpooledByRows(view),
});

/** How many input elements each window averages. */
function windowCounts(x: Value, window: Window, includePad: boolean): Tensor<"float64"> {
  requireTable(
    "a pool: its windows",
    size(window.output),
    window.kernel.reduce((sum, extent) => sum + extent, 0),
  );
  const counts = new Tensor("float64", window.output, new Float64Array(size(window.output)));
  for (const [at, position] of offsetsOf(window.output).entries()) {
    counts.data[at] = position.reduce((product, step, i) => {
      const extent = x.shape[i + 2] ?? 0;
      const first = step * (window.strides[i] ?? 1) - (window.begins[i] ?? 0);
      const limit = includePad ? extent + (window.ends[i] ?? 0) : extent;
      const least = includePad ? -(window.begins[i] ?? 0) : 0;
      const inside = Array.from({ length: window.kernel[i] ?? 1 }, (_, k) => first + k * (window.dilations[i] ?? 1));
      return product * inside.filter((index) => index >= least && index < limit).length;
    }, 1);
  }
  return counts;
}

/** How many elements each window has, by x's dtype. */
export const countsLike = (x: Value, window: Window, includePad: boolean): Value => {
  const counts = windowCounts(x, window, includePad);
  return constant(tensor(counts.toNumbers(), { dtype: x.dtype, shape: counts.shape }));
};

export const AveragePool: OpDef = defineOp("AveragePool", {
  arity: "1",
  attributes: { ...schema, count_include_pad: "int" },
  infer: ([x], attributes) => ({
    dtype: requireFloat("averagePool", x).dtype,
    shape: [...x.shape.slice(0, 2), ...poolWindow(x, attributes).output],
  }),
  // Every element of a window gets its share of the window's gradient.
  grad: ({ g, inputs: [x], attributes }) => {
    const window = poolWindow(x, attributes);
    const share = div(g, countsLike(x, window, attributes.count_include_pad === 1));
    return [spreadWindows(share, x, window)];
  },
  flops: ({ outputs: [y], attributes }) => size(y.shape) * size(attributes.kernel_shape ?? []),
  samples: samplesFirst,
  byRows: ({ inputs: [x], outputs: [y], attributes, layout, has, rows }) => {
    const window = poolWindow(x, attributes);
    if (!has(x) || readsPadding(x.shape.slice(2), window) || size(window.kernel) > mostPhases) return undefined;
    const sum = phasesOf(rows(x), window, layout).reduce((total, phase) => add(total, phase));
    return { rows: [reshape(mul(sum, 1 / size(window.kernel)), rowShape(y.shape, layout))] };
  },
  // ONNX Runtime averages float32 only.
  lower: ({ inputs: [x], outputs: [y], attributes }) => {
    const window = poolWindow(x, attributes);
    if (apart(x) !== x) return [apply(AveragePool, [apart(x)], attributes)];
    if (x.dtype === "float32" && attributes.ceil_mode !== 1) return undefined;
    const ends = endsOf(x, window);
    const countsNone = attributes.count_include_pad !== 1 || ends.every((end, i) => end <= (window.ends[i] ?? 0));
    if (x.dtype === "float32" && countsNone) {
      const pads = [...window.begins, ...ends.map((end, i) => Math.max(end, window.ends[i] ?? 0))];
      return [apply(AveragePool, [x], { ...attributes, auto_pad: undefined, ceil_mode: 0, pads })];
    }
    const padded = pad(x, [[0, 0], [0, 0], ...window.begins.map((begin, i) => [begin, ends[i] ?? 0])]);
    const cuts = offsetsOf(window.kernel).map((offset) =>
      slice(
        padded,
        ...offset.map((position, i) => {
          const start = position * (window.dilations[i] ?? 1);
          const step = window.strides[i] ?? 1;
          return { axis: i + 2, start, end: start + ((y.shape[i + 2] ?? 1) - 1) * step + 1, step };
        }),
      ),
    );
    return [
      div(
        cuts.reduce((sum, cut) => add(sum, cut)),
        countsLike(x, window, attributes.count_include_pad === 1),
      ),
    ];
  },
});

/**
 * Each element of [N, C, …] repeated over a window of its own, `kernel_shape`, side by side: [N, C, … times the kernel]. Our own operator, since
 * it is one gather by rows.
 */
export const RepeatOverWindows: OpDef = defineOp("RepeatOverWindows", {
  domain: "sardonyx",
  arity: "1",
  attributes: { kernel_shape: "ints" },
  infer: ([x], { kernel_shape: kernel = [] }) => ({
    dtype: x.dtype,
    shape: x.shape.map((extent, axis) => extent * (kernel[axis - 2] ?? 1)),
  }),
  grad: ({ g, attributes: { kernel_shape: kernel = [] } }) => [mul(averagePool(g, kernel), size(kernel))],
  flops: () => 0,
  samples: samplesFirst,
  lower: ({ inputs: [x], outputs: [y], attributes: { kernel_shape: kernel = [] } }) => {
    const [batch = 1, channels = 1, ...spatial] = x.shape;
    const apart = unsqueeze(
      x,
      spatial.map((_, i) => 2 * i + 3),
    );
    const repeated = spatial.flatMap((extent, i) => [extent, kernel[i] ?? 1]);
    return [reshape(expand(apart, [batch, channels, ...repeated]), y.shape)];
  },
  byRows: ({ inputs: [x], outputs: [y], attributes: { kernel_shape: kernel = [] }, layout, has, rows }) => {
    if (!has(x)) return undefined;
    const [outermost = 1, ...spatial] = rowShape(x.shape, layout).slice(0, -1);
    const window = poolWindow(y, { kernel_shape: kernel, strides: kernel });
    const index = layout.shared(keyOf("repeat", outermost, spatial, window), () => {
      requireTable("windows of repeated elements", outermost, ...y.shape.slice(2));
      const positions = size(spatial);
      const one = new Int32Array(size(y.shape.slice(2)));
      for (const [at, target] of sourceRows(y.shape.slice(2), window).entries()) one[target] = at % positions;
      return indexTensor(one, outermost, positions);
    });
    return { rows: [reshape(gather(asRows(rows(x)), index), rowShape(y.shape, layout))] };
  },
});

/** Adds each output element to every input element of its window. */
function spreadWindows(g: Value, x: Value, window: Window): Value {
  const channels = x.shape[1] ?? 1;
  const exact = window.kernel.every(
    (k, i) => k * (window.output[i] ?? 1) === x.shape[i + 2] && k === window.strides[i],
  );
  if (exact) return apply(RepeatOverWindows, [g], { kernel_shape: window.kernel });
  const ones = constant(fullTensor(g.dtype, [channels, 1, ...window.kernel], 1));
  const full = convTranspose(g, ones, { strides: window.strides, dilations: window.dilations, groups: channels });
  const cut = reachOf(window).map((extent, i) => {
    const before = window.begins[i] ?? 0;
    return [-before, (x.shape[i + 2] ?? 0) - (extent - before)] as const;
  });
  return pad(full, [[0, 0], [0, 0], ...cut]);
}

export const GlobalAveragePool: OpDef = defineOp("GlobalAveragePool", {
  arity: "1",
  infer: ([x]) => ({
    dtype: requireFloat("globalAveragePool", x).dtype,
    shape: x.shape.map((extent, i) => (i < 2 ? extent : 1)),
  }),
  grad: ({ g, inputs: [x] }) => [expand(div(g, size(x.shape.slice(2))), x.shape)],
  flops: ({ inputs: [x] }) => size(x.shape),
  samples: samplesFirst,
  lower: ({ inputs: [x] }) => (x.dtype === "float32" ? undefined : [reduceMean(x, spatialAxes(x), { keepDims: true })]),
});

export const GlobalMaxPool: OpDef = defineOp("GlobalMaxPool", {
  arity: "1",
  infer: ([x]) => ({ dtype: x.dtype, shape: x.shape.map((extent, i) => (i < 2 ? extent : 1)) }),
  grad: ({ g, inputs: [x] }) => {
    // The first maximum takes the gradient, as in MaxPool over the whole map.
    const pooled = apply(MaxPool, [x], { kernel_shape: x.shape.slice(2) }).producer;
    const positions = pooled?.outputs[1];
    return [
      positions &&
        reshape(
          scatterElements([size(x.shape)], reshape(positions, [size(g.shape)]), reshape(g, [size(g.shape)])),
          x.shape,
        ),
    ];
  },
  flops: ({ inputs: [x] }) => size(x.shape),
  samples: samplesFirst,
  lower: ({ inputs: [x] }) => (x.dtype === "float32" ? undefined : [reduceMax(x, spatialAxes(x), { keepDims: true })]),
});

/** Options of the pooling operators. */
export interface PoolOptions {
  /** Default: the kernel's extents, so that windows do not overlap. */
  readonly strides?: Shape;
  /** [before, after] for each spatial axis; default none. */
  readonly padding?: readonly (readonly [number, number])[];
  /** Distance between the window's elements along each spatial axis; default 1. */
  readonly dilations?: Shape;
  /** Round the number of windows up instead of down; default false. */
  readonly ceilMode?: boolean;
}

function poolAttributes(x: Value, kernel: Shape, options: PoolOptions) {
  if (kernel.length !== x.rank - 2)
    throw new ShapeError(
      `pool: kernel ${showShape(kernel)} needs one extent for each spatial axis of ${showShape(x.shape)}`,
    );
  return {
    kernel_shape: kernel,
    strides: options.strides ?? kernel,
    dilations: options.dilations ?? kernel.map(() => 1),
    pads: [
      ...kernel.map((_, i) => options.padding?.[i]?.[0] ?? 0),
      ...kernel.map((_, i) => options.padding?.[i]?.[1] ?? 0),
    ],
    ceil_mode: options.ceilMode ? 1 : 0,
  };
}

/** The largest element of each window: [N, C, …] → [N, C, …], an extent of the kernel for each spatial axis. */
export const maxPool = (x: Value, kernel: Shape, options: PoolOptions = {}): Value =>
  apply(MaxPool, [x], poolAttributes(x, kernel, options));

/** Mean of each window of x [N, C, …]; padding counts unless `countIncludePad` is false. */
export const averagePool = (
  x: Value,
  kernel: Shape,
  options: PoolOptions & { readonly countIncludePad?: boolean } = {},
): Value =>
  apply(AveragePool, [x], {
    ...poolAttributes(x, kernel, options),
    count_include_pad: options.countIncludePad === false ? 0 : 1,
  });

/** The mean of each channel, spatial axes kept with extent 1: [N, C, H, W] → [N, C, 1, 1]. */
export const globalAveragePool = (x: Value): Value => apply(GlobalAveragePool, [x]);
/** The largest element of each channel, spatial axes kept with extent 1: [N, C, H, W] → [N, C, 1, 1]. */
export const globalMaxPool = (x: Value): Value => apply(GlobalMaxPool, [x]);
