/** Records of every kind of file, and files that are damaged. */
import { mkdtempSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { DataError, FileError } from "../../core/errors.ts";
import { loadRecords } from "./file-records.node.ts";

const fixtures = fileURLToPath(new URL("../../../test/fixtures/data/records", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sardonyx-records-"));
const path = (name: string) => join(folder, name);

const fieldsOf = async (name: string, content: string | Uint8Array) => {
  await writeFile(path(name), content);
  return (await loadRecords(path(name))).map(({ fields }) => fields);
};

test("CSV and TSV, quoted, with a byte order mark and CRLF", async () => {
  const rows = [{ text: 'A "grand", long\nday', label: "1" }];
  expect(await fieldsOf("a.csv", '\uFEFFtext,label\r\n"A ""grand"", long\nday",1\r\n')).toEqual(rows);
  expect(await fieldsOf("a.tsv", 'text\tlabel\n"A ""grand"", long\nday"\t1\n')).toEqual(rows);
  await expect(fieldsOf("b.csv", "text,label\na,1\nb\n")).rejects.toThrow(/b.csv: line 3 has 1 values, expected 2/);
  await expect(fieldsOf("c.csv", "text,text\na,1\n")).rejects.toThrow(
    'c.csv: two columns are named "text"; rename one',
  );
  await expect(fieldsOf("d.csv", "text,label\n")).rejects.toThrow("d.csv: has no records, expected at least one");
  await expect(fieldsOf("e.csv", "")).rejects.toThrow("e.csv: has no records");
});

test("JSON Lines and arrays", async () => {
  expect(await fieldsOf("a.jsonl", '{"a":1}\n')).toEqual([{ a: 1 }]);
  expect(await fieldsOf("a.json", '[{"a":1}]')).toEqual([{ a: 1 }]);
  // An object over several lines, such as a file of SQuAD, is one record of a .json file alone.
  expect(await fieldsOf("c.json", '{\n "data": []\n}')).toEqual([{ data: [] }]);
  await expect(fieldsOf("c.jsonl", '{\n "data": []\n}')).rejects.toThrow("c.jsonl: line 1 is no JSON");
  await expect(fieldsOf("b.jsonl", "{")).rejects.toThrow(DataError);
});

test("CoNLL files, a sentence a record", async () => {
  expect(await fieldsOf("a.conll", "Ada B-PER\n\nHm O\n")).toEqual([
    { tokens: ["Ada"], tags: ["B-PER"] },
    { tokens: ["Hm"], tags: ["O"] },
  ]);
});

// The fixtures are by scripts/make-parquet-fixtures.mjs.
test("Parquet: texts, whole numbers of 64 bits, lists of structs, several row groups", async () => {
  const reviews = await loadRecords(join(fixtures, "reviews.parquet"));
  expect(reviews.map(({ fields }) => fields)).toEqual([
    { text: "Fine, and short.", label: 1, stars: 4.5 },
    { text: "Dull.", label: 0, stars: 1 },
    { text: "A “grand” day — über alles", label: 1, stars: 5 },
  ]);
  expect(reviews[2]?.where).toBe(`${join(fixtures, "reviews.parquet")}: row 3`);
  expect((await loadRecords(join(fixtures, "chats.parquet")))[0]?.fields).toEqual({
    messages: [
      { role: "user", content: "2 + 2?", name: "Ada" },
      { role: "assistant", content: "4", name: null },
    ],
    source: "sums",
  });
});

test("damaged Parquet files, cut anywhere, and files of another kind are errors that name the file", async () => {
  const whole = new Uint8Array(await readFile(join(fixtures, "chats.parquet")));
  for (let length = 0; length < whole.length; length += 50)
    await expect(fieldsOf("cut.parquet", whole.slice(0, length))).rejects.toThrow(
      /cut.parquet: cannot be read as Parquet/,
    );
  await expect(fieldsOf("a.parquet", '{"text":"a"}')).rejects.toThrow(FileError);
  await expect(loadRecords(path("none.parquet"))).rejects.toThrow(/there is no file .*none.parquet; check the path/);
  await expect(loadRecords(path("none.csv"))).rejects.toThrow(/there is no file/);
  await expect(loadRecords(path("a.xlsx"))).rejects.toThrow(
    'a.xlsx: its name ends with ".xlsx", expected one of .csv .tsv .json .jsonl .ndjson .parquet .conll .bio .iob .iob2; rename or convert it',
  );
});
