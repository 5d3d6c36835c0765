/** Operators whose result is known while tracing, from shapes and constants: shapes, sizes, ranges, fills, positions. */
import { ShapeError } from "../core/errors.ts";
import { showShape, size } from "../core/shape.ts";
import { fullTensor, tensor } from "../core/tensor.ts";
import { exactTensor, forEachPosition, oneOutput } from "../graph/elements.ts";
import type { Value } from "../graph/ir.ts";
import { apply, defineOp, type OpDef } from "../graph/op.ts";
import { dtypeOfCode } from "./cast.ts";
import { constant, int64s, requireConstant, scalar } from "./constant.ts";
import { expand, reshape } from "./movement.ts";
import { readSimplified } from "./reading.ts";

/** Extents of x from axis `start` to before `end`, int64. */
export const Shape: OpDef = defineOp("Shape", {
  arity: "1",
  attributes: { start: "int", end: "int" },
  infer: ([x], { start, end }) => ({ dtype: "int64", shape: [x.shape.slice(start, end).length] }),
  grad: "none",
  flops: () => 0,
  simplify: ({ inputs: [x], attributes: { start, end } }) => [int64s(x.shape.slice(start, end))],
  read: readSimplified,
});

/** Number of elements, an int64 scalar. */
export const Size: OpDef = defineOp("Size", {
  arity: "1",
  infer: () => ({ dtype: "int64", shape: [] }),
  grad: "none",
  flops: () => 0,
  simplify: ({ inputs: [x] }) => [constant(tensor(BigInt(size(x.shape))))],
  read: readSimplified,
});

/** A tensor of a shape with one value everywhere, by default the float32 zero. */
export const ConstantOfShape: OpDef = defineOp("ConstantOfShape", {
  arity: "1",
  attributes: { value: "tensor" },
  infer: ([shape], { value }) => ({
    dtype: value?.dtype ?? "float32",
    shape: requireConstant("ConstantOfShape", "shape", shape),
  }),
  grad: "none",
  flops: () => 0,
  simplify: ({ outputs: [y], attributes: { value } }) => [
    expand(reshape(constant(value ?? fullTensor("float32", [], 0)), []), y.shape),
  ],
  read: readSimplified,
});

/** start, start + step, … before limit; all three known while tracing. */
export const Range: OpDef = defineOp("Range", {
  arity: "3",
  infer: ([start, limit, step]) => {
    const [from = 0] = requireConstant("Range", "start", start);
    const [to = 0] = requireConstant("Range", "limit", limit);
    const [by = 1] = requireConstant("Range", "step", step);
    return { dtype: start.dtype, shape: [Math.max(0, Math.ceil((to - from) / by))] };
  },
  grad: "none",
  flops: () => 0,
  evaluate: ([start, , step], { outputs: [y] }) => {
    const [from = 0, by = 1] = [start?.toNumbers()[0], step?.toNumbers()[0]];
    return oneOutput(
      exactTensor(
        y,
        Array.from({ length: size(y.shape) }, (_, i) => from + i * by),
      ),
    );
  },
});

/** Elements up to which the matrix is built while tracing. */
const eyeLimit = 1 << 20;

/** Ones on the diagonal `k` (above the main one when positive) of a matrix of x's shape, zeros elsewhere. */
export const EyeLike: OpDef = defineOp("EyeLike", {
  arity: "1",
  attributes: { dtype: "int", k: "int" },
  infer: ([x], { dtype }) => {
    if (x.rank !== 2)
      throw new ShapeError(`EyeLike takes a matrix, got ${showShape(x.shape)}; reshape it to [rows, columns]`);
    return { dtype: dtype === undefined ? x.dtype : dtypeOfCode("EyeLike", dtype), shape: x.shape };
  },
  grad: "none",
  flops: () => 0,
  simplify: ({ outputs: [y], attributes: { k = 0 } }) => {
    if (size(y.shape) > eyeLimit) return undefined;
    const elements: number[] = [];
    forEachPosition(y.shape, ([row = 0, column = 0]) => elements.push(Number(column - row === k)));
    const eye = exactTensor(y, elements);
    return eye && [constant(eye)];
  },
  read: readSimplified,
});

/** Positions of the elements that are not zero, [rank, count], int64; x must be known, since their number depends on it. */
export const NonZero: OpDef = defineOp("NonZero", {
  arity: "1",
  infer: ([x]) => {
    const count = requireConstant("NonZero", "its operand", x).filter((element) => element !== 0).length;
    return { dtype: "int64", shape: [x.rank, count] };
  },
  grad: "none",
  flops: () => 0,
  evaluate: ([x], { outputs: [y] }) => {
    if (!x) return undefined;
    const found: (readonly number[])[] = [];
    forEachPosition(x.shape, (position, at) => {
      if (Number(x.data[at]) !== 0) found.push(position);
    });
    return oneOutput(
      exactTensor(
        y,
        x.shape.flatMap((_, axis) => found.map((position) => position[axis] ?? 0)),
      ),
    );
  },
});

/** 0 … length-1, int64: computed where the graph runs, so that no tensor of that length is held. */
export const range = (length: number): Value =>
  apply(Range, [scalar(0, "int64"), scalar(length, "int64"), scalar(1, "int64")]);
