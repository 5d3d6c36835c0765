/** Curves as SVG: in the colors of their runs, on the axis that is chosen, names as text. */
import { expect, test } from "vitest";
import { type Curve, colorOf } from "./curve.ts";
import { type CurveSvgOptions, curvesSvg } from "./curve-svg.ts";

const curve = (run: string, values: readonly (number | null)[], more: Partial<Curve> = {}): Curve => ({
  ...{ run, name: "loss", by: "batch", values, batches: values.map((_, i) => 10 * (i + 1)) },
  ...more,
});
const options: CurveSvgOptions = {
  ...{ title: "loss", axis: "step", axisLabel: "batches", logarithmic: false },
  placeOf: (run) => ["a", "b"].indexOf(run),
  nameOf: (run) => `run ${run}`,
};
const texts = (svg = "") => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
const paths = (svg = "") =>
  [...svg.matchAll(/<path d="([^"]*)"[^>]*stroke="([^"]*)"/g)].map(([, d, color]) => ({ d, color }));
const pointsOf = (d = "") =>
  d
    .split(/[ML]/)
    .slice(1)
    .map((pair) => pair.split(",").map(Number));

test("each run has its color and its name; of one the name stands above", () => {
  const svg = curvesSvg([curve("b", [1, 2]), curve("a", [2, 1])], options);
  expect(paths(svg).map(({ color }) => color)).toEqual([colorOf(1), colorOf(0)]);
  expect(texts(svg)).toEqual(expect.arrayContaining(["run a", "run b", "batches", "loss"]));
  expect(texts(curvesSvg([curve("a", [1, 2])], options))).toContain("run a: loss");
});

test("a logarithmic axis leaves out what it cannot hold, and gaps are no points", () => {
  const svg = curvesSvg([curve("a", [1, 0, null, 10, 100])], { ...options, logarithmic: true });
  const [first, second, third] = pointsOf(paths(svg)[0]?.d).map(([, y]) => y ?? 0);
  expect(pointsOf(paths(svg)[0]?.d)).toHaveLength(3);
  expect((first ?? 0) - (second ?? 0)).toBeCloseTo((second ?? 0) - (third ?? 0), 0);
  expect(svg).not.toContain("NaN");
});

test("a smoothed curve stands before its raw one, and only what is shown of the axis is drawn", () => {
  const own = curve("a", [1, 3, 1, 3], { smoothed: [1, 2, 2, 2], batchesOfEpoch: 10, times: [5, 6, 7, 9] });
  const svg = curvesSvg([own], { ...options, span: [20, 30] });
  expect(paths(svg)).toHaveLength(2);
  expect(svg).toContain('stroke-opacity="0.25"');
  for (const { d } of paths(svg)) expect(pointsOf(d)).toHaveLength(2);
  const ticks = (axis: CurveSvgOptions["axis"]) => texts(curvesSvg([own], { ...options, axis }));
  expect(ticks("epoch")).toEqual(expect.arrayContaining(["1", "4"]));
  expect(ticks("time")).toEqual(expect.arrayContaining(["0", "4"]));
});

test("what has no point, or no epochs, is not drawn", () => {
  expect(curvesSvg([], options)).toBeUndefined();
  expect(curvesSvg([curve("a", [null])], options)).toBeUndefined();
  expect(curvesSvg([curve("a", [1])], { ...options, axis: "epoch" })).toBeUndefined();
  expect(paths(curvesSvg([curve("a", [1])], options))).toHaveLength(1);
});

test("names are text, whatever they hold, and long ones are cut", () => {
  const evil = `<script>alert(1)</script>\u0000"${"x".repeat(500)}`;
  const svg =
    curvesSvg([curve("a", [1, 2]), curve("b", [1, 2])], { ...options, title: evil, nameOf: () => evil }) ?? "";
  expect(svg).not.toContain("<script");
  expect(svg).not.toContain("\u0000");
  expect(svg).toContain("&lt;script&gt;");
  for (const text of texts(svg)) expect(text?.length).toBeLessThan(120);
});
