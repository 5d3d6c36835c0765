/** CSV tables: types, categories, quotes, missing values, streams, and every kind of broken line. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataError, FileError, OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { checkDamage } from "../../storage/testing/damage.ts";
import { loadCsv, streamCsv } from "./csv.node.ts";
import type { CsvSchema } from "./csv-schema.node.ts";

const passengers = fileURLToPath(new URL("../../../test/fixtures/data/passengers.csv", import.meta.url));
const options = { label: "survived", types: { survived: "categorical" } } as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sardonyx-csv-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(text: string | Uint8Array): Promise<string> {
  const path = join(folder, "table.csv");
  await writeFile(path, text);
  return path;
}

describe("the passengers", () => {
  it("have numeric and categorical columns, inferred from their values", async () => {
    const { all, schema } = await loadCsv(passengers, options);
    expect(schema.features.map(({ name, type }) => [name, type])).toEqual([
      ["name", "categorical"],
      ["class", "categorical"],
      ["age", "numeric"],
      ["fare", "numeric"],
    ]);
    expect(schema.features[1]?.categories).toEqual(["first", "second", "third"]);
    expect(schema.label.categories).toEqual(["0", "1"]);
    expect(schema.features[0]?.categories).toContain('Futrelle, Mrs. "Lily" May'); // quoted comma and quotes
    expect(all.tensors.x.shape).toEqual([10, 4]);
    expect([all.tensors.y.dtype, all.tensors.y.toArray()]).toEqual(["int32", [0, 1, 1, 1, 0, 0, 0, 0, 1, 1]]);
    const ages = [...all.tensors.x.data].filter((_, i) => i % 4 === 2);
    expect(ages).toEqual([22, 38, 26, 35, 35, Number.NaN, 54, 2, 27, Number.NaN]); // empty, and NA
  });

  it("stream from disk as they load, with a schema that went through JSON", async () => {
    const whole = await loadCsv(passengers, options);
    const kept = JSON.parse(JSON.stringify(whole.schema)) as CsvSchema;
    for (const { all, schema } of [await streamCsv(passengers, options), await streamCsv(passengers, options, kept)]) {
      expect(schema).toEqual(whole.schema);
      expect(all.length).toBe(10);
      for await (const batch of all.batch(10).epoch(3)) expect(batch).toEqual(whole.all.tensors);
      const shuffled = all.shuffle(keyOf(1), { buffer: 4 }).batch(3);
      const labels: unknown[] = [];
      for await (const { y } of shuffled.epoch(0, { skip: 2 })) labels.push(y.shape);
      expect(labels).toEqual([[3], [1]]);
    }
  });
});

it("reads numbers as targets, other delimiters, no header, and a byte order mark", async () => {
  const path = await file("\ufeff1;2;0,5\n3;4;1,5\n");
  const { all, schema } = await loadCsv(path, { label: "1", header: false, delimiter: ";" });
  expect(all.tensors.y.toArray()).toEqual([2, 4]);
  expect(schema.features.map(({ type }) => type)).toEqual(["numeric", "categorical"]);
  const commas = await loadCsv(await file("a,b\n1,2\n"), { label: "b" });
  expect([commas.all.tensors.y.dtype, commas.all.tensors.y.toArray()]).toEqual(["float32", [2]]);
});

it("orders categories that are numbers by value", async () => {
  const { schema } = await loadCsv(await file("a,b\n1,10\n1,9\n"), { label: "b", types: { b: "categorical" } });
  expect(schema.label.categories).toEqual(["9", "10"]);
});

describe("bad input", () => {
  it.each([
    ["a row of another length", "a,b\n1,2\n1,2,3\n", /line 3 has 3 values, expected 2/],
    ["a short row after a field of two lines", 'a,b\n"x\ny",2\n1\n', /line 4 has 1 values, expected 2/],
    ["a quote that is not closed", 'a,b\n1,"2\n', /Quote/],
    ["two columns of one name", "a,a\n1,2\n", /two columns are named "a"/],
  ])("refuses %s", async (_, text, message) => {
    const path = await file(text);
    await expect(loadCsv(path, { label: "a" })).rejects.toThrow(FileError);
    await expect(loadCsv(path, { label: "a" })).rejects.toThrow(message);
    await expect(loadCsv(path, { label: "a" })).rejects.toThrow(path);
  });

  it.each([
    ["an empty file", "", /is empty, expected a header and at least one row/],
    ["a header alone", "a,b\n", /has no rows/],
    ["a column without values", "a,b\n1,\n2,NA\n", /column "b" has no values at all/],
    ["a row without its label", "b,a\n1,2\n3,\n", /line 3 has no value for the label "a"/],
    ["an infinite number", "a,b\n1,1e999\n", /line 2, column "b" is "1e999", expected a finite number/],
  ])("refuses %s", async (_, text, message) => {
    await expect(loadCsv(await file(text), { label: "a" })).rejects.toThrow(DataError);
    await expect(loadCsv(await file(text), { label: "a" })).rejects.toThrow(message);
  });

  it("reports text in a column declared numeric, with line and column", async () => {
    const path = await file("a,b\n1,2\n1,two\n");
    await expect(loadCsv(path, { label: "a", types: { b: "numeric" } })).rejects.toThrow(
      /line 3, column "b" is "two", expected a finite number/,
    );
  });

  it("reports one text among very many numbers, unless it is declared", async () => {
    const rows = Array.from({ length: 10_001 }, (_, i) => `1,${i}\n`).join("");
    const path = await file(`a,b\n${rows}1,oops\n`);
    await expect(loadCsv(path, { label: "a" })).rejects.toThrow(
      /column "b" has "oops" in line 10003, which is no number/,
    );
    const { schema } = await loadCsv(path, { label: "a", types: { b: "categorical" } });
    expect(schema.features[0]?.categories).toHaveLength(10_002);
  });

  it("reports a category that a known schema lacks", async () => {
    const { schema } = await loadCsv(await file("a,b\n1,x\n"), { label: "a" });
    const { all } = await streamCsv(await file("a,b\n1,y\n"), { label: "a" }, schema);
    const read = async () => {
      for await (const _ of all.epoch(0));
    };
    await expect(read()).rejects.toThrow(/line 2, column "b" is "y", expected one of 1 categories/);
  });

  it("reports a label that is missing where a known schema is used, rather than take it for the first class", async () => {
    const named = { label: "a", types: { a: "categorical" } } as const;
    const { schema } = await loadCsv(await file("a,b\nyes,1\nno,2\n"), named);
    const { all } = await streamCsv(await file("a,b\n,3\n"), named, schema);
    const read = async () => {
      for await (const _ of all.epoch(0));
    };
    await expect(read()).rejects.toThrow(/line 2 has no value for the label "a"/);
  });

  it("reports columns that do not exist, with the nearest that does, and files that do not", async () => {
    const path = await file("price,rooms\n1,2\n");
    await expect(loadCsv(path, { label: "prize" })).rejects.toThrow(
      /unknown column of .* "prize"; did you mean "price"\?/,
    );
    await expect(loadCsv(path, { label: "price", types: { room: "numeric" } })).rejects.toThrow(OptionError);
    await expect(loadCsv(join(folder, "none.csv"), { label: "a" })).rejects.toThrow(/there is no file .*none.csv/);
    await expect(loadCsv(folder, { label: "a" })).rejects.toThrow(FileError);
  });

  it("survives flipped bits", async () => {
    const bytes = new TextEncoder().encode('a,b\n"1",2');
    await checkDamage(bytes.subarray(0, 5), async (part) => loadCsv(await file(part), { label: "a" }));
  });
});
