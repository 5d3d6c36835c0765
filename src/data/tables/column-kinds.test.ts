/** What columns are, by their values. */
import { expect, test } from "vitest";
import { inferColumnTypes } from "./column-kinds.ts";

const typeOf = (values: readonly string[], name = "a") =>
  inferColumnTypes(
    [name],
    values.map((value) => [value]),
  )[0];
const times = (count: number, value: (i: number) => string) => Array.from({ length: count }, (_, i) => value(i));
const words = ["fine", "dull", "long", "short", "bright", "slow", "warm"];

test.each([
  ["numbers", times(100, (i) => String(i * 1.5)), "number", /100 of 100 values are numbers, 100 distinct$/],
  ["numbers with gaps", ["1.5", "", "3", "2"], "number", /3 of 3 values are numbers, 3 distinct; 1 of 4 rows has none/],
  ["thousands", ["1,200", "3,400.5", "12"], "number", /numbers/],
  ["money", ["$1,200", "$3", "$7"], "number", /numbers/],
  ["per cent", ["12 %", "3 %"], "number", /numbers/],
  ["class labels", times(100, (i) => String(i % 10)), "number", /10 distinct/],
  [
    "some errors",
    [...times(99, (i) => String(i / 2)), "n. a."],
    "number",
    /1 value is no number, such as "n\. a\." in row 100/,
  ],
  ["years", times(50, (i) => String(1970 + i)), "number", /numbers/],
  ["booleans", times(20, (i) => String(i % 2 === 0)), "category", /2 distinct in 20 values/],
  ["names of kinds", times(50, (i) => ["red", "green", "blue"][i % 3] ?? ""), "category", /3 distinct/],
  [
    "kinds of several words",
    times(90, (i) => ["New York City", "Los Angeles", "San Diego"][i % 3] ?? ""),
    "category",
    /3 distinct/,
  ],
  ["codes with zeros", times(50, (i) => `0${i % 7}`), "category", /codes rather than amounts/],
  ["texts", times(40, (i) => `a ${words[i % 7]} film of ${i} acts`), "text", /40 distinct in 40 values, of 6\.0 words/],
  ["few texts", ["I like it", "not at all", "so so la"], "text", /words/],
  ["counted rows", times(30, (i) => String(i + 1)), "id", /whole numbers from 1 to 30, each once/],
  ["shuffled counted rows", times(30, (i) => String((i * 7) % 30)), "id", /each once/],
  ["keys", times(30, (i) => `key${i}`), "id", /hardly any occurs twice/],
  ["UUIDs", times(3, (i) => `123e4567-e89b-12d3-a456-42661417400${i}`), "id", /UUIDs/],
  ["images", times(5, (i) => `photos/${i}.JPG`), "image", /end as names of images do/],
  ["lists as JSON", times(5, (i) => `[${i}, {"b": 1}]`), "json", /JSON lists or objects/],
  ["one value", ["x", "x", "x"], "constant", /all 3 values are "x"/],
  ["no value", ["", ""], "empty", /none of 2 rows has a value/],
])("%s", (_, values, kind, why) => {
  expect(typeOf(values)).toMatchObject({ kind, why: expect.stringMatching(why), rows: values.length });
});

test.each([
  ["YYYY-MM-DD", ["2020-01-31", "2020-02-01T10:00:00Z"]],
  ["YYYY/MM/DD", ["2020/01/31", "2020/02/01"]],
  ["DD/MM/YYYY", ["05/06/2020", "31/01/2020"]],
  ["MM/DD/YYYY", ["05/06/2020", "01/31/2020"]],
  ["DD.MM.YYYY", ["05.06.2020", "31.01.2020"]],
  ["Mon D YYYY", ["Jan 2 2020", "Feb 3 2020"]],
  ["D Mon YYYY", ["2 Jan 2020", "3 Feb 2020"]],
  ["YYYY-MM", ["2020-01", "2020-02"]],
])("dates in %s", (dateFormat, values) => {
  expect(typeOf(values)).toMatchObject({ kind: "date", dateFormat });
});

test("dates whose day and month cannot be told apart say so", () => {
  const type = typeOf(["05/06/2020", "07/08/2020"]);
  expect(type).toMatchObject({ kind: "date", dateFormat: "MM/DD/YYYY" });
  expect(type?.why).toContain("days and months cannot be told apart: read as MM/DD/YYYY");
});

test("dates in five formats in one column", () => {
  const values = ["2020-01-31", "31.01.2020", "Jan 31 2020", "2020/01/31", "31/01/2020"];
  const type = typeOf(values);
  expect(type?.kind).toBe("date");
  expect(type?.dateFormat?.split(" | ").sort()).toEqual([
    "DD.MM.YYYY",
    "DD/MM/YYYY",
    "Mon D YYYY",
    "YYYY-MM-DD",
    "YYYY/MM/DD",
  ]);
});

test("a column may have another decimal sign than its file", () => {
  expect(typeOf(["1,5", "2,25"])).toMatchObject({ kind: "number", decimalComma: true });
  const [type] = inferColumnTypes(["a"], [["1,5"], ["2,25"]], { decimalComma: true });
  expect(type).toMatchObject({ kind: "number", decimalComma: true });
});

test("whole numbers in a column of ids are ids, also where they recur", () => {
  expect(
    typeOf(
      times(100, (i) => String(1000 + (i % 40))),
      "user_id",
    )?.kind,
  ).toBe("id");
  expect(
    typeOf(
      times(100, (i) => String(1000 + (i % 40))),
      "price",
    )?.kind,
  ).toBe("number");
});

test("sentences without spaces are texts, names in such scripts are not", () => {
  const kindOf = (cell: (i: number) => string) =>
    inferColumnTypes(
      ["c"],
      Array.from({ length: 40 }, (_, i) => [cell(i)]),
    )[0]?.kind;
  expect(kindOf((i) => `我觉得这部电影非常好看第${i}次`)).toBe("text");
  expect(kindOf((i) => `王小${String.fromCodePoint(0x4e00 + i)}`)).toBe("id");
});

test("values are listed by falling frequency", () => {
  expect(typeOf(["b", "a", "b", "c", "b", "a"])?.values).toEqual(["b", "a", "c"]);
  expect(typeOf(["2", "1", "2"])?.values).toEqual(["2", "1"]);
  expect(typeOf(["2.5", "1", "2"])?.values).toBeUndefined();
});

test("10,000 columns, and as many distinct values as rows, in bounded memory", () => {
  const names = times(10_000, String);
  const rows = times(5, (i) => String(i)).map((i) => names.map((name) => `${name}x${i}`));
  expect(inferColumnTypes(names, rows)).toHaveLength(10_000);
  expect(typeOf(times(150_000, (i) => `key${i}`))?.kind).toBe("id");
  expect(typeOf(times(150_000, (i) => String(i)))?.kind).toBe("id");
});
