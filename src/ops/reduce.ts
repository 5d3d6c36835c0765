/** Reductions along axes, extremum positions, sorting out the largest, and running sums. */

import { isFloat } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { greatest, least } from "../core/lists.ts";
import {
  broadcastAxes,
  normalizeAxes,
  normalizeAxis,
  reduceShape,
  sameShape,
  showShape,
  size,
  stridesOf,
} from "../core/shape.ts";
import {
  broadcastPosition,
  exactNumbers,
  exactTensor,
  forEachPosition,
  offsetOf,
  oneOutput,
} from "../graph/elements.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, makeNode, type OpDef, requireNumbers } from "../graph/op.ts";
import { rowOrder } from "../graph/rows.ts";
import { cast } from "./cast.ts";
import { int64s, requireConstant, scalar } from "./constant.ts";
import { div, Mul, mul, square, sub, where } from "./elementwise.ts";
import { exp, sign } from "./functions.ts";
import { shortIntegers, smallIntegers, through } from "./kernels.ts";
import { equal } from "./logic.ts";
import { expand, reshape, transpose } from "./movement.ts";
import { attributesToOperands } from "./reading.ts";
import { samplesAcross, samplesBeside } from "./samples.ts";
import { scatterElements } from "./selection/scatter.ts";

interface ReduceView {
  readonly g: Value;
  readonly x: Value;
  readonly y: Value;
  /** Number of elements behind one output. */
  readonly count: number;
  /** Puts back the reduced axes of an output-shaped value, as extents of 1. */
  readonly keep: (value: Value) => Value;
}

/** A reduction with ONNX's (x, axes?) operands; `gradient` may return a shape that broadcasts to x's. */
function reduction(
  type: string,
  fold: (elements: readonly number[]) => number,
  gradient: (view: ReduceView) => Value,
  { isLinear = false, isMean = false } = {},
): OpDef {
  const axesOf = (x: Value, axes: Value | undefined, noop: number | undefined) => {
    const listed = axes ? requireConstant(type, "axes", axes) : [];
    if (listed.length === 0) return noop ? [] : x.shape.map((_, axis) => axis);
    return normalizeAxes(listed, x.rank);
  };
  const op: OpDef = defineOp(type, {
    arity: "1-2",
    attributes: { keepdims: "int", noop_with_empty_axes: "int" },
    infer: ([x, axes], { keepdims = 1, noop_with_empty_axes }) => ({
      dtype: requireNumbers(type, x).dtype,
      shape: reduceShape(x.shape, axesOf(x, axes, noop_with_empty_axes), keepdims === 1),
    }),
    grad: ({ g, inputs: [x, axes], outputs: [y], attributes }) => {
      const reduced = axesOf(x, axes, attributes.noop_with_empty_axes);
      const kept = reduceShape(x.shape, reduced, true);
      const keep = (value: Value) => reshape(value, kept);
      return [expand(gradient({ g: keep(g), x, y: keep(y), count: size(x.shape) / size(y.shape), keep }), x.shape)];
    },
    simplify: ({ inputs: [x, axes], attributes }) => {
      const { keepdims = 1, noop_with_empty_axes } = attributes;
      const reduced = axesOf(x, axes, noop_with_empty_axes);
      const parts = isLinear ? factoredOut(x, reduced) : undefined;
      if (!parts) return undefined;
      const factor = reshape(parts.factor, reduceShape(parts.extents, reduced, keepdims === 1));
      return [mul(apply(op, [parts.other, axes], attributes), factor)];
    },
    byRows: ({ inputs: [x, axes], attributes: { keepdims = 1, noop_with_empty_axes }, layout, has, rows }) => {
      if (!has(x)) return undefined;
      const order = rowOrder(layout.innermost, x.rank);
      const reduced = axesOf(x, axes, noop_with_empty_axes);
      const left = order.filter((axis) => !reduced.includes(axis));
      const y = () => apply(op, [rows(x), int64s(reduced.map((axis) => order.indexOf(axis)))], { keepdims });
      if (keepdims === 1) return { rows: [y()] };
      return left.every((axis, i) => i === 0 || axis > (left[i - 1] ?? 0)) ? { plain: [y()] } : undefined;
    },
    flops: ({ inputs: [x] }) => size(x.shape),
    samples: ({ inputs: [x, axes], attributes: { keepdims = 1, noop_with_empty_axes }, axes: own }) =>
      samplesAcross(own, axesOf(x, axes, noop_with_empty_axes), keepdims === 1),
    sampleTerms: ({ inputs: [x, axes], attributes: { keepdims = 1, noop_with_empty_axes }, axes: [own], count }) => {
      const reduced = axesOf(x, axes, noop_with_empty_axes);
      if (!isLinear || own === undefined || !reduced.includes(own)) return undefined;
      // [N, …, positions of a sample, …]: the sum over the samples is left out.
      const apart = reshape(x, x.shape.toSpliced(own, 1, count, (x.shape[own] ?? 0) / count));
      const first = transpose(apart, [own, ...apart.shape.keys()].toSpliced(own + 1, 1));
      const sums = apply(op, [first, int64s(reduced.map((axis) => axis + 1))], { keepdims });
      return { kind: "each", terms: isMean ? div(sums, count) : sums };
    },
    read: attributesToOperands({ axes: 1 }),
    lower: (view) => {
      const { inputs, outputs, attributes } = view;
      const [x, axes] = inputs;
      const reduced = axesOf(x, axes, attributes.noop_with_empty_axes);
      return through(smallIntegers)(view) ?? (isLinear ? inStages(op, x, reduced, outputs[0]) : undefined);
    },
    evaluate: ([source], { inputs: [x, axes], outputs: [y], attributes }) => {
      const numbers = source && exactNumbers(source);
      if (!numbers) return undefined;
      const kept = reduceShape(x.shape, axesOf(x, axes, attributes.noop_with_empty_axes), true);
      const groups = Array.from({ length: size(y.shape) }, (): number[] => []);
      forEachPosition(x.shape, (position, at) => {
        const group = offsetOf(broadcastPosition(position, kept), stridesOf(kept));
        groups[group]?.push(numbers[at] ?? 0);
      });
      return oneOutput(exactTensor(y, groups.map(fold)));
    },
  });
  return op;
}

type Elements = readonly number[];
const total = (elements: Elements): number => elements.reduce((sum, element) => sum + element, 0);
const totalOf = (elements: Elements, of: (element: number) => number): number => total(elements.map(of));

/** A product of which one operand is the same along all axes that are added up: that comes after the sum, and the other may be added up elsewhere too. */
function factoredOut(x: Value, reduced: readonly number[]) {
  const { producer } = x;
  // Of half floats, what is scaled down may be added up where what is not scaled would be too large.
  if (producer?.op !== Mul || !isFloat(x.dtype) || x.dtype === "float16") return undefined;
  const [a, b] = producer.inputs as readonly [Value, Value];
  for (const [factor, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const extents = [...new Array<number>(x.rank - factor.rank).fill(1), ...factor.shape];
    if (sameShape(other.shape, x.shape) && reduced.length > 0 && reduced.every((axis) => extents[axis] === 1))
      return { factor, extents, other };
  }
  return undefined;
}

/** Rows from which their columns are reduced in stages. */
const manyRows = 256;

/**
 * A reduction over the first axes in two stages, of groups of rows and of these: ONNX Runtime goes over the columns of one matrix with one
 * thread, and three times as slowly (docs/performance.md).
 */
function inStages(op: OpDef, x: Value, reduced: readonly number[], y: Value): readonly Value[] | undefined {
  const isLeading = reduced.length > 0 && reduced.length < x.rank && reduced.every((axis, i) => axis === i);
  const rows = size(x.shape.slice(0, reduced.length));
  // A mean of whole numbers is one of all of them, rounded once.
  if (!isLeading || rows < manyRows || !isFloat(x.dtype)) return undefined;
  const columns = size(x.shape.slice(reduced.length));
  let groups = Math.floor(Math.sqrt(rows));
  while (rows % groups !== 0) groups--;
  if (groups < 4 || columns === 1) return undefined;
  const sums = apply(op, [reshape(x, [groups, rows / groups, columns]), int64s([1])], { keepdims: 0 });
  return [reshape(apply(op, [sums, int64s([0])], { keepdims: 0 }), y.shape)];
}

export const ReduceSum: OpDef = reduction("ReduceSum", total, ({ g }) => g, { isLinear: true });
export const ReduceMean: OpDef = reduction(
  "ReduceMean",
  (elements) => total(elements) / elements.length,
  ({ g, count }) => div(g, count),
  { isLinear: true, isMean: true },
);
export const ReduceSumSquare: OpDef = reduction(
  "ReduceSumSquare",
  (elements) => totalOf(elements, (x) => x * x),
  ({ g, x }) => mul(mul(g, 2), x),
);
export const ReduceL1: OpDef = reduction(
  "ReduceL1",
  (elements) => totalOf(elements, Math.abs),
  ({ g, x }) => mul(g, sign(x)),
);
export const ReduceL2: OpDef = reduction(
  "ReduceL2",
  (elements) => Math.hypot(...elements),
  ({ g, x, y }) => mul(div(g, where(equal(y, 0), 1, y)), x),
);
export const ReduceLogSumExp: OpDef = reduction(
  "ReduceLogSumExp",
  (elements) => {
    const largest = greatest(elements);
    return largest + Math.log(totalOf(elements, (x) => Math.exp(x - largest)));
  },
  ({ g, x, y }) => mul(g, exp(sub(x, y))),
);
export const ReduceLogSum: OpDef = reduction(
  "ReduceLogSum",
  (elements) => Math.log(total(elements)),
  ({ g, y }) => div(g, exp(y)),
);
const product = (elements: Elements): number => elements.reduce((left, element) => left * element, 1);
/** d(prod)/dx_i is the product of the others, also where some of them are zero. */
export const ReduceProd: OpDef = reduction("ReduceProd", product, ({ g, x, keep, y }) => {
  const axes = broadcastAxes(y.shape, x.shape);
  const isZero = equal(x, 0);
  const others = where(isZero, 1, x);
  const nonzero = keep(reduceProd(others, axes));
  const zeroCount = keep(reduceSum(cast(isZero, x.dtype), axes));
  return mul(g, where(equal(sub(zeroCount, cast(isZero, x.dtype)), 0), div(nonzero, others), 0));
});
/** Equal extrema share the gradient equally. */
const extremumGradient = ({ g, x, y }: ReduceView) => {
  const hit = cast(equal(x, y), g.dtype);
  const axes = broadcastAxes(y.shape, x.shape);
  return mul(hit, div(g, reduceSum(hit, axes, { keepDims: true })));
};
export const ReduceMax: OpDef = reduction("ReduceMax", (elements) => greatest(elements), extremumGradient);
export const ReduceMin: OpDef = reduction("ReduceMin", (elements) => least(elements), extremumGradient);

const position = (type: string) =>
  defineOp(type, {
    arity: "1",
    attributes: { axis: "int", keepdims: "int", select_last_index: "int" },
    infer: ([x], { axis = 0, keepdims = 1 }) => ({
      dtype: "int64",
      shape: reduceShape(requireNumbers(type, x).shape, [normalizeAxis(axis, x.rank)], keepdims === 1),
    }),
    grad: "none",
    lower: through({ ...shortIntegers, uint32: "int64" }),
    flops: ({ inputs: [x] }) => size(x.shape),
    samples: ({ inputs: [x], axes, attributes: { axis = 0, keepdims = 1 } }) =>
      samplesAcross(axes, [normalizeAxis(axis, x.rank)], keepdims === 1),
  });
export const ArgMax: OpDef = position("ArgMax");
export const ArgMin: OpDef = position("ArgMin");

/** The k largest (or smallest) along an axis: values and positions. */
export const TopK: OpDef = defineOp("TopK", {
  arity: "2",
  attributes: { axis: "int", largest: "int", sorted: "int" },
  infer: ([x, k], { axis = -1 }) => {
    const along = normalizeAxis(axis, requireNumbers("TopK", x).rank);
    const [count = 0] = requireConstant("TopK", "k", k);
    if (count < 1 || count > (x.shape[along] ?? 0))
      throw new ShapeError(
        `TopK: k is ${count}, axis ${axis} of ${showShape(x.shape)} has ${x.shape[along]}; pass 1 to ${x.shape[along]}`,
      );
    const shape = x.shape.map((extent, i) => (i === along ? count : extent));
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  grad: ({ gs: [g], inputs: [x], outputs: [, positions], attributes: { axis = -1 } }) => [
    g && positions && scatterElements(x.shape, positions, g, axis),
    undefined,
  ],
  read: attributesToOperands({ k: 1 }),
  lower: through({ uint16: "int32", uint32: "int64" }),
  samples: ({ inputs: [x], axes, attributes: { axis = -1 } }) => samplesBeside(axes, [normalizeAxis(axis, x.rank)], 2),
  flops: ({ inputs: [x] }) => size(x.shape) * Math.ceil(Math.log2(Math.max(2, x.shape.at(-1) ?? 2))),
});

export const CumSum: OpDef = defineOp("CumSum", {
  arity: "2",
  attributes: { exclusive: "int", reverse: "int" },
  infer: ([x, axis]) => {
    normalizeAxis(requireConstant("CumSum", "axis", axis)[0] ?? 0, x.rank);
    return requireNumbers("CumSum", x);
  },
  grad: ({ g, inputs: [, axis], attributes: { exclusive = 0, reverse = 0 } }) => [
    apply(CumSum, [g, axis], { exclusive, reverse: 1 - reverse }),
    undefined,
  ],
  flops: ({ inputs: [x] }) => size(x.shape),
  lower: through(smallIntegers),
  samples: ({ inputs: [x, axis], axes }) =>
    samplesBeside(axes, [normalizeAxis(requireConstant("CumSum", "axis", axis)[0] ?? 0, x.rank)]),
  evaluate: ([source], { inputs: [x, axis], attributes: { exclusive = 0, reverse = 0 } }) => {
    const numbers = source && exactNumbers(source);
    if (!numbers) return undefined;
    const along = normalizeAxis(requireConstant("CumSum", "axis", axis)[0] ?? 0, x.rank);
    const [extent = 1, stride = 1] = [x.shape[along], stridesOf(x.shape)[along]];
    const sums = numbers.map((_, at) => {
      const index = Math.floor(at / stride) % extent;
      const row = Array.from({ length: extent }, (_, i) => numbers[at + (i - index) * stride] ?? 0);
      const [from, to] = reverse === 1 ? [index + exclusive, extent] : [0, index + 1 - exclusive];
      return total(row.slice(from, to));
    });
    return oneOutput(exactTensor(x, sums));
  },
});

/** Options of reductions. */
export interface ReduceOptions {
  /** Keep reduced axes with extent 1; default false, which leaves them out. */
  readonly keepDims?: boolean;
}

/** Reductions that leave a single element as it is. */
const idempotent: readonly OpDef[] = [ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, ReduceLogSumExp];

const reducer =
  (op: OpDef) =>
  /** Reduces along `axes` (default: all). */
  (x: Value, axes?: number | readonly number[], options: ReduceOptions = {}): Value => {
    const list = axes === undefined ? x.shape.map((_, i) => i) : typeof axes === "number" ? [axes] : axes;
    if (list.length === 0) return idempotent.includes(op) ? x : reducer(op)(reshape(x, [...x.shape, 1]), x.rank);
    return apply(op, [x, int64s(normalizeAxes(list, x.rank))], { keepdims: options.keepDims ? 1 : 0 });
  };

/**
 * The sum along `axes` (default all; negative ones count from the end).
 * @example reduceSum(x, 1) // [N, T, F] → [N, F]
 */
export const reduceSum = reducer(ReduceSum);
/** The mean along `axes` (default all). */
export const reduceMean = reducer(ReduceMean);
/** The largest element along `axes` (default all). Where several are largest, they share the gradient. */
export const reduceMax = reducer(ReduceMax);
/** The smallest element along `axes` (default all). Where several are smallest, they share the gradient. */
export const reduceMin = reducer(ReduceMin);
/** The product along `axes` (default all). */
export const reduceProd = reducer(ReduceProd);
/** Σ |x| along `axes` (default all). */
export const reduceL1 = reducer(ReduceL1);
/** √Σ x² along `axes` (default all). */
export const reduceL2 = reducer(ReduceL2);
/** Σ x² along `axes` (default all). */
export const reduceSumSquare = reducer(ReduceSumSquare);
/** log Σ e^x along `axes` (default all), without overflow. */
export const reduceLogSumExp = reducer(ReduceLogSumExp);
/** The mean of (x - mean)² along `axes` (default all): the variance of a population, divided by n. */
export const variance = (x: Value, axes?: number | readonly number[], options?: ReduceOptions): Value =>
  reduceMean(square(sub(x, reduceMean(x, axes, { keepDims: true }))), axes, options);

/** Position of the largest element along an axis, int64, which leaves the axis out; of equal ones the first. */
export const argMax = (x: Value, axis = -1): Value => apply(ArgMax, [x], { axis, keepdims: 0 });
/** Position of the smallest element along an axis, int64, which leaves the axis out; of equal ones the first. */
export const argMin = (x: Value, axis = -1): Value => apply(ArgMin, [x], { axis, keepdims: 0 });

/** The `k` largest along `axis`, largest first. */
export function topK(x: Value, k: number, axis = -1): { values: Value; indices: Value } {
  const [values, indices] = makeNode(TopK, [x, int64s([k])], { axis, largest: 1, sorted: 1 }).outputs;
  return { values, indices: indices as Value };
}

/** Element i along an axis is the sum of elements 0 to i; the shape stays. */
export const cumulativeSum = (x: Value, axis = 0): Value => apply(CumSum, [x, scalar(axis, "int64")]);

/** Sums the axes along which something of `shape` was broadcast: the transpose of broadcasting. */
export function sumTo(x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  const axes = broadcastAxes(shape, x.shape);
  return reshape(axes.length ? reduceSum(x, axes) : x, shape);
}
