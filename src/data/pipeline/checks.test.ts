/** Checks of data before training. */
import { expect, it } from "vitest";
import { DataError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { checkFinite, checkLabels } from "./checks.ts";

it("names row and column of the first number that is not finite", () => {
  checkFinite(
    tensor([
      [1, 2],
      [3, 4],
    ]),
    "table",
  );
  expect(() =>
    checkFinite(
      tensor([
        [1, 2],
        [3, Number.NaN],
      ]),
      "table",
      ["age", "fare"],
    ),
  ).toThrow('table: row 1, column 1 ("fare") is NaN, expected a finite number');
  expect(() => checkFinite(tensor([[1, -Infinity]]), "table")).toThrow(DataError);
  expect(() =>
    checkFinite(
      tensor([
        [
          [1, 2],
          [3, Infinity],
        ],
      ]),
      "images",
    ),
  ).toThrow("row 0, column 3 is Infinity");
});

it("names the row of the first label out of range", () => {
  checkLabels(tensor([0, 2], { dtype: "int32" }), 3, "labels");
  expect(() => checkLabels(tensor([0, 3], { dtype: "int32" }), 3, "labels")).toThrow(
    "labels: the label of row 1 is 3, expected a whole number from 0 to 2",
  );
  expect(() => checkLabels(tensor([-1n]), 3, "labels")).toThrow(DataError);
  expect(() => checkLabels(tensor([0.5]), 3, "labels")).toThrow(DataError);
});
