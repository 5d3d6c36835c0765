/** Normal tails against values of mpmath. */
import { expect, test } from "vitest";
import { scaledErfc, upperTail } from "./normal.ts";

// mpmath 1.2.1 with 40 digits: erfc(z / sqrt(2)) / 2.
test.each([
  [-6, 0.9999999990134123],
  [-0.3, 0.6179114221889527],
  [0, 0.5],
  [0.6, 0.2742531177500736],
  [1.5, 0.06680720126885807],
  [6, 9.86587645037698e-10],
  [20, 2.7536241186062337e-89],
  [36, 4.182624065797283e-284],
])("the tail above %d", (z, expected) => {
  expect(Math.abs(upperTail(z) / expected - 1)).toBeLessThan(2e-13);
});

test("the tails of both ends are 0 and 1, and add up to 1 between", () => {
  expect([upperTail(50), upperTail(-50), upperTail(Infinity), upperTail(-Infinity)]).toEqual([0, 1, 0, 1]);
  for (const z of [0.1, 0.66, 0.67, 5.6, 5.7]) expect(upperTail(z) + upperTail(-z)).toBeCloseTo(1, 15);
});

// mpmath: exp(x^2) erfc(x).
test.each([
  [0, 1],
  [0.4, 0.6707877852947616],
  [0.5, 0.6156903441929259],
  [3.9, 0.14031418160068973],
  [4.1, 0.13383411641865198],
  [1000, 0.0005641893014533876],
])("the scaled complementary error function of %d", (x, expected) => {
  expect(Math.abs(scaledErfc(x) / expected - 1)).toBeLessThan(2e-15);
});
