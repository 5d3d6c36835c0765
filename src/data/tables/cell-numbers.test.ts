/** Numbers as tables write them. */
import { expect, test } from "vitest";
import { decimalSignOf, parseNumber } from "./cell-numbers.ts";

test.each([
  ["12", 12],
  ["-1.5e3", -1500],
  [".5", 0.5],
  ["5.", 5],
  ["1,234.5", 1234.5],
  ["1,234,567", 1234567],
  ["1 234 567", 1234567],
  ["1'234.50", 1234.5],
  ["12 %", 12],
  ["12%", 12],
  ["$1,200", 1200],
  ["-$3.5", -3.5],
  ["€ 3", 3],
  ["3 EUR", 3],
  ["007", 7],
  ["1,5", undefined],
  ["1,23,456", undefined],
  ["1e999", undefined],
  ["Infinity", undefined],
  ["NaN", undefined],
  ["0x10", undefined],
  ["2020-01-01", undefined],
  ["", undefined],
  ["%", undefined],
  ["1.2.3", undefined],
  ["12 apples", undefined],
])("%j is %j", (text, value) => {
  expect(parseNumber(text)).toBe(value);
});

test.each([
  ["1,5", 1.5],
  ["1.234,5", 1234.5],
  ["1.234", 1234],
  ["-0,25", -0.25],
  ["1,234", 1.234],
  ["€ 1.200,00", 1200],
  ["12", 12],
  ["1.5", 1.5],
  ["1,2,3", undefined],
])("%j with a decimal comma is %j", (text, value) => {
  expect(parseNumber(text, true)).toBe(value);
});

test("texts say which sign their decimals have", () => {
  expect(["1,5", "1.5", "1,234", "1.234.567,8", "12", "a"].map(decimalSignOf)).toEqual([
    "comma",
    "point",
    "either",
    "comma",
    undefined,
    undefined,
  ]);
});
