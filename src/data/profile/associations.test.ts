/** How strongly columns go together. */
import { expect, test } from "vitest";
import { associationsOf, correlationRatio, cramersV, pearson } from "./associations.ts";

test("Pearson's correlation", () => {
  // Products of the differences from the means sum up to 12, their squares to 10 and 21.2.
  expect(pearson(Float64Array.of(1, 2, 3, 4, 5, 9), Float64Array.of(2, 1, 4, 3, 7, Number.NaN))).toBeCloseTo(
    12 / Math.sqrt(10 * 21.2),
    8,
  );
  expect(pearson(Float64Array.of(1, 2, 3, 4, 5), Float64Array.of(1, 1, 1, 1, 1))).toBeNull();
  expect(pearson(Float64Array.of(1, 2), Float64Array.of(1, 2))).toBeNull();
});

test("the correlation ratio", () => {
  // The example of the article on the correlation ratio: algebra, geometry, statistics; eta² = 6780 / 9640.
  const codes = Int32Array.of(0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2);
  const scores = Float64Array.of(45, 70, 29, 15, 21, 40, 20, 30, 42, 65, 95, 80, 70, 85, 73);
  expect(correlationRatio(codes, 3, scores)).toBeCloseTo(Math.sqrt(6780 / 9640), 8);
});

test("Cramér's V", () => {
  const a = Int32Array.from({ length: 100 }, (_, i) => i % 2);
  expect(cramersV(a, 2, a, 2)).toBeCloseTo(1, 6);
  // 100 rows in which both are independent: chi² is 0, and V without its bias as well.
  expect(
    cramersV(
      a,
      2,
      Int32Array.from(a, (_, i) => (i >> 1) % 2),
      2,
    ),
  ).toBe(0);
  expect(cramersV(a, 2, new Int32Array(100), 1)).toBeNull();
});

test("a table of all pairs", () => {
  const numbers = Float64Array.from({ length: 20 }, (_, i) => i);
  const codes = Int32Array.from({ length: 20 }, (_, i) => (i < 10 ? 0 : 1));
  const { names, values } = associationsOf([
    { name: "x", numbers, levels: 0 },
    { name: "minus x", numbers: numbers.map((value) => -value), levels: 0 },
    { name: "half", codes, levels: 2 },
    { name: "names", codes: Int32Array.from(numbers), levels: 100 },
  ]);
  expect(names).toEqual(["x", "minus x", "half"]);
  expect(values[0]?.[1]).toBeCloseTo(-1);
  expect(values[2]?.[0]).toBeCloseTo(Math.sqrt(500 / 665)); // 20 · 5² between, 665 in all
});
