/** Biases of users and items, by hand. */
import { expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { fitRatingBiases } from "./rating-biases.ts";

const ratings = (pairs: [number, number][], stars: number[]) => ({
  x: tensor(pairs, { dtype: "int32" }),
  y: tensor(stars),
});

test("without shrinkage a table of sums is found exactly", () => {
  // 3 + (1, -1) + (0.5, -0.5)
  const data = ratings(
    [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ],
    [4.5, 3.5, 2.5, 1.5],
  );
  const { mean, users, items } = fitRatingBiases(data, { users: 2, items: 2, shrinkage: 0 });
  expect([mean, ...users, ...items].map((value) => Number(value.toFixed(9)))).toEqual([3, 1, -1, 0.5, -0.5]);
});

test("shrinks what is known from little: b = Σ residuals / (λ + n)", () => {
  const { mean, users, items } = fitRatingBiases(
    ratings(
      [
        [0, 0],
        [1, 0],
      ],
      [5, 1],
    ),
    { users: 3, items: 2, shrinkage: 1 },
  );
  expect([mean, ...users, ...items]).toEqual([3, 1, -1, 0, 0, 0]);
});

test("refuses no ratings and a negative shrinkage", () => {
  const one = ratings([[0, 0]], [3]);
  expect(() => fitRatingBiases(one, { users: 1, items: 1, shrinkage: -1 })).toThrow("shrinkage is -1");
  const none = { x: tensor(new Int32Array(0), { shape: [0, 2] }), y: tensor(new Float32Array(0)) };
  expect(() => fitRatingBiases(none, { users: 1, items: 1 })).toThrow("there are no ratings");
});
