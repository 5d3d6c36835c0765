/** Perceptrons of any depth: their counts, and that shortcuts and normalization are where they are said to be. */
import { describe, expect, test } from "vitest";
import { inspect, moduleNetwork } from "../../analyze/index.ts";
import { OptionError } from "../../core/errors.ts";
import { DeepMlp, type DeepMlpOptions, widthFor } from "./deep-mlp.ts";

const inspected = (options: DeepMlpOptions) =>
  inspect(
    moduleNetwork({
      name: "deep",
      source: "",
      model: new DeepMlp(options),
      inputs: { dtype: "float32", shape: [2, 1, 28, 28] },
    }),
    { optimizer: { name: "sgd", slots: [] }, precision: "float32" },
  ).inspection;

describe("DeepMlp", () => {
  test.each([
    [{ depth: 1, width: 7 }, 784 * 7 + 7 + 7 * 10 + 10],
    [{ depth: 3, width: 5 }, 784 * 5 + 5 + 2 * (25 + 5) + 60],
    [{ depth: 3, width: 5, residual: true }, 784 * 5 + 5 + 2 * (25 + 5) + 60],
    [{ depth: 3, width: 5, normalize: true }, 784 * 5 + 5 + 2 * (25 + 5) + 60 + 3 * 10],
  ] as const)("%o has %i parameters", (options, parameters) => {
    expect(inspected(options).parameters.total).toBe(parameters);
  });

  test("has one path without shortcuts, and two at each with them", () => {
    expect(inspected({ depth: 6, width: 4 }).depth).toMatchObject({ weighted: 7, paths: { count: 1, min: 7, max: 7 } });
    expect(inspected({ depth: 6, width: 4, residual: true }).depth).toMatchObject({
      weighted: 7,
      blocks: 5,
      paths: { count: 32, min: 2, max: 7, mean: 4.5 },
    });
  });

  test("refuses what is no number of layers", () => {
    expect(() => new DeepMlp({ depth: 0, width: 4 })).toThrow(OptionError);
  });
});

describe("widthFor", () => {
  test.each([1, 2, 4, 8, 16, 32])("comes as close to a budget at depth %i as a whole width allows", (depth) => {
    for (const normalize of [false, true]) {
      const width = widthFor(100_000, { inputs: 784, depth, normalize });
      const gap = (own: number) => Math.abs(inspected({ depth, width: own, normalize }).parameters.total - 100_000);
      expect(gap(width)).toBeLessThanOrEqual(Math.min(gap(width - 1), gap(width + 1)));
    }
  });

  test("refuses a budget that one unit a layer exceeds", () => {
    expect(() => widthFor(100, { inputs: 784, depth: 2 })).toThrow("100 parameters are too few for 2 hidden layers");
  });
});
