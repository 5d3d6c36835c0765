/** Heat maps: a square for each pair, as dark as its share; names are escaped. */
import { expect, test } from "vitest";
import { heatmap } from "./heatmap.ts";

test("a square for each row and column, cut to [0, 1]", () => {
  const svg = heatmap({ title: "a < b", rows: ["le", "«"], columns: ["the", "<"], values: [1, 0.25, -1, 2] });
  expect([...svg.matchAll(/fill-opacity="([\d.]+)"/g)].map(([, share]) => Number(share))).toEqual([1, 0.25, 0, 1]);
  expect(svg).toContain("<title>le: &lt; 0.25</title>");
  expect(svg).toContain(">a &lt; b</text>");
  // Columns stand beside one another, rows beneath one another.
  const [first, right, below] = [...svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="21"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
  expect(right).toEqual([(first?.[0] ?? 0) + 22, first?.[1]]);
  expect(below).toEqual([first?.[0], (first?.[1] ?? 0) + 22]);
});

test("any numbers on a linear or logarithmic scale, with a legend; what is no number is grey", () => {
  const shades = (svg: string) =>
    [...svg.matchAll(/fill-opacity="([\d.]+)"><title>/g)].map(([, share]) => Number(share));
  const options = { title: "t", rows: ["a"], columns: ["1", "", "3", "4"] };
  const log = heatmap({
    ...options,
    values: [1e-6, 1e-3, 1, Number.NaN],
    colours: { label: "gradient", scale: "log" },
    cell: 10,
  });
  expect(shades(log)).toEqual([0, 0.5, 1]);
  expect(log).toContain('fill="#d1d5db"><title>a: 4 no number</title>');
  expect(log).toContain(">0.000001</text>");
  expect(log).toContain(">1  gradient</text>");
  const linear = heatmap({ ...options, values: [-1, 0, 3, 9], colours: { label: "x", domain: [-1, 3] } });
  expect(shades(linear)).toEqual([0, 0.25, 1, 1]);
  // Zeros have no logarithm: they are as light as the least, and equal numbers none lighter than another.
  expect(shades(heatmap({ ...options, values: [0, 0.1, 1, 1], colours: { label: "x", scale: "log" } }))).toEqual([
    0, 0, 1, 1,
  ]);
  expect(shades(heatmap({ ...options, values: [2, 2, 2, 2], colours: { label: "x" } }))).toEqual([0.5, 0.5, 0.5, 0.5]);
  expect(() => heatmap({ ...options, values: [1], colours: { scale: "log" } as never })).toThrow(
    "heatmap: colours.label",
  );
});
