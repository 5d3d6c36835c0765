/** Thinning: no extreme is lost, nor the ends, nor a number that is none. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Growing, thinned } from "./series.ts";

test("few points are all drawn", () => {
  expect(thinned([3, 1, 2], 1)).toEqual([0, 1, 2]);
  expect(thinned([], 10)).toEqual([]);
});

test("of many, each column keeps its extremes and its ends, in order", () => {
  const values = Float64Array.from({ length: 10_000 }, (_, i) => Math.sin(i / 50));
  values[1234] = 100;
  values[5678] = -100;
  values[9000] = Number.NaN;
  const places = thinned(values, 100);
  expect(places.length).toBeLessThanOrEqual(500);
  for (const kept of [0, 1234, 5678, 9000, 9999]) expect(places).toContain(kept);
});

test("whatever the values, the least and the largest are among the drawn, and places rise", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 500 }),
      fc.integer({ min: 1, max: 20 }),
      (values, columns) => {
        const places = thinned(values, columns);
        const drawn = places.map((place) => values[place] as number);
        expect(Math.min(...drawn)).toBe(Math.min(...values));
        expect(Math.max(...drawn)).toBe(Math.max(...values));
        for (let i = 1; i < places.length; i++) expect(places[i]).toBeGreaterThan(places[i - 1] as number);
      },
    ),
  );
});

test("numbers grow at their end", () => {
  const numbers = new Growing();
  for (let i = 0; i < 200; i++) numbers.push(i);
  expect([...numbers.values]).toEqual(Array.from({ length: 200 }, (_, i) => i));
  expect(numbers.bytes).toBe(8 * 256);
});
