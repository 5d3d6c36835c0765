/** Plots: points lie where their axes say, series are told apart, text is escaped. */
import { describe, expect, test } from "vitest";
import { barPlot, linePlot, palette, scatterPlot } from "./plot.ts";

const circles = (svg: string) =>
  [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);

describe("linePlot", () => {
  test("spaces points evenly on linear axes, and by their ratios on logarithmic ones", () => {
    const points = [
      [1, 1],
      [2, 10],
      [4, 100],
    ] as const;
    const linear = circles(linePlot([{ name: "a", points }], { title: "t", x: { label: "x" }, y: { label: "y" } }));
    const [[x0 = 0, y0 = 0] = [], [x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = []] = linear;
    expect((x2 - x1) / (x1 - x0)).toBeCloseTo(2, 1);
    expect((y1 - y2) / (y0 - y1)).toBeCloseTo(10, 0);
    const log = circles(
      linePlot([{ name: "a", points }], {
        title: "t",
        x: { label: "x", scale: "log", domain: [1, 4], ticks: [1, 2, 4] },
        y: { label: "y", scale: "log" },
      }),
    );
    const [[u0 = 0, v0 = 0] = [], [u1 = 0, v1 = 0] = [], [u2 = 0, v2 = 0] = []] = log;
    expect(u2 - u1).toBeCloseTo(u1 - u0, 0);
    expect(v0 - v1).toBeCloseTo(v1 - v2, 0);
  });

  test("names series in colours of their own, and leaves out what no axis holds", () => {
    const svg = linePlot(
      [
        {
          name: "a & b",
          points: [
            [1, 1],
            [2, Number.NaN],
            [3, 3],
          ],
        },
        {
          name: "c",
          points: [
            [1, 0],
            [2, 2],
          ],
          dashed: true,
        },
      ],
      { title: "<t>", x: { label: "x" }, y: { label: "y", scale: "log" } },
    );
    expect(circles(svg)).toHaveLength(3);
    for (const colour of palette.slice(0, 2)) expect(svg).toContain(`stroke="${colour}"`);
    expect(texts(svg)).toEqual(expect.arrayContaining(["a &amp; b", "c", "&lt;t&gt;"]));
    expect(svg).not.toContain("NaN");
  });

  test("a line of a colour of its own without dots, and a faint one without a name", () => {
    const points = [
      [1, 1],
      [2, 2],
    ] as const;
    const svg = linePlot(
      [
        { name: "raw", points, colour: "#123456", faint: true, dots: false },
        { name: "a", points, colour: "#123456", dots: false },
        { name: "b", points },
      ],
      { title: "t", x: { label: "x" }, y: { label: "y" } },
    );
    expect(circles(svg)).toHaveLength(2);
    expect(svg.match(/<path [^>]*stroke="#123456"/g)).toHaveLength(2);
    expect(texts(svg)).toEqual(expect.arrayContaining(["a", "b"]));
    expect(texts(svg)).not.toContain("raw");
  });

  test("ticks of many powers of ten are written as powers", () => {
    const svg = linePlot(
      [
        {
          name: "a",
          points: [
            [1, 1e-20],
            [2, 1e10],
          ],
        },
      ],
      {
        title: "t",
        x: { label: "x", ticks: [1, 2] },
        y: { label: "y", scale: "log" },
      },
    );
    expect(texts(svg)).toEqual(expect.arrayContaining(["1e-20", "1e10", "1", "2"]));
    expect(texts(svg).length).toBeLessThan(14);
  });
});

test("barPlot: a bar at each whole number, as high as its value", () => {
  const svg = barPlot(
    [
      [3, 1],
      [5, 2],
    ],
    { title: "t", x: { label: "x" }, y: { label: "y" } },
  );
  const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="([\d.]+)"[^>]*><title>(\d)/g)];
  expect(bars.map(([, , , , at]) => at)).toEqual(["3", "5"]);
  const [[, x3, width, low] = [], [, x5, , high] = []] = bars.map((bar) => bar.map(Number));
  expect((high ?? 0) / (low ?? 1)).toBeCloseTo(2, 1);
  // The empty place of 4 lies between.
  expect((x5 ?? 0) - (x3 ?? 0)).toBeGreaterThan(2 * (width ?? 0));
});

test("scatterPlot: dots where they are, groups in their colours, labels that would cover others left out", () => {
  const groups = [
    {
      name: "a",
      dots: [
        { x: -1, y: -1, label: "first <" },
        { x: -1, y: -1, label: "covered" },
      ],
    },
    { name: "b", dots: [{ x: 1, y: 1, label: "last" }] },
  ];
  const svg = scatterPlot(groups, { title: "t", x: { label: "x" }, y: { label: "y" } });
  const [[x0 = 0, y0 = 0] = [], , [x2 = 0, y2 = 0] = []] = circles(svg);
  expect([x0 < x2, y0 > y2]).toEqual([true, true]);
  expect([texts(svg).includes("first &lt;"), texts(svg).includes("covered"), texts(svg).includes("last")]).toEqual([
    true,
    false,
    true,
  ]);
  for (const colour of palette.slice(0, 2)) expect(svg).toContain(`fill="${colour}"`);
});
