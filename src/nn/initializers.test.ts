/** Initializers: moments, bounds, orthogonality, fan counts. */
import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../core/errors.ts";
import { keyOf, Random } from "../core/random.ts";
import type { Shape } from "../core/shape.ts";
import {
  constantInit,
  fans,
  type Initializer,
  type InitializerName,
  initializerOf,
  initializers,
  normalInit,
  orthogonal,
  truncatedNormalInit,
  uniformInit,
} from "./initializers.ts";

const draw = (initializer: Initializer, shape: Shape) => initializer(shape, new Random(keyOf(1)));

function moments(numbers: Float32Array): { mean: number; deviation: number; bound: number } {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
  return { mean, deviation: Math.sqrt(variance), bound: Math.max(...numbers.map(Math.abs)) };
}

test("fans of a dense weight, of a convolution and of a vector", () => {
  expect(fans([128, 784])).toEqual({ fanIn: 784, fanOut: 128 });
  expect(fans([64, 32, 3, 3])).toEqual({ fanIn: 288, fanOut: 576 });
  expect(fans([7])).toEqual({ fanIn: 7, fanOut: 7 });
});

describe("moments of 40,000 draws", () => {
  // [out 100, in 400]: Glorot 2/500, He 2/400, LeCun 1/400; a uniform in ±b has deviation b/√3.
  const shape = [100, 400];
  const cases: readonly (readonly [string, Initializer, number, number, number])[] = [
    ["uniform", uniformInit(-1, 3), 1, 2 / Math.sqrt(3), 3],
    ["normal", normalInit(2, 0.5), 2, 0.5, Number.POSITIVE_INFINITY],
    // Cut at two deviations, a normal has variance 1 - 4 φ(2) / (2 Φ(2) - 1) = 0.7737.
    ["truncatedNormal", truncatedNormalInit(0, 0.5), 0, 0.5 * Math.sqrt(0.7737), 1],
    ["glorotUniform", initializers.glorotUniform, 0, Math.sqrt(2 / 500), Math.sqrt(6 / 500)],
    ["glorotNormal", initializers.glorotNormal, 0, Math.sqrt(2 / 500), Number.POSITIVE_INFINITY],
    ["heUniform", initializers.heUniform, 0, Math.sqrt(2 / 400), Math.sqrt(6 / 400)],
    ["heNormal", initializers.heNormal, 0, Math.sqrt(2 / 400), Number.POSITIVE_INFINITY],
    ["lecunNormal", initializers.lecunNormal, 0, Math.sqrt(1 / 400), Number.POSITIVE_INFINITY],
  ];
  test.each(cases)("%s", (_, initializer, mean, deviation, bound) => {
    const found = moments(draw(initializer, shape));
    // The mean of n draws deviates by σ/√n = σ/200, the deviation by at most σ/√(2n) = σ/283: five of each.
    expect(Math.abs(found.mean - mean)).toBeLessThan((5 * deviation) / 200);
    expect(Math.abs(found.deviation - deviation)).toBeLessThan((5 * deviation) / 283);
    expect(found.bound).toBeLessThanOrEqual(bound * (1 + 1e-6));
  });
});

test("constants", () => {
  expect([...draw(constantInit(0.5), [2, 2])]).toEqual([0.5, 0.5, 0.5, 0.5]);
  expect([...draw(initializers.zeros, [2])]).toEqual([0, 0]);
  expect([...draw(initializers.ones, [2])]).toEqual([1, 1]);
});

describe("orthogonal", () => {
  const product = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
  test.each([
    [[4, 9], 1],
    [[9, 4], 1],
    [[5, 2, 3, 3], 2],
  ] as const)("%j times %d", (shape, gain) => {
    const rows = shape[0];
    const matrix = draw(orthogonal(gain), shape);
    const columns = matrix.length / rows;
    const row = (i: number) => [...matrix.slice(i * columns, (i + 1) * columns)];
    const column = (j: number) => Array.from({ length: rows }, (_, i) => matrix[i * columns + j] ?? 0);
    const [vectors, count] = rows <= columns ? [row, rows] : [column, columns];
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++)
        // Elements are rounded to float32, 6e-8 each.
        expect(Math.abs(product(vectors(i), vectors(j)) - (i === j ? gain ** 2 : 0))).toBeLessThan(1e-6);
  });
  test("needs a matrix", () => {
    expect(() => draw(orthogonal(), [3])).toThrow(DataError);
  });
});

test("equal generators give equal numbers, under every name", () => {
  for (const name of Object.keys(initializers) as InitializerName[])
    expect(draw(initializerOf(name), [3, 4])).toEqual(draw(initializerOf(name), [3, 4]));
});

test("an unknown name is answered with the nearest", () => {
  expect(() => initializerOf("heNormall" as InitializerName)).toThrow('did you mean "heNormal"?');
  expect(() => initializerOf("toString" as InitializerName)).toThrow(OptionError);
});
