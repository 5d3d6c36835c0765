/** Normal numbers drawn many at a time: their distribution, its tails, and that a key gives the same ones. */
import { expect, test } from "vitest";
import { keyOf, Random } from "./random.ts";

/** The normal distribution function, by its power series (Marsaglia 2004). */
function below(z: number): number {
  let [sum, term] = [z, z];
  for (let i = 1; i < 150; i++) {
    term *= (z * z) / (2 * i + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI);
}

const count = 1_000_000;
const numbers = new Random(keyOf(7)).normals(count);

test("they are normally distributed, by Kolmogorov and Smirnov's test at 1 in 1,000", () => {
  const sorted = numbers.slice().sort();
  let distance = 0;
  for (let i = 0; i < count; i += 50)
    distance = Math.max(distance, Math.abs(below(sorted[i] as number) - (i + 0.5) / count));
  expect(distance * Math.sqrt(count)).toBeLessThan(1.95);
});

test("beyond the widest layer they are as many as there should be, on both sides", () => {
  const expected = count * (1 - below(3.6541528853610088));
  for (const side of [-1, 1]) {
    const beyond = numbers.filter((z) => side * z > 3.6541528853610088);
    expect(Math.abs(beyond.length - expected)).toBeLessThan(4 * Math.sqrt(expected));
    // Mills: the mean of what lies beyond a is a little over a + 1/a, less a third power.
    const mean = beyond.reduce((sum, z) => sum + side * z, 0) / beyond.length;
    expect(mean).toBeGreaterThan(3.8);
    expect(mean).toBeLessThan(4.05);
  }
});

test("neighbours are uncorrelated", () => {
  let sum = 0;
  for (let i = 1; i < count; i++) sum += (numbers[i] as number) * (numbers[i - 1] as number);
  expect(Math.abs(sum) / Math.sqrt(count)).toBeLessThan(4);
});

test("a key gives the same numbers, and what is drawn afterwards follows", () => {
  const [a, b] = [new Random(keyOf(1)), new Random(keyOf(1))];
  const all = a.normals(1000);
  expect([...b.normals(400), ...b.normals(600)]).toEqual([...all]);
  expect(b.uint32()).toBe(a.uint32());
  // Of this generator since it was written: weights of a seed stay what they are.
  expect([...new Random(keyOf(1)).normals(4)]).toMatchInlineSnapshot(`
    [
      1.8227800130844116,
      0.18738402426242828,
      -0.014414429664611816,
      -0.24585169553756714,
    ]
  `);
});
