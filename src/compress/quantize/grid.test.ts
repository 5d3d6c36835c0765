/** Grids of whole numbers, and ranges of histograms, by hand. */
import { describe, expect, test } from "vitest";
import { asFloat32, type Nested, tensor } from "../../core/tensor.ts";
import { gridOf, quantizedWeight, realNumbers, roundHalfEven } from "./grid.ts";
import { Histogram, rangeOf } from "./ranges.ts";

const matrix = (values: Nested) => asFloat32(tensor(values));

describe("grids", () => {
  test("cover a range, and hold 0 exactly", () => {
    expect(gridOf({ low: -1, high: 1.55 }, "uint8", false)).toEqual({
      dtype: "uint8",
      scale: Math.fround(0.01),
      zero: 100,
    });
    expect(gridOf({ low: 2, high: 5.1 }, "uint8", false)).toEqual({
      dtype: "uint8",
      scale: Math.fround(0.02),
      zero: 0,
    });
    expect(gridOf({ low: -2.55, high: -1 }, "int8", false)).toEqual({
      dtype: "int8",
      scale: Math.fround(0.01),
      zero: 127,
    });
    expect(gridOf({ low: -1.27, high: 0.5 }, "int8", true)).toEqual({
      dtype: "int8",
      scale: Math.fround(0.01),
      zero: 0,
    });
    expect(gridOf({ low: -1.27, high: 0.5 }, "uint8", true).zero).toBe(128);
    expect(gridOf({ low: 0, high: 0 }, "uint8", false).scale).toBeGreaterThan(0);
  });

  test("halves round to the even number", () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4].map(roundHalfEven)).toEqual([0, 2, 2, -0, -2, 2]);
  });

  test("weights have a scale for each output, whichever axis that is", () => {
    const rows = quantizedWeight(
      matrix([
        [1.27, -0.5],
        [0.1, 0.0127],
      ]),
      0,
      127,
    );
    expect([...rows.numbers.data]).toEqual([127, -50, 127, 16]);
    const columns = quantizedWeight(
      matrix([
        [1.27, -0.5],
        [0.1, 0.0127],
      ]),
      1,
      127,
    );
    expect([...columns.numbers.data]).toEqual([127, -127, 10, 3]);
    expect(realNumbers(columns, 1)(1)).toBeCloseTo(-0.5, 6);
    const one = quantizedWeight(
      matrix([
        [1.27, -0.5],
        [0.1, 0.0127],
      ]),
      undefined,
      127,
    );
    expect([...one.numbers.data, one.scale.shape.length]).toEqual([127, -50, 10, 1, 0]);
    // 7 bits; zeros alone.
    expect([...quantizedWeight(matrix([[0.63, 0.01]]), 0, 63).numbers.data]).toEqual([63, 1]);
    expect([...quantizedWeight(matrix([[0, 0]]), 0, 127).numbers.data]).toEqual([0, 0]);
  });
});

describe("ranges of a histogram", () => {
  /** 100,000 numbers evenly from 0 to 1, and one of 10. */
  const histogram = new Histogram({ low: 0, high: 10 });
  histogram.add(Float32Array.from({ length: 100_000 }, (_, i) => i / 100_000));
  histogram.add([10]);

  test("mse weighs what is cut off against what is rounded", () => {
    // (10 - r)² + N r² / (12 · 255²) is least at 10 / (1 + N / (12 · 255²)); ranges are tried in steps of 1/72.
    const best = 10 / (1 + 100_000 / (12 * 255 ** 2));
    expect(Math.abs(rangeOf(histogram, "mse").high - best)).toBeLessThan(10 / 72);
  });

  test.each(["percentile", "entropy"] as const)("%s leaves the one that is far out", (method) => {
    const { low, high } = rangeOf(histogram, method);
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(0.98);
    expect(high).toBeLessThan(2);
  });

  test("numbers without outliers keep their range, on both sides of 0", () => {
    const plain = new Histogram({ low: -1, high: 1 });
    plain.add(Float32Array.from({ length: 10_000 }, (_, i) => i / 5000 - 1));
    for (const method of ["percentile", "mse", "entropy"] as const) {
      const { low, high } = rangeOf(plain, method);
      expect(low).toBeCloseTo(-1, 1);
      expect(high).toBeCloseTo(1, 1);
    }
    expect(rangeOf(new Histogram({ low: 3, high: 3 }), "mse")).toEqual({ low: 3, high: 3 });
  });
});
