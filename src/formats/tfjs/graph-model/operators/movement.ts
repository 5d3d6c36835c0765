/** TensorFlow's operators that move elements, and those that read and make shapes. */
import { ShapeError, UnsupportedError } from "../../../../core/errors.ts";
import { normalizeAxis, size } from "../../../../core/shape.ts";
import { tensor } from "../../../../core/tensor.ts";
import type { Value } from "../../../../graph/ir.ts";
import { apply } from "../../../../graph/op.ts";
import * as ops from "../../../../ops/index.ts";
import { alongAxes } from "../../channels.ts";
import { type Applied, type Operator, type Operators, pairsOf, unary } from "../operator.ts";
import { stridedSlice } from "./strided-slice.ts";

/** Whole numbers as TensorFlow has them: shapes are int32. */
const int32s = (numbers: readonly number[]): Value => ops.constant(tensor(numbers, { dtype: "int32" }));

const axisOf = (node: Applied, i: number): number => node.known(i)[0] ?? 0;

/** Values and numbers beyond this many are not made one by one. */
const maxCount = 1 << 16;

/** How many there are. Throws UnsupportedError for more than can be held. */
function counted(count: number, least: number): number {
  if (!(count >= least && count <= maxCount)) throw new UnsupportedError(`it would make ${count} parts or numbers`);
  return count;
}

/** Joins values along an axis. */
const joined = (values: readonly Value[], axis: number): Value =>
  alongAxes(values, (at, ...own) => ops.concat(own, at(axis)));

/** Equal parts along an axis, or parts of given lengths, one of them maybe -1. */
function parts(x: Value, axis: number, lengths: readonly number[]): readonly Value[] {
  const rest = (x.shape[normalizeAxis(axis, x.rank)] ?? 0) - lengths.reduce((sum, own) => sum + Math.max(0, own), 0);
  return ops.split(
    x,
    lengths.map((length) => (length < 0 ? rest : length)),
    axis,
  );
}

/** x with pairs of elements around each axis, in the order in which its axes lie. */
function padded(node: Applied, pad: (x: Value, widths: readonly (readonly number[])[]) => Value): Value {
  const widths = pairsOf(node.known(1));
  return alongAxes([node.operand(0)], (at, x: Value) => {
    const there = x.shape.map((): readonly number[] => [0, 0]);
    for (const [axis, pair] of widths.entries()) there[at(axis)] = pair;
    return pad(x, there);
  });
}

/** Elements beyond the border mirror those within; the mode that repeats the border itself is not known. */
function mirrored(x: Value, widths: readonly (readonly number[])[], mode: string): Value {
  if (mode !== "REFLECT") throw new UnsupportedError(`it pads by mode ${mode}`);
  const pads = [0, 1].flatMap((side) => widths.map((pair) => pair[side] ?? 0));
  return apply(ops.Pad, [x, ops.int64s(pads)], { mode: "reflect" });
}

const gathering = (axis: (node: Applied) => number): Operator => ({
  op: ops.Gather,
  build: (node) => {
    if (node.attributes.int("batch_dims", 0) !== 0) throw new UnsupportedError("it gathers sample by sample");
    return ops.gather(node.operand(0), node.operand(1), axis(node));
  },
});

export const movementOperators: Operators = {
  BroadcastTo: { op: ops.Expand, build: (node) => ops.expand(node.operand(0), node.known(1)) },
  Concat: { op: ops.Concat, build: (node) => joined(node.inputs.slice(1), axisOf(node, 0)) },
  ConcatV2: {
    op: ops.Concat,
    build: (node) => joined(node.inputs.slice(0, -1), axisOf(node, node.inputs.length - 1)),
  },
  ExpandDims: { op: ops.Unsqueeze, build: (node) => ops.unsqueeze(node.operand(0), [axisOf(node, 1)]) },
  Fill: { op: ops.Expand, build: (node) => ops.expand(node.operand(1), node.known(0)) },
  Gather: gathering(() => 0),
  GatherNd: {
    op: ops.GatherND,
    build: (node) => apply(ops.GatherND, [node.operand(0), ops.cast(node.operand(1), "int64")]),
  },
  GatherV2: gathering((node) => axisOf(node, 2)),
  OneHot: {
    op: ops.OneHot,
    build: (node) => {
      const values = joined(
        [3, 2].map((i) => ops.reshape(node.operand(i), [1])),
        0,
      );
      const depth = int32s(node.known(1));
      return apply(ops.OneHot, [node.operand(0), depth, values], { axis: node.attributes.int("axis", -1) });
    },
  },
  Pack: { op: ops.Concat, build: (node) => ops.stack(node.inputs, node.attributes.int("axis", 0)) },
  MirrorPad: {
    op: ops.Pad,
    build: (node) => padded(node, (x, widths) => mirrored(x, widths, node.attributes.text("mode"))),
  },
  Pad: { op: ops.Pad, build: (node) => padded(node, (x, widths) => ops.pad(x, widths)) },
  PadV2: { op: ops.Pad, build: (node) => padded(node, (x, widths) => ops.pad(x, widths, node.operand(2))) },
  Range: {
    op: ops.Reshape,
    build: (node) => {
      const [start, limit, step] = [0, 1, 2].map((i) => axisOf(node, i)) as [number, number, number];
      const count = counted(Math.max(0, Math.ceil((limit - start) / (step || 1))), 0);
      const numbers = Array.from({ length: count }, (_, i) => start + i * step);
      return ops.constant(tensor(numbers, { dtype: node.operand(0).dtype }));
    },
  },
  Rank: unary(({ rank }) => ops.reshape(int32s([rank]), []), ops.Reshape),
  Reshape: { op: ops.Reshape, build: (node) => ops.reshape(node.operand(0), node.known(1)) },
  ReverseV2: {
    op: ops.Slice,
    build: (node) => node.known(1).reduce((x, axis) => ops.flip(x, axis), node.operand(0)),
  },
  Shape: unary(({ shape }) => int32s(shape), ops.Reshape),
  Size: unary(({ shape }) => ops.reshape(int32s([size(shape)]), []), ops.Reshape),
  Slice: {
    op: ops.Slice,
    build: (node) => {
      const [x, starts, sizes] = [node.operand(0), node.known(1), node.known(2)];
      const ranges = starts.map((start, axis) => {
        const length = sizes[axis] ?? -1;
        return { axis, start, end: length < 0 ? (x.shape[axis] ?? 0) : start + length };
      });
      return ops.slice(x, ...ranges);
    },
  },
  Split: {
    op: ops.Split,
    build: (node) => {
      const [axis, x] = [axisOf(node, 0), node.operand(1)];
      const count = counted(node.attributes.int("num_split"), 1);
      const extent = x.shape[normalizeAxis(axis, x.rank)] ?? 0;
      if (extent % count !== 0)
        throw new ShapeError(
          `the ${extent} elements of axis ${axis} are no ${count} equal parts; convert the model again`,
        );
      return parts(x, axis, new Array<number>(count).fill(extent / count));
    },
  },
  SplitV: { op: ops.Split, build: (node) => parts(node.operand(0), axisOf(node, 2), node.known(1)) },
  Squeeze: {
    op: ops.Squeeze,
    build: (node) => {
      const x = node.operand(0);
      const listed = node.attributes.ints("squeeze_dims", node.attributes.ints("axis", []));
      const ones = x.shape.flatMap((extent, axis) => (extent === 1 ? [axis] : []));
      return ops.squeeze(x, listed.length > 0 ? listed : ones);
    },
  },
  StridedSlice: stridedSlice,
  Tile: { op: ops.Tile, build: (node) => ops.tile(node.operand(0), node.known(1)) },
  Transpose: { op: ops.Transpose, build: (node) => ops.transpose(node.operand(0), node.known(1)) },
  Unpack: {
    op: ops.Split,
    build: (node) => {
      const x = node.operand(0);
      const axis = normalizeAxis(node.attributes.int("axis", 0), x.rank);
      const lengths = new Array<number>(counted(x.shape[axis] ?? 1, 1)).fill(1);
      return parts(x, axis, lengths).map((part) => ops.squeeze(part, [axis]));
    },
  },
};
