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
