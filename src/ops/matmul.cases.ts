/** Cases of the matrix products. FLOPs by hand: rows · columns · inner extent · 2, times the batch. */
import { apply } from "../graph/op.ts";
import { normal, opCase } from "./define.cases.ts";
import { FusedMatMul, Gemm, linear, MatMul, matmul, TransposeMatMul } from "./matmul.ts";

const matmulCases = [
  opCase(MatMul, "matrices", {
    inputs: { a: normal([2, 3]), b: normal([3, 4]) },
    build: ({ a, b }) => matmul(a, b),
    torch: "a @ b",
    flops: 2 * 4 * 3 * 2,
  }),
  opCase(MatMul, "batches", {
    inputs: { a: normal([2, 3, 2]), b: normal([2, 2, 4]) },
    build: ({ a, b }) => matmul(a, b),
    torch: "a @ b",
    flops: 2 * (3 * 4 * 2 * 2),
  }),
  opCase(MatMul, "batches that both repeat", {
    inputs: { a: normal([2, 1, 2, 3]), b: normal([3, 3, 2]) },
    build: ({ a, b }) => matmul(a, b),
    torch: "a @ b",
    flops: 6 * (2 * 2 * 3 * 2),
  }),
  opCase(MatMul, "one right matrix for all", {
    inputs: { a: normal([2, 2, 2, 3]), b: normal([3, 4]) },
    build: ({ a, b }) => matmul(a, b),
    torch: "a @ b",
    flops: 4 * (2 * 4 * 3 * 2),
  }),
  opCase(MatMul, "one left matrix for all", {
    inputs: { a: normal([2, 3]), b: normal([3, 3, 2]) },
    build: ({ a, b }) => matmul(a, b),
    torch: "a @ b",
    flops: 3 * (2 * 2 * 3 * 2),
  }),
];

const fusedCases = [
  opCase(FusedMatMul, "left transposed", {
    inputs: { a: normal([3, 2]), b: normal([3, 4]) },
    build: ({ a, b }) => apply(FusedMatMul, [a, b], { transA: 1 }),
    torch: "a.mT @ b",
    flops: 2 * 4 * 3 * 2,
  }),
  opCase(FusedMatMul, "right transposed, batches", {
    inputs: { a: normal([2, 2, 3]), b: normal([2, 4, 3]) },
    build: ({ a, b }) => apply(FusedMatMul, [a, b], { transB: 1 }),
    torch: "a @ b.mT",
    flops: 2 * (2 * 4 * 3 * 2),
  }),
  opCase(FusedMatMul, "both transposed, scaled, one right matrix", {
    inputs: { a: normal([2, 3, 2]), b: normal([4, 3]) },
    build: ({ a, b }) => apply(FusedMatMul, [a, b], { transA: 1, transB: 1, alpha: 0.5 }),
    torch: "0.5 * a.mT @ b.mT",
    flops: 2 * (2 * 4 * 3 * 2),
  }),
  opCase(FusedMatMul, "nothing transposed, scaled", {
    inputs: { a: normal([2, 3]), b: normal([3, 2]) },
    build: ({ a, b }) => apply(FusedMatMul, [a, b], { alpha: -2 }),
    torch: "-2 * a @ b",
    flops: 2 * 2 * 3 * 2,
  }),
];

const gemmCases = [
  opCase(Gemm, "without bias", {
    inputs: { a: normal([2, 3]), b: normal([3, 4]) },
    build: ({ a, b }) => apply(Gemm, [a, b]),
    torch: "a @ b",
    flops: 2 * 4 * 3 * 2,
  }),
  opCase(Gemm, "left transposed, alpha, beta, matrix bias", {
    inputs: { a: normal([3, 2]), b: normal([3, 4]), c: normal([2, 4]) },
    build: ({ a, b, c }) => apply(Gemm, [a, b, c], { transA: 1, alpha: 0.5, beta: -2 }),
    torch: "0.5 * a.mT @ b - 2 * c",
    flops: 2 * 4 * 3 * 2,
  }),
  opCase(Gemm, "both transposed, column bias", {
    inputs: { a: normal([3, 2]), b: normal([4, 3]), c: normal([2, 1]) },
    build: ({ a, b, c }) => apply(Gemm, [a, b, c], { transA: 1, transB: 1, alpha: 3 }),
    torch: "3 * a.mT @ b.mT + c",
    flops: 2 * 4 * 3 * 2,
  }),
  opCase(Gemm, "scalar bias", {
    inputs: { a: normal([2, 3]), b: normal([3, 4]), c: normal([]) },
    build: ({ a, b, c }) => apply(Gemm, [a, b, c], { beta: 0.25 }),
    torch: "a @ b + 0.25 * c",
    flops: 2 * 4 * 3 * 2,
  }),
  opCase(Gemm, "dense layer over leading axes", {
    inputs: { x: normal([2, 2, 3]), w: normal([4, 3]), b: normal([4]) },
    build: ({ x, w, b }) => linear(x, w, b),
    torch: "F.linear(x, w, b)",
    flops: 4 * 4 * 3 * 2,
  }),
  opCase(Gemm, "dense layer whose weight is stored [in, out]", {
    inputs: { x: normal([2, 2, 3]), w: normal([3, 4]), b: normal([4]) },
    build: ({ x, w, b }) => linear(x, w, b, { inFirst: true }),
    torch: "x @ w + b",
    flops: 4 * 4 * 3 * 2,
  }),
];

const olderCases = [
  opCase(TransposeMatMul, "right transposed, scaled", {
    inputs: { a: normal([2, 3]), b: normal([4, 3]) },
    build: ({ a, b }) => apply(TransposeMatMul, [a, b], { transB: 1, alpha: 0.5 }),
    torch: "0.5 * a @ b.T",
    derivative: "none",
  }),
];

export const matmulFamilyCases = [...matmulCases, ...fusedCases, ...gemmCases, ...olderCases];
