/** Tables of files of every format, and what is wrong with broken ones. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetWriteFile } from "hyparquet-writer";
import { afterAll, expect, test } from "vitest";
import { inferColumnTypes } from "./column-kinds.ts";
import { openTable, readTable, type TableOptions } from "./table-file.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-tables-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const read = async (name: string, content: string | Uint8Array, options?: TableOptions) => {
  const { file, rows, lines } = await readTable(write(name, content), options);
  return { names: file.names, rows, lines };
};
const ab = {
  names: ["a", "b"],
  rows: [
    ["1", "x"],
    ["", "y"],
  ],
  lines: [2, 3],
};

test.each([
  ["CSV", "t.csv", "a,b\n1,x\nNA,y\n"],
  ["TSV", "t.tsv", "a\tb\n1\tx\n?\ty\n"],
  ["semicolons in .txt", "t.txt", "a;b\r\n1;x\r\n-;y"],
  ["UTF-16", "wide.csv", Buffer.from("\uFEFFa,b\n1,x\nnan,y\n", "utf16le")],
])("%s", async (_, name, content) => {
  expect(await read(name, content)).toEqual(ab);
});

test.each([
  ["lines", "t.jsonl", '{"a":1,"b":"x"}\n{"b":"y"}\n'],
  ["an array", "t.json", '[{"a":1,"b":"x"},{"a":null,"b":"y"}]'],
  ["columns", "columns.json", '{"a":[1,null],"b":["x","y"]}'],
  ["columns as pandas writes them", "pandas.json", '{"a":{"0":1,"1":null},"b":{"0":"x","1":"y"}}'],
  ["a list within an object", "data.json", '{"data":[{"a":1,"b":"x"},{"b":"y"}]}'],
])("JSON: %s", async (_, name, content) => {
  expect(await read(name, content)).toEqual({ ...ab, lines: [1, 2] });
});

test("nested values and dates are texts", async () => {
  expect((await read("n.jsonl", '{"a":[1,{"b":2}],"c":true,"d":1e21}\n')).rows).toEqual([
    ['[1,{"b":2}]', "true", "1e+21"],
  ]);
});

test("Parquet, one group of rows after another", async () => {
  const path = join(folder, "t.parquet");
  await parquetWriteFile({
    filename: path,
    columnData: [
      { name: "a", data: [1, 2, 3], type: "DOUBLE" },
      { name: "b", data: ["x", "", "z"], type: "STRING" },
      { name: "c", data: [new Date(0), new Date(1000), new Date(0)], type: "TIMESTAMP" },
    ],
    rowGroupSize: 2,
  });
  const { file, rows, lines } = await readTable(path);
  expect([file.format, file.names, lines]).toEqual(["parquet", ["a", "b", "c"], [1, 2, 3]]);
  expect(rows).toEqual([
    ["1", "x", "1970-01-01"],
    ["2", "", "1970-01-01T00:00:01.000Z"],
    ["3", "z", "1970-01-01"],
  ]);
});

test("own texts for missing values", async () => {
  expect((await read("m.csv", "a,b\n-99,NA\n1,2\n", { missing: ["-99"] })).rows).toEqual([
    ["", "NA"],
    ["1", "2"],
  ]);
});

test("a letter of Latin-1 far below the beginning", async () => {
  const lines = Buffer.from(`a,b\n${"1,x\n".repeat(400_000)}`);
  const { file, rows } = await readTable(
    write("late.csv", Buffer.concat([lines, Buffer.from("2,M\xfcll\n", "latin1")])),
  );
  expect(rows.at(-1)).toEqual(["2", "Müll"]);
  expect(file.notes).toEqual(["read as Latin-1 (windows-1252)"]);
});

test("10,000 columns", async () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `c${i}`);
  const { rows } = await read("wide.csv", `${names.join()}\n${names.map((_, i) => i).join()}\n`);
  expect(rows[0]?.at(-1)).toBe("9999");
});

test.each([
  [
    "short.csv",
    "a,b\n1,2\n3\n",
    'line 3 has 1 value, expected 2 separated by ","; fill in what is missing there, or remove the line',
  ],
  ["long.csv", "a,b\n1,2\n3,4,5\n", 'line 3 has 3 values, expected 2 separated by ","; quote values that contain ","'],
  ["after-quotes.csv", 'a,b\n"1\n1",2\n3\n', "line 4 has 1 value, expected 2"],
  ["quote.csv", 'a,b\n1,2\n3,"4\n', "line 3, column 3 opens a quote that nothing closes"],
  ["zero.csv", "", "is empty (0 bytes)"],
  ["header.csv", "a,b\n", "has no rows below its names"],
  ["bad.jsonl", '{"a":1}\n{"a":\n', "line 2 is no JSON"],
  ["list.jsonl", '{"a":1}\n[1]\n', "line 2 is a list of 1, expected an object of fields"],
  ["unequal.json", '{"a":[1,2],"b":[1]}', 'column "b" has 1 values, expected 2'],
  ["text.parquet", "a,b\n1,2\n", "cannot be read as Parquet"],
  ["zero.parquet", "", "is empty (0 bytes)"],
  ["a.xlsx", "", 'its name ends with ".xlsx", expected one of .csv .tsv'],
])("%s is refused in a sentence", async (name, content, message) => {
  await expect(read(name, content)).rejects.toThrow(message);
});

test("files that are none", async () => {
  await expect(openTable(join(folder, "none.csv"))).rejects.toThrow(/there is no file .*none\.csv; check the path/);
  await expect(openTable(folder)).rejects.toThrow('its name ends with ""');
});

/** Real tables: the npm package vega-datasets. */
const vega = join(dirname(fileURLToPath(import.meta.resolve("vega-datasets"))), "../data");
const kindsOf = async (name: string) => {
  const { file, rows } = await readTable(join(vega, name));
  return Object.fromEntries(inferColumnTypes(file.names, rows, file).map((type) => [type.name, type]));
};

test("penguins", async () => {
  const types = await kindsOf("penguins.json");
  expect(Object.fromEntries(Object.values(types).map(({ name, kind }) => [name, kind]))).toEqual({
    Species: "category",
    Island: "category",
    "Beak Length (mm)": "number",
    "Beak Depth (mm)": "number",
    "Flipper Length (mm)": "number",
    "Body Mass (g)": "number",
    Sex: "category",
  });
  expect(types["Species"]?.values).toEqual(["Adelie", "Gentoo", "Chinstrap"]);
  expect(types["Body Mass (g)"]).toMatchObject({ rows: 344, missing: 2, distinct: 94 });
});

test("cars and movies, whose columns are dirty", async () => {
  const cars = await kindsOf("cars.json");
  expect([cars["Name"]?.kind, cars["Year"]?.kind, cars["Origin"]?.kind, cars["Miles_per_Gallon"]?.missing]).toEqual([
    "text",
    "date",
    "category",
    8,
  ]);
  const movies = await kindsOf("movies.json");
  expect(Object.fromEntries(Object.values(movies).map(({ name, kind }) => [name, kind]))).toMatchObject({
    Title: "text",
    "US Gross": "number",
    "Release Date": "date",
    "MPAA Rating": "category",
    Distributor: "category",
    "Major Genre": "category",
    "IMDB Rating": "number",
  });
});

test("weather, stocks and ids", async () => {
  const weather = await kindsOf("seattle-weather.csv");
  expect([weather["date"]?.dateFormat, weather["temp_max"]?.kind, weather["weather"]?.values?.length]).toEqual([
    "YYYY-MM-DD",
    "number",
    5,
  ]);
  const stocks = await kindsOf("stocks.csv");
  expect([stocks["symbol"]?.kind, stocks["date"]?.dateFormat, stocks["price"]?.kind]).toEqual([
    "category",
    "Mon D YYYY",
    "number",
  ]);
  const airports = await kindsOf("airports.csv");
  expect([airports["iata"]?.kind, airports["state"]?.kind, airports["latitude"]?.kind]).toEqual([
    "id",
    "category",
    "number",
  ]);
});
