/** Memory of a run: which values are alive together, and which share a buffer. */
import { expect, test } from "vitest";
import { tensor } from "../core/tensor.ts";
import { graphOf, input, type Value } from "../graph/ir.ts";
import { add, constant, full, matmul, mul, relu, reshape } from "../ops/index.ts";
import { executionOrder, runMemory } from "./run-memory.ts";

/** 64 floats: 256 bytes. */
const x = () => input("float32", [8, 8], "x");
const memoryOf = (inputs: readonly Value[], y: Value) => runMemory(graphOf(inputs, [y]));

test("a chain of products holds two buffers: one is read while the other is written", () => {
  const a = x();
  const chain = [1, 2, 3, 4].reduce((value) => matmul(value, a), a as Value);
  // The last product goes into the caller's memory.
  expect(memoryOf([a], chain).peak).toBe(2 * 256);
});

test("elementwise functions work in place, and another shape of the same bytes takes none", () => {
  const a = x();
  const y = matmul(relu(reshape(relu(matmul(a, a)), [8, 8])), a);
  expect(memoryOf([a], y).peak).toBe(256);
});

test("what is read later stays", () => {
  const a = x();
  const first = matmul(a, a);
  const second = matmul(first, a);
  const third = matmul(second, a);
  // The first product is still there when the sum needs it.
  expect(memoryOf([a], add(mul(third, first), second)).peak).toBe(3 * 256);
});

test("a buffer is kept for the next value of its shape", () => {
  const a = x();
  const wide = input("float32", [8, 16], "w");
  const y = matmul(matmul(matmul(matmul(a, a), wide), reshape(wide, [16, 8])), a);
  // [8, 8], then [8, 16] beside it, then the first again.
  expect(memoryOf([a, wide], y).peak).toBe(256 + 512);
});

test("constants are counted apart", () => {
  const a = x();
  expect(memoryOf([a], add(matmul(a, a), full([8, 8], 1))).constants).toBe(256);
  expect(memoryOf([a], mul(matmul(a, a), constant(tensor([2])))).constants).toBe(4);
});

test("the order of execution has every operand before its reader", () => {
  const a = x();
  const shared = relu(a);
  const graph = graphOf([a], [add(matmul(shared, a), shared), matmul(shared, shared)]);
  const order = executionOrder(graph);
  expect(new Set(order)).toEqual(new Set(graph.nodes));
  for (const [i, node] of order.entries())
    for (const value of node.inputs) if (value?.producer) expect(order.indexOf(value.producer)).toBeLessThan(i);
});
