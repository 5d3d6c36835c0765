/** Figures and the page of what layers learned: what is shown of few and of many layers, and what is left out. */
import { expect, test } from "vitest";
import { historyFigures, landscapeFigure, similarityFigure } from "./drawings.ts";
import type { LayerMoment } from "./layer-history.ts";
import { learningPage } from "./learning-page.ts";

/** So many layers over so many epochs; gradients grow by ten a layer, of the last one half the units are dead. */
const historyOf = (layers: number, epochs: number): readonly LayerMoment[] =>
  Array.from({ length: epochs }, (_, epoch) => ({
    epoch,
    batch: 10 * epoch,
    loss: 1 / (epoch + 1),
    layers: Array.from({ length: layers }, (_, i) => ({
      path: `layers.${i}<`,
      type: "Dense",
      shape: [4, 2],
      mean: 0,
      deviation: 1,
      zeros: 0,
      dead: i === layers - 1 ? 0.5 : 0,
      weights: { parameters: 6, norm: 2, gradient: 10 ** i, ratio: 10 ** i / 2 },
    })),
  }));

test("few layers are lines, many a heat map; what is 0 everywhere is left out, and one moment has no history", () => {
  const few = historyFigures(historyOf(3, 4));
  expect(Object.keys(few)).toEqual(["gradients", "weights", "ratios", "deviations", "dead"]);
  expect(few["gradients"]).toContain("<path");
  const many = historyFigures(historyOf(9, 4));
  const squares = [...(many["gradients"] ?? "").matchAll(/fill-opacity="([\d.]+)"><title>/g)].map(([, own]) =>
    Number(own),
  );
  expect(squares).toHaveLength(36);
  expect([squares[0], squares.at(-1)]).toEqual([0, 1]);
  // Only layers with a dead unit have a row there: one, which is a line.
  expect(many["dead"]).toContain("<path");
  expect(historyFigures(historyOf(3, 1))).toEqual({});
  // A long run is thinned out.
  expect([...(historyFigures(historyOf(9, 90))["gradients"] ?? "").matchAll(/"><title>layers/g)]).toHaveLength(9 * 40);
});

test("a page has the sections that were given, with names escaped; an empty one is refused", () => {
  const landscape = {
    offsets: [-1, 0, 1],
    losses: Float64Array.of(4, 1, 4, 2, 0.5, 2, 4, 1, 4),
    loss: 0.5,
    concave: 0.25,
    moved: 6,
  };
  const layer = { path: "layers.0", type: "Dense", features: 2 };
  const similarity = { rows: [layer], columns: [layer], values: Float64Array.of(1), samples: 64 };
  const whole = learningPage({
    title: "A & B",
    history: historyOf(3, 3),
    ranks: [{ ...layer, effective: 1.5, stable: 1.2, most: 2 }],
    similarity,
    landscape,
  });
  for (const text of ["A &amp; B", "layers.0&lt;", "Rank of features", "over 64 samples", "25 % of the points", "50 %"])
    expect(whole).toContain(text);
  expect(whole).not.toContain("<script");
  const one = learningPage({ title: "x", similarity });
  expect([one.includes("Similarity of layers"), one.includes("Rank of"), one.includes("over time")]).toEqual([
    true,
    false,
    false,
  ]);
  expect(similarityFigure(similarity)).toContain("linear CKA");
  // Losses of 0 have no logarithm.
  expect(landscapeFigure({ ...landscape, losses: new Float64Array(9) })).toContain("loss</text>");
  expect(() => learningPage({ title: "x" })).toThrow("learningPage: there is nothing to show");
  expect(() => learningPage({} as never)).toThrow("learningPage: title is missing");
});
