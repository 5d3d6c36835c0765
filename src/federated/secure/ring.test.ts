/** Fixed-point numbers modulo 2^64: what they keep, that masks cancel, and what is too large. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { maskOf } from "./key-agreement.ts";
import { addTo, fromRing, greatestValue, toRing } from "./ring.ts";

const values = [0, 1, -1, 0.5, -0.25, 3.75, -1e6, 123456.78125, 2 ** -24, -(2 ** -24)];

test("numbers of 24 bits behind the point come back, and others to half of the last of them", () => {
  expect([...fromRing(toRing(values, 1))]).toEqual(values);
  const random = new Random(keyOf(1));
  const others = Array.from({ length: 1000 }, () => 100 * random.normal());
  for (const [i, value] of fromRing(toRing(others, 1)).entries())
    expect(Math.abs(value - (others[i] as number))).toBeLessThanOrEqual(2 ** -25);
});

test("sums are exact, over zero both ways", () => {
  const sum = toRing([1, -3, 2 ** 30, 0], 8);
  addTo(sum, toRing([-2, 5, 2 ** 30, -(2 ** -24)], 8), 1);
  expect([...fromRing(sum)]).toEqual([-1, 2, 2 ** 31, -(2 ** -24)]);
  addTo(sum, toRing([-2, 5, 2 ** 30, -(2 ** -24)], 8), -1);
  expect([...fromRing(sum)]).toEqual([1, -3, 2 ** 30, 0]);
});

test("a mask that is added and taken away leaves nothing, and covers the number in between", () => {
  const sum = toRing(values, 1);
  const mask = maskOf(new Uint8Array(32).fill(7), values.length);
  addTo(sum, mask, 1);
  for (const [i, value] of fromRing(sum).entries()) expect(value).not.toBe(values[i]);
  addTo(sum, mask, -1);
  expect([...fromRing(sum)]).toEqual(values);
});

test("numbers whose sum would leave the ring are refused, and those at its edge are not", () => {
  const most = greatestValue(3);
  const sum = toRing([most], 3);
  for (let i = 0; i < 2; i++) addTo(sum, toRing([most], 3), 1);
  expect(fromRing(sum)[0]).toBeCloseTo(3 * most, -2);
  for (const value of [2 * most, -2 * most, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => toRing([0, value], 3)).toThrow(
      `secure aggregation: an element is ${value}, and of 3 summands each is`,
    );
});
