/** Paths below the studio's folder, and what is offered of it. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { offeredData, partsOf, requireBelow, requireSetName } from "./data-places.node.ts";

const root = mkdtempSync(join(tmpdir(), "sardonyx-places-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("names", () => {
  test.each(["a.csv", "a/b/c.png", "猫/1.jpg", "IMG (1)+2.JPG", "_a/b c", "nullable.csv", "com.csv"])(
    "taken: %s",
    (path) => {
      expect(partsOf(path)).toEqual(path.split("/"));
    },
  );
  test.each([
    "",
    "/",
    "a/",
    "/a",
    "..",
    "a/..",
    "./a",
    "~a",
    "-a",
    ".a",
    "a.",
    "a ",
    "a\\b",
    "a:b",
    "a\nb",
    "NUL",
    "com1.csv",
    "x".repeat(201),
  ])("refused: %j", (path) => {
    expect(() => partsOf(path)).toThrow("is no path below the studio's folder");
  });
  test("a data set is one folder", () => {
    expect(() => requireSetName("a/b")).toThrow("is no name of a data set");
  });
});

test("what is offered are data sets, their tables, and tables beside; nothing that is hidden, no log", () => {
  mkdirSync(join(root, "data/birds"), { recursive: true });
  mkdirSync(join(root, "data/.upload-1"));
  for (const name of [
    "data/birds/a.csv",
    "data/birds/b.png",
    "data/c.parquet",
    "d.tsv",
    "log.jsonl",
    ".e.csv",
    "f.bin",
  ])
    writeFileSync(join(root, name), "x\n");
  expect(offeredData(root)).toEqual(["data/birds", "data/birds/a.csv", "data/c.parquet", "d.tsv"]);
  expect(offeredData(join(root, "nowhere"))).toEqual([]);
});

test("links are refused where they stand, above and within", () => {
  symlinkSync(join(root, "d.tsv"), join(root, "data/birds/link.tsv"));
  symlinkSync(join(root, "data"), join(root, "linked"));
  expect(() => requireBelow(root, "data/c.parquet")).not.toThrow();
  for (const path of ["data/birds/link.tsv", "linked/c.parquet", "data/birds", "data"])
    expect(() => requireBelow(root, path), path).toThrow("is a link, which may lead elsewhere");
  expect(() => requireBelow(root, "none.csv")).toThrow('there is no "none.csv" below');
  // A folder that is reached by a link itself, such as /tmp of macOS.
  const again = join(root, "again");
  symlinkSync(root, again);
  expect(() => requireBelow(again, "data/c.parquet")).not.toThrow();
});
