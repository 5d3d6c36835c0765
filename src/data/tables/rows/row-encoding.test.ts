/** Rows as numbers: what is learned of columns, what cells become, what is refused. */
import { describe, expect, test } from "vitest";
import { DataError } from "../../../core/errors.ts";
import { inferColumnTypes } from "../column-kinds.ts";
import {
  encodedWidth,
  encodeRows,
  exampleRow,
  type FittedEncoding,
  fieldText,
  fitRowEncoding,
  numberStatistics,
  rowEncodingSchema,
} from "./row-encoding.ts";

const names = ["size", "kind", "day", "note", "fixed"];
const rows = Array.from({ length: 60 }, (_, i) => [
  i === 3 ? "" : String(i % 10),
  i % 4 === 0 ? "red" : i === 7 ? "rare" : "blue",
  `2020-0${1 + (i % 6)}-1${i % 10}`,
  i % 2 === 0 ? `a very small note number ${i}` : `the other large note is ${i}`,
  "same",
]);

const fitted = (own = rows): FittedEncoding =>
  fitRowEncoding(
    inferColumnTypes(names, own).map((type, at) => ({ type, at })),
    own,
  );

const rowOf = (cells: readonly string[], where = "t.csv: line 2") => ({
  where,
  cell: (name: string) => cells[names.indexOf(name)] ?? "",
});

describe("fitRowEncoding", () => {
  test("learns medians, values that occur twice, parts of dates, words", () => {
    const { encoding, left } = fitted();
    expect(encoding.fields.map(({ kind }) => kind)).toEqual(["number", "category", "date", "text"]);
    const [size, kind, day, note] = encoding.fields;
    // 59 numbers: 0 to 9 six times each, but for a missing 3; sevenths of them.
    expect(size).toMatchObject({ statistics: { fill: 5, hasMissing: true, edges: [0, 1, 2, 4, 5, 7, 8, 9] } });
    expect(kind).toMatchObject({ values: ["blue", "red"] });
    expect(day).toMatchObject({ format: "YYYY-MM-DD" });
    expect(day?.kind === "date" && day.parts.map(({ part }) => part)).toEqual(["day", "month", "weekday"]);
    expect(note?.kind === "text" && note.words).toEqual(expect.arrayContaining(["small", "large"]));
    expect(left).toEqual([{ name: "fixed", why: "it has one value" }]);
    expect(encoding.fields.map(fieldText).slice(0, 2)).toEqual(["a number", "a category of 2 values"]);
  });

  test("is JSON that its schema takes", () => {
    const { encoding } = fitted();
    expect(rowEncodingSchema.parse(JSON.parse(JSON.stringify(encoding)))).toEqual(encoding);
  });

  test("refuses a table of which nothing is of use", () => {
    const constant = rows.map(() => ["", "", "", "", "same"]);
    expect(() => fitted(constant)).toThrow(/no column is of use to predict by: .*"fixed": it has one value/);
  });
});

describe("numberStatistics", () => {
  test("has bins of equally many values, with ends of values that occur", () => {
    const { edges, mean, deviation } = numberStatistics([...Array(32).keys()], "x");
    // Quarters of 0 to 31, by the nearest of 32 ranks.
    expect(edges).toEqual([0, 8, 16, 23, 31]);
    expect(mean).toBe(15.5);
    // √((32² - 1) / 12)
    expect(deviation).toBeCloseTo(9.233, 3);
  });
  test("of one value has a bin that it begins", () => {
    expect(numberStatistics([2, 2, 2], "x")).toMatchObject({ edges: [2, 3], deviation: 1 });
  });
  test("leaves out what float32 does not hold", () => {
    expect(numberStatistics([1, 3, 1e39, -1e300], "x")).toMatchObject({ mean: 2, deviation: 1, hasMissing: true });
  });
  test("refuses none", () => {
    expect(() => numberStatistics([Number.NaN], 'column "a"')).toThrow(/column "a": has no number/);
  });
});

describe("encodeRows", () => {
  const { encoding } = fitted();
  test("gives NaN for a missing number, -1 for a category that is missing or unknown, words a length of 1", () => {
    const x = encodeRows(encoding, [
      rowOf(["", "green", "2020-03-01", "small small large", ""]),
      rowOf(["2.5", "red", "", "", ""]),
    ]);
    expect(x.shape).toEqual([2, encodedWidth(encoding)]);
    const [size, kind, day, month, weekday, ...words] = (x.toArray() as number[][])[0] as number[];
    expect([size, kind, month, weekday]).toEqual([Number.NaN, -1, 3, 0]); // a Sunday
    expect(day).toBe(Date.UTC(2020, 2, 1) / 86_400_000);
    expect(Math.hypot(...words)).toBeCloseTo(1, 6);
    const [other, red, none, , , ...nothing] = (x.toArray() as number[][])[1] as number[];
    expect([other, red, none]).toEqual([2.5, 1, Number.NaN]);
    expect(nothing.every((weight) => weight === 0)).toBe(true);
  });

  test("names the row, the column and what was expected", () => {
    const bad = (cells: string[]) => () => encodeRows(encoding, [rowOf(cells)]);
    expect(bad(["tall", "red", "", "", ""])).toThrow(DataError);
    expect(bad(["tall", "red", "", "", ""])).toThrow(
      /^t.csv: line 2: "size" is "tall", expected a number below 3.4e38; correct it/,
    );
    expect(bad(["1e39", "red", "", "", ""])).toThrow(/"size" is "1e39", expected a number below 3.4e38/);
    expect(bad(["1", "red", "yesterday", "", ""])).toThrow(/"day" is "yesterday", expected a date as YYYY-MM-DD/);
    expect(encodeRows(encoding, [rowOf(["tall", "red", "", "", ""])], { lenient: true }).data[0]).toBeNaN();
  });
});

test("exampleRow is a row that can be encoded", () => {
  const { encoding } = fitted();
  const example = exampleRow(encoding);
  expect(Object.keys(example)).toEqual(["size", "kind", "day", "note"]);
  const x = encodeRows(encoding, [{ where: "example", cell: (name) => String(example[name]) }]);
  expect([...x.data.subarray(0, 2)]).toEqual([5, 0]);
});
