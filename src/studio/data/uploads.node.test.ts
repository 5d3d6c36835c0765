/** Uploads: whole or not at all, within their limits. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HttpError } from "../../serve/http-error.ts";
import { type UploadLimits, Uploads } from "./uploads.node.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sardonyx-uploads-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function* parts(...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}
const below = () => readdirSync(join(root, "data"));
const uploads = (limits: Partial<UploadLimits> = {}) => new Uploads(root, limits);

test("files are in their place together, under the path of the only one or of the set", async () => {
  const own = uploads();
  await own.take({ set: "one", path: "a.csv", content: parts("1,", "2") });
  expect(below()).toEqual([expect.stringMatching(/^\.upload-/)]);
  expect(await own.done("one", 1)).toBe("data/one/a.csv");
  expect(readFileSync(join(root, "data/one/a.csv"), "utf8")).toBe("1,2");
  await Promise.all(
    ["x/1.txt", "x/2.txt", "y/1.txt"].map((path) => own.take({ set: "two", path, content: parts(path) })),
  );
  expect(await own.done("two", 3)).toBe("data/two");
  expect(below().sort()).toEqual(["one", "two"]);
  expect(readdirSync(join(root, "data/two"), { recursive: true }).sort()).toEqual([
    "x",
    "x/1.txt",
    "x/2.txt",
    "y",
    "y/1.txt",
  ]);
  await expect(own.take({ set: "one", path: "b.csv", content: parts("") })).rejects.toThrow("there is a data set");
});

test("too many bytes or files, a broken line and a missing file leave nothing", async () => {
  const own = uploads({ bytes: 10, files: 2 });
  const take = (path: string, content: AsyncIterable<Uint8Array>) => own.take({ set: "a", path, content });
  await take("1", parts("12345"));
  await expect(take("2", parts("12345", "6"))).rejects.toThrow(/at most 10 B/);
  expect(below()).toEqual([]);
  await take("1", parts("1"));
  await take("2", parts("1"));
  await expect(take("3", parts("1"))).rejects.toThrow("at most 2 files");
  expect(below()).toEqual([]);
  await take("1", parts("1"));
  async function* broken(): AsyncIterable<Uint8Array> {
    yield* parts("1");
    throw new HttpError(400, "the body ended");
  }
  await expect(take("2", broken())).rejects.toThrow("the body ended");
  expect(below()).toEqual([]);
  await take("1", parts("1"));
  await expect(own.done("a", 2)).rejects.toThrow('1 of 2 files of "a" came');
  expect(below()).toEqual([]);
});

test("a set that is under way when another file of it fails is not brought to its end", async () => {
  const own = uploads();
  let goOn = () => {};
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  async function* slow(): AsyncIterable<Uint8Array> {
    yield* parts("1");
    await waiting;
  }
  const first = own.take({ set: "a", path: "1", content: slow() });
  await expect(own.take({ set: "a", path: "../2", content: parts("") })).rejects.toThrow("is no path");
  await expect(own.take({ set: "a", path: "1", content: parts("") })).rejects.toThrow("was sent already");
  goOn();
  await expect(first).rejects.toThrow();
  expect(below()).toEqual([]);
});

test("what nobody goes on with is given up, and so is what a killed studio left", async () => {
  mkdirSync(join(root, "data/.upload-old"), { recursive: true });
  mkdirSync(join(root, "data/.upload-new"));
  writeFileSync(join(root, "data/.upload-old/a"), "");
  utimesSync(join(root, "data/.upload-old"), 0, 0);
  const own = uploads({ idle: 1000 });
  await own.take({ set: "a", path: "1", content: parts("1") });
  expect(below()).toHaveLength(2);
  await expect.poll(below, { timeout: 5000 }).toEqual([".upload-new"]);
  const other = uploads();
  await other.take({ set: "a", path: "1", content: parts("1") });
  await other.close();
  expect(below()).toEqual([".upload-new"]);
});
