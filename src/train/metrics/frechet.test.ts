/** The Fréchet distance: of sets whose Gaussians are known. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { frechetDistance } from "./frechet.ts";

const random = new Random(keyOf(1));
/** Rows (a u + m, b v + n) of normal u, v. */
const sample = (rows: number, a: number, b: number, m: number, n: number) =>
  new Tensor(
    "float32",
    [rows, 2],
    Float32Array.from({ length: 2 * rows }, (_, i) =>
      i % 2 === 0 ? a * random.normal() + m : b * random.normal() + n,
    ),
  );

test("is 0 for a set and itself, and the square of what a shift is", () => {
  const points = tensor([
    [1, 2],
    [3, 5],
    [-1, 0.5],
    [2, 2],
  ]);
  expect(frechetDistance(points, points)).toBeCloseTo(0, 9);
  const shifted = tensor(
    [
      [1, 2],
      [3, 5],
      [-1, 0.5],
      [2, 2],
    ].map(([x = 0, y = 0]) => [x + 3, y - 4]),
  );
  expect(frechetDistance(points, shifted)).toBeCloseTo(25, 5);
});

test("of axis-aligned Gaussians: squared differences of means and of deviations", () => {
  const distance = frechetDistance(sample(20_000, 1, 2, 0, 0), sample(20_000, 3, 2.5, 1, -1));
  expect(distance).toBeCloseTo(1 + 1 + (1 - 3) ** 2 + (2 - 2.5) ** 2, 0);
  expect(Math.abs(distance - 6.25)).toBeLessThan(0.2);
});

test("of correlated features: as in a hand computation with Σ₁ = [[2, 1], [1, 2]] and Σ₂ = I", () => {
  // Eight points with that covariance exactly: ±√(7/2) along both axes of Σ₁, scaled by the roots of 3 and 1.
  const s = Math.sqrt(7 / 4);
  const [along, across] = [Math.sqrt(3) * s, s];
  const h = Math.SQRT1_2;
  const corners = [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const;
  const points = (u: number, v: number) =>
    tensor([...corners, ...corners].map(([p, q]) => [h * (p * u - q * v), h * (p * u + q * v)]));
  // tr Σ₁ + tr I - 2 (√3 + 1)
  expect(frechetDistance(points(along, across), points(s, s))).toBeCloseTo(4 + 2 - 2 * (Math.sqrt(3) + 1), 5);
});

test("refuses other shapes and a single sample", () => {
  expect(() => frechetDistance(tensor([1, 2]), tensor([[1, 2]]))).toThrow("the first set is [2]");
  expect(() => frechetDistance(tensor([[1, 2]]), tensor([[1, 2]]))).toThrow("has 1 samples");
  expect(() =>
    frechetDistance(
      tensor([[1], [2]]),
      tensor([
        [1, 2],
        [2, 3],
      ]),
    ),
  ).toThrow("1 and 2 features");
});
