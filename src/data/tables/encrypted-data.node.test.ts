/** Data sets that are encrypted are read as those in the clear. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyEncrypted } from "../../storage/encryption/encrypted-copy.node.ts";
import { encryptTo } from "../../storage/encryption/recipients.node.ts";
import { loadImageFolder } from "../images/image-folder.node.ts";
import { profilePath } from "../profile/profile.node.ts";
import { openRecords } from "../records/records.node.ts";
import { readTextFile } from "../text/text-file.node.ts";
import { inferCsvSchema } from "./csv-schema.node.ts";
import { loadRecords } from "./file-records.node.ts";
import { readTable } from "./table-file.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-encrypted-data-"));
const fixture = (name: string) => join(process.cwd(), "test/fixtures", name);
const to = encryptTo(fixture("age/recipients.txt"));

beforeAll(() => {
  process.env["SARDONYX_IDENTITY"] = fixture("age/identity.txt");
});
afterAll(() => {
  delete process.env["SARDONYX_IDENTITY"];
});

/** An encrypted copy: `name.csv.age`. */
async function encrypted(path: string): Promise<string> {
  const out = join(folder, `${basename(path)}.age`);
  await copyEncrypted(path, { to, out });
  return out;
}

const lines = Array.from({ length: 6000 }, (_, i) => ({ n: i, text: `row ${i}, "quoted"`, y: i % 3 ? "a" : "b" }));
const csv = join(folder, "long.csv");
writeFileSync(csv, `n,text,y\n${lines.map(({ n, y }) => `${n},"row ${n}, ""quoted""",${y}`).join("\n")}\n`);
const jsonl = join(folder, "long.jsonl");
writeFileSync(jsonl, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

test("tables of each format", async () => {
  for (const path of [csv, jsonl, fixture("data/records/reviews.parquet")]) {
    const [own, plain] = [await readTable(await encrypted(path)), await readTable(path)];
    expect(own.file.names).toEqual(plain.file.names);
    expect(own.rows).toEqual(plain.rows);
  }
});

test("records, columns and lines that are read when their turn comes", async () => {
  const age = await encrypted(fixture("data/records/chats.parquet"));
  expect((await loadRecords(age)).map(({ fields }) => fields)).toEqual(
    (await loadRecords(fixture("data/records/chats.parquet"))).map(({ fields }) => fields),
  );
  const [own, plain] = await Promise.all(
    [join(folder, "long.csv.age"), csv].map((path) => inferCsvSchema(path, { label: "y" })),
  );
  expect(own).toEqual(plain);
  const { records, close } = await openRecords(join(folder, "long.jsonl.age"));
  let count = 0;
  for await (const { fields } of records.epoch(0)) expect(fields).toEqual(lines[count++]);
  expect(count).toBe(lines.length);
  await close();
});

test("a folder of images, whose files keep their names or end with .age", async () => {
  const images = fixture("data/images");
  const sealed = join(folder, "images");
  await copyEncrypted(images, { to, out: sealed });
  const named = join(folder, "named");
  cpSync(sealed, named, { recursive: true });
  for (const name of readdirSync(named, { recursive: true }).map(String))
    if (statSync(join(named, name)).isFile()) renameSync(join(named, name), join(named, `${name}.age`));
  const pixels = async (path: string) => {
    const { all } = await loadImageFolder(path, { size: [8, 8], channels: 1 });
    const batches: unknown[] = [];
    for await (const batch of all.epoch(0)) batches.push(batch);
    return batches;
  };
  const plain = await pixels(images);
  expect(await pixels(sealed)).toEqual(plain);
  expect(await pixels(named)).toEqual(plain);
});

test("texts and profiles", async () => {
  const text = join(folder, "prose.txt");
  writeFileSync(text, "Call me Ishmael.\n");
  expect(await readTextFile(await encrypted(text))).toBe("Call me Ishmael.\n");
  const [own, plain] = [await profilePath(join(folder, "long.csv.age")), await profilePath(csv)];
  expect({ ...own, path: "", bytes: 0 }).toEqual({ ...plain, path: "", bytes: 0 });
});

test("a table that was altered is refused where it was", async () => {
  const path = join(folder, "altered.csv.age");
  const bytes = readFileSync(join(folder, "long.csv.age"));
  const at = bytes.length - 100;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await expect(readTable(path)).rejects.toThrow(
    /altered.csv.age: the part from byte \d+ on was altered after it was encrypted/,
  );
});
