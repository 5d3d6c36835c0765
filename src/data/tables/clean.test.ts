/** Rows left out of tables. */
import { expect, it } from "vitest";
import { DataError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { dropDuplicates, dropMissing, dropOutliers, flagOutliers } from "./clean.ts";
import { fitOutliers } from "./preprocess.ts";

const y = tensor([0, 1, 2], { dtype: "int32" });

it("drops rows with missing values, with their labels", () => {
  const { x, y: kept } = dropMissing({
    x: tensor([
      [1, 2],
      [Number.NaN, 4],
      [5, 6],
    ]),
    y,
  });
  expect([x.toArray(), kept.toArray()]).toEqual([
    [
      [1, 2],
      [5, 6],
    ],
    [0, 2],
  ]);
  expect(() => dropMissing({ x: tensor([[Number.NaN]]), y: tensor([0]) })).toThrow("dropMissing(): no row is left");
});

it("flags and drops outliers, but not missing values", () => {
  const ranges = fitOutliers(tensor([[1], [2], [3], [4], [100]]), { iqr: 1.5 }); // -1 to 7
  const x = tensor([[0], [8], [Number.NaN]]);
  expect([flagOutliers(x, ranges).dtype, flagOutliers(x, ranges).toArray()]).toEqual(["bool", [[0], [1], [0]]]);
  expect(dropOutliers({ x, y }, ranges).y.toArray()).toEqual([0, 2]);
  expect(() => flagOutliers(tensor([[1, 2]]), ranges)).toThrow(DataError);
});

it("drops repetitions of a row, keeping the first, unless their labels differ", () => {
  const x = tensor([
    [1, 2],
    [1, 2],
    [3, 4],
    [1, 2],
  ]);
  const labels = tensor([0, 0, 0, 1], { dtype: "int32" });
  const kept = dropDuplicates({ x, y: labels });
  expect([kept.x.toArray(), kept.y.toArray()]).toEqual([
    [
      [1, 2],
      [3, 4],
      [1, 2],
    ],
    [0, 0, 1],
  ]);
  expect(dropDuplicates({ x }).x.shape).toEqual([2, 2]);
});
