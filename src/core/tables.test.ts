/** Tables of extents that a file made up. */
import { expect, test } from "vitest";
import { ShapeError, UnsupportedError } from "./errors.ts";
import { requireTable } from "./tables.ts";

test("tables that fit into memory are made, others are refused", () => {
  requireTable("windows", 1000, 400);
  requireTable("windows", 0, 2 ** 40);
  expect(() => requireTable("STFT: its windows", 2 ** 20, 2 ** 10)).toThrow(
    new UnsupportedError(
      "STFT: its windows would take a table [1048576, 1024] of 1073741824 elements, expected 67108864 at most; pass smaller extents",
    ),
  );
  for (const extent of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => requireTable("windows", extent)).toThrow(ShapeError);
});
