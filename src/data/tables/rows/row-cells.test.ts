/** Encoded rows read back. */
import { expect, test } from "vitest";
import { rowCells } from "./row-cells.ts";
import { encodeRows, type RowEncoding } from "./row-encoding.ts";

const statistics = { fill: 0, mean: 0, deviation: 1, edges: [0, 1], hasMissing: false };
const encoding: RowEncoding = {
  fields: [
    { name: "size", kind: "number", decimalComma: false, statistics },
    { name: "town", kind: "category", values: ["Ulm", "Bonn"] },
    {
      name: "when",
      kind: "date",
      format: "YYYY-MM-DD",
      parts: [
        { part: "day", statistics },
        { part: "month", statistics },
      ],
    },
    { name: "remark", kind: "text", words: ["old", "house"], weights: [1, 2] },
  ],
};
const cellsOf = (cells: Readonly<Record<string, string>>) => {
  const x = encodeRows(encoding, [{ where: "row", cell: (name) => cells[name] ?? "" }]);
  return rowCells(encoding, x.toNumbers()).map(({ value }) => value);
};

test("cells come back; of a text its known words, the weightiest first", () => {
  const row = { size: "12.3", town: "Bonn", when: "2024-05-17", remark: "an old house" };
  expect(cellsOf(row)).toEqual(["12.3", "Bonn", "2024-05-17", "house old"]);
});

test("what is missing or not known is empty", () => {
  expect(cellsOf({ town: "Rome" })).toEqual(["", "", "", ""]);
});
