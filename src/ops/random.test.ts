/** Random draws inside graphs: repeatable by key, different by site, uniform. */
import { expect, test } from "vitest";
import { keyOf } from "../core/random.ts";
import type { Value } from "../graph/ir.ts";
import { jit } from "../jit/jit.ts";
import { ones } from "./index.ts";
import { deriveKey, dropout, keyTensor, randomBits, randomNormal, randomUniform } from "./random.ts";

const count = 1 << 16;
const bitsOf = jit((key: Value) => randomBits(key, [count]));

test("equal keys give equal bits, other keys and other sites other bits", async () => {
  const first = (await bitsOf(keyTensor(keyOf(1)))).data as Uint32Array;
  const again = (await bitsOf(keyTensor(keyOf(1)))).data as Uint32Array;
  const other = (await bitsOf(keyTensor(keyOf(2)))).data as Uint32Array;
  const sited = (await jit((key: Value) => randomBits(deriveKey(key, 1), [count]))(keyTensor(keyOf(1))))
    .data as Uint32Array;
  expect(first).toEqual(again);
  const shared = (a: Uint32Array, b: Uint32Array) => a.filter((bits, i) => bits === b[i]).length;
  expect(shared(first, other)).toBeLessThan(3);
  expect(shared(first, sited)).toBeLessThan(3);
});

test.each([1, 2, 3, 1000])("seed %i: bytes are uniform and neighbours uncorrelated", async (seed) => {
  const bits = (await bitsOf(keyTensor(keyOf(seed)))).data as Uint32Array;
  for (const shift of [0, 8, 16, 24]) {
    const histogram = new Float64Array(256);
    for (const word of bits) histogram[(word >>> shift) & 255] = (histogram[(word >>> shift) & 255] ?? 0) + 1;
    const expected = count / 256;
    const chiSquare = histogram.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
    // 255 degrees of freedom: mean 255, deviation 22.6; five deviations.
    expect(Math.abs(chiSquare - 255)).toBeLessThan(113);
  }
  const centred = Float64Array.from(bits, (word) => word / 2 ** 32 - 0.5);
  for (const lag of [1, 2, 32]) {
    const products = centred.subarray(lag).reduce((sum, value, i) => sum + value * (centred[i] ?? 0), 0);
    // Deviation of a correlation of independent numbers: 1 / sqrt(count); five of them.
    expect(Math.abs((products / count) * 12)).toBeLessThan(5 / Math.sqrt(count));
  }
});

test("uniform and normal draws have their moments", async () => {
  const draw = jit((key: Value) => [randomUniform(key, [count]), randomNormal(key, [count])] as const);
  const [uniform, normal] = await draw(keyTensor(keyOf(3)));
  const mean = (data: ArrayLike<number>, f = (x: number) => x) =>
    Array.from(data).reduce((sum, x) => sum + f(x), 0) / data.length;
  expect(mean(uniform.data as Float32Array)).toBeCloseTo(0.5, 2);
  expect(mean(normal.data as Float32Array)).toBeCloseTo(0, 1);
  expect(mean(normal.data as Float32Array, (x) => x * x)).toBeCloseTo(1, 1);
});

test("dropout zeroes its share and keeps the mean", async () => {
  const drop = jit((key: Value) => dropout(ones([count]), 0.3, key));
  const data = (await drop(keyTensor(keyOf(4)))).data as Float32Array;
  expect(data.filter((x) => x === 0).length / count).toBeCloseTo(0.3, 2);
  expect(data.find((x) => x !== 0)).toBeCloseTo(1 / 0.7, 6);
});
