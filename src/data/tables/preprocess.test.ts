/** Preprocessing against values worked out by hand and by scikit-learn's definitions. */
import { describe, expect, it } from "vitest";
import { DataError, DTypeError, FileError, OptionError, ShapeError } from "../../core/errors.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import {
  fitImpute,
  fitMinMax,
  fitOutliers,
  fitStandardize,
  oneHot,
  parsePreprocessing,
  transform,
} from "./preprocess.ts";

const nan = Number.NaN;
const values = (t: Tensor) => [...(t.data as Float32Array)];

describe("scaling", () => {
  it("standardizes: mean 0, deviation 1, constant columns 0", () => {
    const x = tensor([
      [1, 0.1],
      [3, 0.1],
      [5, 0.1],
    ]);
    const step = fitStandardize(x);
    expect(step.shift[0]).toBe(3);
    expect(step.scale[0]).toBeCloseTo(Math.sqrt(8 / 3), 12); // of the population, as StandardScaler
    const [a, constant, , , , last] = values(transform(x, step));
    expect(a).toBeCloseTo(-Math.sqrt(3 / 2), 6);
    expect([constant, last]).toEqual([0, 0]);
    expect(values(transform(tensor([[3, 1.1]]), step))[1]).toBeCloseTo(1, 6);
  });

  it("scales to 0 and 1, and goes beyond on other data", () => {
    const step = fitMinMax(
      tensor([
        [2, 7],
        [6, 7],
      ]),
    );
    expect(
      values(
        transform(
          tensor([
            [2, 7],
            [4, 8],
            [8, 7],
          ]),
          step,
        ),
      ),
    ).toEqual([0, 0, 0.5, 1, 1.5, 0]);
  });

  it("leaves missing values out of the statistics, and missing", () => {
    const x = tensor([[1], [nan], [3]]);
    expect(values(transform(x, fitMinMax(x)))).toEqual([0, nan, 1]);
  });
});

it.each([
  ["mean", 4],
  ["median", 2],
  [-1, -1],
] as const)("fills missing values in with %s", (strategy, filled) => {
  const x = tensor([[1], [2], [9], [nan]]);
  expect(values(transform(x, fitImpute(x, strategy)))).toEqual([1, 2, 9, filled]);
});

describe("outliers", () => {
  it("by interquartile range: numpy.percentile of 1, 2, 3, 4, 100 gives quartiles 2 and 4", () => {
    const x = tensor([[1], [2], [3], [4], [100]]);
    const ranges = fitOutliers(x, { iqr: 1.5 });
    expect([ranges.low, ranges.high]).toEqual([[-1], [7]]);
    expect(values(transform(x, ranges))).toEqual([1, 2, 3, 4, 7]);
  });

  it("by standard deviations", () => {
    const { low, high } = fitOutliers(tensor([[1], [3]]), { zScore: 3 });
    expect([low, high]).toEqual([[-1], [5]]);
    expect(() => fitOutliers(tensor([[1]]), { zScore: 0 })).toThrow(OptionError);
  });

  it("leaves missing values missing", () => {
    expect(values(transform(tensor([[nan]]), { kind: "clip", low: [0], high: [1] }))).toEqual([nan]);
  });
});

describe("as JSON", () => {
  it("gives back steps that do the same", () => {
    const x = tensor([
      [1, nan],
      [3, 2],
      [50, 4],
    ]);
    const steps = [fitImpute(x, "median"), fitOutliers(x, { iqr: 1.5 }), fitStandardize(x)];
    const parsed = parsePreprocessing(JSON.stringify(steps));
    expect(parsed).toEqual(steps);
    expect(transform(x, ...parsed)).toEqual(transform(x, ...steps));
  });

  it.each([
    ["{", /preprocessing: /],
    ["{}", /no array/],
    ['[{"kind":"pca"}]', /step 0 is of kind "pca", expected rescale, impute, clip/],
    ["[null]", /step 0 is of kind undefined/],
    ['[{"kind":"impute","values":[null]}]', /step 0 needs values as equally long lists of numbers/],
    ['[{"kind":"clip","low":[1,2],"high":[1]}]', /step 0 needs low and high/],
  ])("refuses %s", (json, message) => {
    expect(() => parsePreprocessing(json)).toThrow(FileError);
    expect(() => parsePreprocessing(json)).toThrow(message);
  });
});

it("one-hot: a 1 at the class, and rows named whose label is none", () => {
  expect(oneHot(tensor([2, 0], { dtype: "int32" }), 3).toArray()).toEqual([
    [0, 0, 1],
    [1, 0, 0],
  ]);
  expect(oneHot(tensor([1n]), 2).toArray()).toEqual([[0, 1]]);
  expect(() => oneHot(tensor([0, 3]), 3)).toThrow(
    "oneHot(): the label of row 1 is 3, expected a whole number from 0 to 2",
  );
  expect(() => oneHot(tensor([[0]]), 3)).toThrow(ShapeError);
  expect(() => oneHot(tensor([0]), 0)).toThrow(DataError);
});

it("reports tables that it cannot work on", () => {
  expect(() => fitStandardize(tensor([[1]], { dtype: "int32" }))).toThrow(DTypeError);
  expect(() => fitStandardize(tensor([1]))).toThrow(
    "fitStandardize(): the table has shape [1], expected [rows, columns]",
  );
  expect(() => fitMinMax(new Tensor("float32", [0, 2], new Float32Array(0)))).toThrow(DataError);
  expect(() => fitImpute(tensor([[nan, 1]]), "mean")).toThrow("column 0 has only missing values");
  expect(() => fitStandardize(tensor([[1], [Number.POSITIVE_INFINITY]]))).toThrow("row 1, column 0 is Infinity");
  expect(() => transform(tensor([[1, 2]]), fitMinMax(tensor([[1]])))).toThrow(
    'the table has 2 columns, "rescale" was fitted on 1',
  );
});
