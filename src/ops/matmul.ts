/** Matrix products. */
import { isFloat } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { broadcastShapes, type Shape, showShape, size } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import type { LowRankForm } from "../graph/low-rank-form.ts";
import {
  apply,
  defineOp,
  type OpDef,
  requireNumbers,
  requireSameDType,
  type SampleAxes,
  type SampledNode,
} from "../graph/op.ts";
import type { SampleTerms } from "../graph/sample-terms.ts";
import { add, mul } from "./elementwise.ts";
import { smallIntegers, through } from "./kernels.ts";
import { reshape, swapAxes, transpose, unsqueeze } from "./movement.ts";
import { productWithUnpacked, unpackedAgain } from "./quantized/quantization.ts";
import { defineComposition, storedNode, without } from "./reading.ts";
import { sumTo } from "./reduce.ts";

interface Flags {
  readonly transA?: number;
  readonly transB?: number;
}

/** Rows, inner extent and columns of a product of matrices, each maybe transposed. */
function extents(op: string, a: Value, b: Value, { transA = 0, transB = 0 }: Flags) {
  requireSameDType(op, requireNumbers(op, a), b);
  if (a.rank < 2 || b.rank < 2)
    throw new ShapeError(
      `${op} takes matrices, got ${showShape(a.shape)} and ${showShape(b.shape)}; reshape vectors to [1, n] or [n, 1]`,
    );
  const [rows = 0, inner = 0] = transA ? [a.shape.at(-1), a.shape.at(-2)] : a.shape.slice(-2);
  const [other = 0, columns = 0] = transB ? [b.shape.at(-1), b.shape.at(-2)] : b.shape.slice(-2);
  if (inner !== other)
    throw new ShapeError(
      `${op}: inner extents differ, ${inner} in ${showShape(a.shape)}${transA ? "ᵀ" : ""} and ${other} in ${showShape(b.shape)}${transB ? "ᵀ" : ""}; make them equal`,
    );
  return { rows, inner, columns };
}

const productShape = (op: string, a: Value, b: Value, flags: Flags): Shape => {
  const { rows, columns } = extents(op, a, b, flags);
  return [...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
};

const productMacs = (op: string, a: Value, b: Value, y: Value, flags: Flags) =>
  size(y.shape) * extents(op, a, b, flags).inner;

/**
 * x op(W) with one matrix W of so many outputs, or W x: A [rank, inputs] narrows, B [outputs, rank] widens, whichever way W is stored.
 */
function lowRankProduct(
  [a, b]: readonly [Value, Value],
  position: number,
  { transA = 0, transB = 0, alpha = 1 }: Flags & { readonly alpha?: number },
  biased: LowRankForm["biased"] = (f) => f,
): LowRankForm | undefined {
  const w = position === 0 ? a : b;
  if (position > 1 || w.rank !== 2 || transA || alpha !== 1 || (position === 0 && transB)) return undefined;
  const isLeft = position === 0;
  const outFirst = isLeft || transB === 1;
  const [outputs = 1, inputs = 1] = outFirst ? w.shape : [...w.shape].reverse();
  return {
    x: isLeft ? b : a,
    outputAxes: { weight: outFirst ? 0 : 1, y: Math.max(a.rank, b.rank) - (isLeft ? 2 : 1) },
    inputAxes: { weight: outFirst ? 1 : 0, x: isLeft ? b.rank - 2 : a.rank - 1 },
    shapes: (rank) => [
      [rank, inputs],
      [outputs, rank],
    ],
    narrow: (x, down, up) =>
      isLeft ? matmul(up, matmul(down, x)) : matmul(matmul(x, down, { transB: true }), up, { transB: true }),
    product: (down, up) => (outFirst ? matmul(up, down) : matmul(down, up, { transA: true, transB: true })),
    bare: (x) => (isLeft ? matmul(w, x) : matmul(x, w, { transB: transB === 1 })),
    biased,
  };
}

/** Samples along the rows of a, the columns of b, or leading axes; not along the extent that is summed over. */
export function productSamples(
  a: Value,
  b: Value,
  [left, right]: SampleAxes,
  { transA = 0, transB = 0 }: Flags = {},
): SampledNode | undefined {
  const rank = Math.max(a.rank, b.rank);
  // Counted from the last axis, where both operands and the product agree.
  const ofA = left === undefined ? undefined : left - a.rank;
  const ofB = right === undefined ? undefined : right - b.rank;
  const isRepeated = ({ shape }: Value, at: number) => (shape.at(at) ?? 1) === 1 || shape.length + at < 0;
  if (ofA !== undefined && ofB !== undefined) return ofA === ofB && ofA < -2 ? { outputs: [rank + ofA] } : undefined;
  if (ofA !== undefined) {
    if (ofA === (transA ? -2 : -1)) return undefined;
    if (ofA >= -2) return { outputs: [rank - 2] };
    return isRepeated(b, ofA) ? { outputs: [rank + ofA] } : undefined;
  }
  if (ofB === undefined || ofB === (transB ? -1 : -2)) return undefined;
  if (ofB >= -2) return { outputs: [rank - 1] };
  return isRepeated(a, ofB) ? { outputs: [rank + ofB] } : undefined;
}

/** What each sample adds to a product of matrices over whose inner extent samples lie. */
function productTerms(
  a: Value,
  b: Value,
  { axes: [left, right], count }: { readonly axes: SampleAxes; readonly count: number },
  { transA = 0, transB = 0, alpha = 1 }: Flags & { readonly alpha?: number } = {},
): SampleTerms | undefined {
  if (left !== a.rank - (transA ? 2 : 1) || right !== b.rank - (transB ? 1 : 2)) return undefined;
  if (a.rank > 2 || b.rank > 2) {
    // [..., N · positions, K] as [N, ..., positions, K]: a product for each sample.
    const first = (x: Value, isTurned: boolean) => {
      const turned = isTurned ? swapAxes(x, -1, -2) : x;
      const [rows = 0, columns = 1] = turned.shape.slice(-2);
      const before = turned.shape.slice(0, -2);
      const apart = reshape(turned, [...before, count, rows / count, columns]);
      return transpose(apart, [before.length, ...before.keys(), before.length + 1, before.length + 2]);
    };
    const terms = matmul(first(a, !transA), first(b, transB === 1), { transA: true });
    return { kind: "each", terms: alpha === 1 ? terms : mul(terms, alpha) };
  }
  // [N · positions, K] as [N, positions, K].
  const rowsOf = (x: Value, isTurned: boolean) => {
    const turned = isTurned ? transpose(x, [1, 0]) : x;
    return reshape(turned, [count, (turned.shape[0] ?? 0) / count, turned.shape[1] ?? 1]);
  };
  const own = rowsOf(a, !transA);
  return { kind: "products", left: alpha === 1 ? own : mul(own, alpha), right: rowsOf(b, transB === 1), positions: 1 };
}

/** NumPy matmul of operands of rank 2 and more, leading axes broadcast. */
export const MatMul: OpDef = defineOp("MatMul", {
  arity: "2",
  infer: ([a, b]) => ({ dtype: a.dtype, shape: productShape("matmul", a, b, {}) }),
  // y = a b: da = g bᵀ, db = aᵀ g
  grad: ({ g, inputs: [a, b], needs }) => [
    needs[0] ? sumTo(matmul(g, b, { transB: true }), a.shape) : undefined,
    needs[1] ? weightGradient(a, g, b.shape) : undefined,
  ],
  macs: ({ inputs: [a, b], outputs: [y] }) => productMacs("matmul", a, b, y, {}),
  halves: () => [0, 1],
  lower: through(smallIntegers, [0, 1]),
  samples: ({ inputs: [a, b], axes }) => productSamples(a, b, axes),
  sampleTerms: ({ inputs: [a, b], ...view }) => productTerms(a, b, view),
  lowRank: ({ inputs: [a, b] }, position) => lowRankProduct([a, b], position, {}),
  // In a file a vector may stand for a row to the left, for a column to the right.
  read: ({ inputs: [a, b] }) => {
    if (!a || !b || (a.rank > 1 && b.rank > 1)) return undefined;
    const y = matmul(a.rank === 1 ? unsqueeze(a, [0]) : a, b.rank === 1 ? unsqueeze(b, [1]) : b);
    const kept = y.shape.filter((_, i) => !(a.rank === 1 && i === y.rank - 2) && !(b.rank === 1 && i === y.rank - 1));
    return [reshape(y, kept)];
  },
});

/** db of y = a b. When b is one matrix for all leading axes of a, those join the rows: one large product. */
function weightGradient(a: Value, g: Value, shape: Shape): Value {
  if (shape.length > 2 || a.rank === 2) return sumTo(matmul(a, g, { transA: true }), shape);
  const rows = (x: Value) => reshape(x, [size(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);
  return matmul(rows(a), rows(g), { transA: true });
}

/** ONNX Runtime's matmul with transposes that copy nothing: alpha · op(a) op(b). */
export const FusedMatMul: OpDef = defineOp("FusedMatMul", {
  domain: "com.microsoft",
  arity: "2",
  attributes: { transA: "int", transB: "int", alpha: "float" },
  infer: ([a, b], flags) => ({ dtype: a.dtype, shape: productShape("matmul", a, b, flags) }),
  grad: ({ g, inputs: [a, b], attributes: { transA = 0, transB = 0, alpha = 1 }, needs }) => {
    const scaled = alpha === 1 ? g : mul(g, alpha);
    const [tA, tB] = [transA === 1, transB === 1];
    // y = A B with A = op(a), B = op(b): dA = g Bᵀ, dB = Aᵀ g, transposed back where op transposes
    const again = unpackedAgain(b, g);
    const da = () =>
      tA ? matmul(again, scaled, { transA: tB, transB: true }) : matmul(scaled, again, { transB: !tB });
    const db = () => (tB ? matmul(scaled, a, { transA: true, transB: tA }) : matmul(a, scaled, { transA: !tA }));
    return [needs[0] ? sumTo(da(), a.shape) : undefined, needs[1] ? sumTo(db(), b.shape) : undefined];
  },
  macs: ({ inputs: [a, b], outputs: [y], attributes }) => productMacs("matmul", a, b, y, attributes),
  halves: () => [0, 1],
  samples: ({ inputs: [a, b], axes, attributes }) => productSamples(a, b, axes, attributes),
  sampleTerms: ({ inputs: [a, b], attributes, ...view }) => productTerms(a, b, view, attributes),
  lowRank: ({ inputs: [a, b], attributes }, position) => lowRankProduct([a, b], position, attributes),
  simplify: ({ inputs: [a, b], attributes: { transA = 0, transB = 0, alpha = 1 } }) => {
    const product = !transA && transB === 1 && alpha === 1 ? productWithUnpacked(a, b) : undefined;
    return product && [product];
  },
  onWebGpu: ({ inputs: [a, b], attributes }) => [separateProduct(a, b, attributes)],
  // An operand may have the rows of its matrices as its first axis, before the batch.
  read: ({ inputs: [a, b], attributes }, op) => {
    const { transBatchA = 0, transBatchB = 0 } = attributes;
    const rowsBehindBatch = (x: Value | undefined, isFirst: boolean) =>
      x && isFirst && x.rank > 2 ? transpose(x, [...x.shape.keys()].slice(1, -1).concat(0, x.rank - 1)) : x;
    const operands = [rowsBehindBatch(a, transBatchA === 1), rowsBehindBatch(b, transBatchB === 1)];
    return storedNode(op, operands, without(attributes, ["transBatchA", "transBatchB"])).outputs;
  },
});

/** A product in operators that ONNX has: of two matrices one that copies nothing, of more a transposed copy. */
function separateProduct(
  a: Value,
  b: Value,
  {
    transA = 0,
    transB = 0,
    alpha = 1,
  }: { readonly transA?: number; readonly transB?: number; readonly alpha?: number },
): Value {
  if (a.rank === 2 && b.rank === 2) return apply(Gemm, [a, b], { transA, transB, alpha });
  const product = apply(MatMul, [transA ? swapAxes(a, -1, -2) : a, transB ? swapAxes(b, -1, -2) : b]);
  return alpha === 1 ? product : mul(product, alpha);
}

/** What FusedMatMul was called first. */
export const TransposeMatMul: OpDef = defineComposition("TransposeMatMul", {
  domain: "com.microsoft",
  arity: "2",
  attributes: { transA: "int", transB: "int", alpha: "float" },
  build: ({ inputs, attributes }) => [apply(FusedMatMul, inputs, attributes)],
});

/** alpha · op(a) op(b) + beta · c, of matrices. */
export const Gemm: OpDef = defineOp("Gemm", {
  arity: "2-3",
  attributes: { transA: "int", transB: "int", alpha: "float", beta: "float" },
  infer: ([a, b, c], flags) => {
    if (a.rank > 2 || b.rank > 2)
      throw new ShapeError(`gemm takes two matrices, got ${showShape(a.shape)} and ${showShape(b.shape)}; use matmul`);
    requireSameDType("gemm", a, b, c);
    const shape = productShape("gemm", a, b, flags);
    if (c && showShape(broadcastShapes(c.shape, shape)) !== showShape(shape))
      throw new ShapeError(
        `gemm: c ${showShape(c.shape)} does not broadcast to ${showShape(shape)}; pass [${shape[1]}] or [${shape}]`,
      );
    return { dtype: a.dtype, shape };
  },
  grad: ({ g, inputs: [a, b, c], attributes: { transA = 0, transB = 0, alpha = 1, beta = 1 }, needs }) => {
    const scaled = alpha === 1 ? g : mul(g, alpha);
    const [tA, tB] = [transA === 1, transB === 1];
    const again = unpackedAgain(b, g);
    return [
      needs[0]
        ? tA
          ? matmul(again, scaled, { transA: tB, transB: true })
          : matmul(scaled, again, { transB: !tB })
        : undefined,
      needs[1]
        ? tB
          ? matmul(scaled, a, { transA: true, transB: tA })
          : matmul(a, scaled, { transA: !tA })
        : undefined,
      c && needs[2] ? sumTo(beta === 1 ? g : mul(g, beta), c.shape) : undefined,
    ];
  },
  macs: ({ inputs: [a, b], outputs: [y], attributes }) => productMacs("gemm", a, b, y, attributes),
  halves: () => [0, 1, 2],
  samples: ({ inputs: [a, b, c], axes: [left, right, ofSum], attributes }) => {
    const [at] = productSamples(a, b, [left, right], attributes)?.outputs ?? [];
    if (at === undefined) return undefined;
    // c may be the same for all samples where it is repeated along them.
    const own = c && at + c.rank - 2;
    const isRepeated = own === undefined || own < 0 || c?.shape[own] === 1;
    return (ofSum === undefined ? isRepeated : ofSum === own) ? { outputs: [at] } : undefined;
  },
  lowRank: ({ inputs: [a, b, c], attributes }, position) =>
    lowRankProduct([a, b], position, attributes, (f) => (c ? add(f, mul(c, attributes.beta ?? 1)) : f)),
  simplify: ({ inputs: [a, b, c], attributes: { transA = 0, transB = 0, alpha = 1, beta = 1 } }) => {
    const product = !transA && transB === 1 && alpha === 1 ? productWithUnpacked(a, b) : undefined;
    return product && [c ? add(product, beta === 1 ? c : mul(c, beta)) : product];
  },
  // ONNX Runtime has a kernel for floats.
  lower: ({ inputs: [a, b, c], attributes: { transA = 0, transB = 0, alpha = 1, beta = 1 } }) => {
    if (isFloat(a.dtype)) return undefined;
    const product = mul(matmul(a, b, { transA: transA === 1, transB: transB === 1 }), alpha);
    return [c ? add(product, mul(c, beta)) : product];
  },
  // c broadcasts with or without the attribute.
  read: ({ inputs, attributes }, op) =>
    "broadcast" in attributes ? storedNode(op, inputs, without(attributes, ["broadcast"])).outputs : undefined,
});

/** Options of `matmul`. */
export interface MatMulOptions {
  /** Use aᵀ (last two axes); default false. */
  readonly transA?: boolean;
  /** Use bᵀ (last two axes); default false. */
  readonly transB?: boolean;
}

/** Matrix product over the last two axes, leading axes broadcast: [..., m, k] × [..., k, n] → [..., m, n]. */
export function matmul(a: Value, b: Value, { transA = false, transB = false }: MatMulOptions = {}): Value {
  if (!transA && !transB) return apply(MatMul, [a, b]);
  if (a.dtype === "float32" || a.dtype === "float16")
    return apply(FusedMatMul, [a, b], { transA: transA ? 1 : 0, transB: transB ? 1 : 0 });
  return apply(MatMul, [transA ? swapAxes(a, -1, -2) : a, transB ? swapAxes(b, -1, -2) : b]);
}

/** Options of `linear`. */
export interface LinearOptions {
  /** The weight is stored [in, out]; default false, as PyTorch has it. */
  readonly inFirst?: boolean;
}

/** x wᵀ + b, the dense layer: x [..., in], w [out, in], b [out] → [..., out]. */
export function linear(x: Value, w: Value, b?: Value, { inFirst = false }: LinearOptions = {}): Value {
  const rows = x.rank === 2 ? x : reshape(x, [size(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);
  const y = apply(Gemm, b ? [rows, w, b] : [rows, w], { transB: inFirst ? 0 : 1 });
  return reshape(y, [...x.shape.slice(0, -1), y.shape[1] ?? 1]);
}
