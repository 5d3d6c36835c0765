/** Fused loops compute what their graphs say, in place, over the range asked for. */
import { expect, test } from "vitest";
import { abs, add, div, exp, maximum, minimum, mul, neg, sqrt, square, sub } from "../ops/index.ts";
import { ownMemory } from "../runtime/loops.ts";
import { fuse } from "./fused.ts";

function vectors(count: number, length: number) {
  const memory = ownMemory(count * length * 4);
  return {
    memory,
    list: Array.from({ length: count }, (_, i) => new Float32Array(memory.buffer, i * length * 4, length)),
  };
}

test("every operator of a loop, against the same in JavaScript", () => {
  const { memory, list } = vectors(2, 48);
  const [x, y] = list as [Float32Array, Float32Array];
  for (let i = 0; i < 48; i++) [x[i], y[i]] = [i - 20, i / 3 + 1];
  const before = [Float32Array.from(x), Float32Array.from(y)] as const;
  const kernel = fuse(memory, list, 1, ([a, b], [s]) => {
    if (!a || !b || !s) throw new Error("three operands");
    const low = minimum(maximum(neg(a), b), 9);
    return { results: [div(sub(mul(a, s), low), sqrt(add(abs(a), b))), undefined], sum: square(b) };
  });
  const total = kernel(16, 32, [2.5]);
  const { fround } = Math;
  let squares = 0;
  for (let i = 0; i < 48; i++) {
    const [a, b] = [before[0][i] ?? 0, before[1][i] ?? 0];
    const low = Math.min(Math.max(-a, b), 9);
    const result = fround(fround(fround(a * 2.5) - low) / fround(Math.sqrt(fround(Math.abs(a) + b))));
    expect(x[i]).toBe(i >= 16 && i < 32 ? result : a);
    expect(y[i]).toBe(b);
    if (i >= 16 && i < 32) squares += b * b;
  }
  expect(total).toBeCloseTo(squares, 2);
});

test("sums over many blocks stay exact where float32 would not", () => {
  const { memory, list } = vectors(1, 1 << 20);
  list[0]?.fill(1.1);
  const kernel = fuse(memory, list, 0, ([x]) => ({ results: [], ...(x && { sum: x }) }));
  // A block adds 1,024 numbers in each lane: at most half of 1,024 roundings, 2^-24 each.
  expect(Math.abs(kernel(0, 1 << 20, []) / (1 << 20) / Math.fround(1.1) - 1)).toBeLessThan(512 * 2 ** -24);
});

test("an operator that is not elementwise arithmetic is refused", () => {
  const { memory, list } = vectors(1, 16);
  expect(() => fuse(memory, list, 0, ([x]) => ({ results: [x && exp(x)] }))).toThrow("Exp cannot be fused");
});
