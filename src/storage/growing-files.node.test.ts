/** Files that grow: on the disk at once in the clear, whole after a save where they are encrypted; and what is refused. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBytes } from "./atomic.node.ts";
import { encryptFolder } from "./encryption/encrypted-folder.node.ts";
import { encryptTo, recipientsFile } from "./encryption/recipients.node.ts";
import { growingFile } from "./growing-files.node.ts";

const fixtures = join(process.cwd(), "test/fixtures/age");
const folder = mkdtempSync(join(tmpdir(), "sardonyx-growing-"));
const text = async (path: string) => new TextDecoder().decode(await readBytes(path, "test"));

beforeAll(() => {
  process.env["SARDONYX_IDENTITY"] = join(fixtures, "identity.txt");
});
afterAll(() => {
  delete process.env["SARDONYX_IDENTITY"];
});

test("in the clear, what is appended is there", async () => {
  const path = join(folder, "log");
  const file = growingFile(path);
  await file.open(() => 0);
  file.append("one\n");
  expect(readFileSync(path, "utf8")).toBe("one\n");
  file.append("two\n");
  await file.open((content) => content.indexOf(10) + 1);
  file.append("three\n");
  expect(readFileSync(path, "utf8")).toBe("one\nthree\n");
});

test("encrypted, what is appended is there once it is saved, and goes on from there", async () => {
  const run = join(folder, "run");
  mkdirSync(run);
  await encryptFolder(run, encryptTo(join(fixtures, "recipients.txt")));
  const path = join(run, "log");
  const file = growingFile(path);
  await file.open(() => 0);
  file.append("one\n");
  await file.save();
  const saved = readFileSync(path);
  expect(await text(path)).toBe("one\n");
  file.append("two\n");
  expect(readFileSync(path)).toEqual(saved);
  const next = growingFile(path);
  await next.open((content) => content.length);
  next.append("three\n");
  await next.save();
  expect(await text(path)).toBe("one\nthree\n");
  // With nothing new it is not written again.
  const before = readFileSync(path);
  await next.save();
  expect(readFileSync(path)).toEqual(before);
  // A list of recipients that is gone must not leave the rest in the clear.
  rmSync(join(run, recipientsFile));
  await expect(growingFile(path).open(() => 0)).rejects.toThrow(
    /log is encrypted, and .age-recipients, .* is gone; write the recipients/,
  );
  writeFileSync(join(run, recipientsFile), "\n");
  await expect(next.save()).resolves.toBeUndefined();
  next.append("four\n");
  await expect(next.save()).rejects.toThrow("names no recipient; write a line age1… into it");
});
