/** Records of files: any at once, each read once between processes, and what is said of damaged ones. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packTar } from "modern-tar";
import { afterAll, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { plainFields } from "../tables/file-records.node.ts";
import { readParquet } from "../tables/parquet.node.ts";
import { openRecords } from "./records.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-records-"));
afterAll(() => rmSync(folder, { recursive: true }));

const utf8 = (text: string) => new TextEncoder().encode(text);
const fileOf = (name: string, content: string | Uint8Array) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const tarOf = async (name: string, files: readonly (readonly [string, string])[]) =>
  fileOf(
    name,
    await packTar(
      files.map(([own, text]) => ({ header: { name: own, size: utf8(text).length, type: "file" }, body: utf8(text) })),
    ),
  );

/** All records of files, and then the files closed. */
async function recordsOf(paths: string | readonly string[]) {
  const { records, close } = await openRecords(paths);
  const all = [];
  for await (const record of records.epoch(0)) all.push(record);
  await close();
  return all;
}

test("lines of JSON are found at once, whatever ends them and stands between them", async () => {
  const first = fileOf("a.jsonl", '\uFEFF{"n":0}\r\n\r\n  \n{"n":1,"text":"语"}\n');
  const second = fileOf("b.ndjson", '{"n":2}');
  const all = await recordsOf([first, second]);
  expect(all).toEqual([
    { fields: { n: 0 }, where: `${first}: line 1` },
    { fields: { n: 1, text: "语" }, where: `${first}: line 4` },
    { fields: { n: 2 }, where: `${second}: line 1` },
  ]);
});

test("lines that lie across what is looked through at a time are whole", async () => {
  const lines = Array.from({ length: 40_000 }, (_, i) => JSON.stringify({ i, text: "x".repeat(i % 300) }));
  const { records, close } = await openRecords(fileOf("large.jsonl", lines.join("\n")));
  expect(records.length).toBe(lines.length);
  let seen = 0;
  for await (const { fields } of records.shuffle(keyOf(1)).epoch(0)) {
    if (JSON.stringify(fields) !== lines[Number(fields["i"])]) expect.fail(`record ${fields["i"]} is another`);
    seen++;
  }
  expect(seen).toBe(lines.length);
  await close();
});

test("files of an archive are samples by their names up to the first dot", async () => {
  const path = await tarOf("train-000.tar", [
    ["cats/001.jpg", "pixels"],
    ["cats/001.cls", "3"],
    ["cats/._001.jpg", "of another system"],
    ["dogs/001.seg.PNG", "mask"],
    ["dogs/001.cls", "4"],
  ]);
  const all = await recordsOf(path);
  expect(all).toEqual([
    { where: `${path}: cats/001`, fields: { __key__: "cats/001", jpg: utf8("pixels"), cls: utf8("3") } },
    { where: `${path}: dogs/001`, fields: { __key__: "dogs/001", "seg.png": utf8("mask"), cls: utf8("4") } },
  ]);
});

test("rows of Parquet come by their groups", async () => {
  const path = "test/fixtures/data/records/reviews.parquet";
  const rows = await readParquet(path);
  const { records, close } = await openRecords(path);
  const found = new Map<string, unknown>();
  for await (const { where, fields } of records.shuffle(keyOf(2)).epoch(0)) found.set(where, fields);
  expect(rows.length).toBeGreaterThan(1);
  for (const [i, row] of rows.entries()) expect(found.get(`${path}: row ${i + 1}`)).toEqual(plainFields(row));
  await close();
});

test("of batches a process reads its rows alone", async () => {
  const lines = Array.from({ length: 12 }, (_, n) => JSON.stringify({ n }));
  const { records, close } = await openRecords(fileOf("shared.jsonl", lines.join("\n")));
  const read: number[] = [];
  const batches = records
    .map(({ fields }) => {
      read.push(Number(fields["n"]));
      return { x: tensor([Number(fields["n"])]) };
    })
    .batch(4);
  const { only } = batches.source;
  for await (const { x } of only?.(() => (row) => row >= 2).epoch(0, 0) ?? [])
    expect(x.toNumbers().slice(0, 2)).toEqual([0, 0]);
  expect(read).toEqual([2, 3, 6, 7, 10, 11]);
  await close();
});

test.each<[string, () => Promise<string> | string, RegExp]>([
  [
    "a file of another kind",
    () => fileOf("a.csv", "a\n1\n"),
    /a\.csv ends with "\.csv"; pass files that end with \.jsonl/,
  ],
  ["none", () => join(folder, "no.jsonl"), /no\.jsonl/],
  ["an empty one", () => fileOf("empty.jsonl", "\n \n"), /there is no record in .*empty\.jsonl/],
  ["a line that is no object", () => fileOf("list.jsonl", '{"a":1}\n[1]\n'), /list\.jsonl: line 2 is a list of 1/],
  ["a line that is cut off", () => fileOf("cut.jsonl", '{"a":1}\n{"a":'), /cut\.jsonl: line 2 is no JSON/],
  [
    "a line in another encoding",
    () => fileOf("latin.jsonl", Uint8Array.of(0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d)),
    /latin\.jsonl: line 1 is no text in UTF-8/,
  ],
  ["an archive that is none", () => fileOf("no.tar", "text ".repeat(200)), /no\.tar: cannot be read as a tar archive/],
  [
    "a sample with a file twice",
    () =>
      tarOf("twice.tar", [
        ["1.cls", "0"],
        ["1.cls", "1"],
      ]),
    /the sample "1" has two files that end with "\.cls"/,
  ],
  [
    "damaged Parquet",
    () => fileOf("damaged.parquet", "PAR1 and no more"),
    /damaged\.parquet: cannot be read as Parquet/,
  ],
])("%s is refused, by name", async (_, make, message) => {
  await expect(recordsOf(await make())).rejects.toThrow(message);
});
