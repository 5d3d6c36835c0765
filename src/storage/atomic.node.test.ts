/** Atomic writing and reading of whole files. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FileError } from "../core/errors.ts";
import { readBytes, writeFileAtomic } from "./atomic.node.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sardonyx-atomic-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("writes bytes and text, makes the folder, and leaves nothing beside the file", async () => {
  const path = join(folder, "a/b/file.bin");
  await writeFileAtomic(path, "old");
  await writeFileAtomic(path, Uint8Array.of(1, 2, 3));
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  expect(await readdir(join(folder, "a/b"))).toEqual(["file.bin"]);
});

it("keeps the old file when writing fails, without a temporary", async () => {
  const path = join(folder, "target");
  await mkdir(join(path, "in the way"), { recursive: true }); // renaming onto a folder fails
  await expect(writeFileAtomic(path, "new")).rejects.toThrow(FileError);
  await expect(writeFileAtomic(path, "new")).rejects.toThrow(/cannot write .*target .*nothing was changed/);
  expect(await readdir(folder)).toEqual(["target"]);
  await writeFile(join(folder, "file"), "x");
  await expect(writeFileAtomic(join(folder, "file/below"), "new")).rejects.toThrow(FileError);
});

it("lets readers see the old or the new content, never a part", async () => {
  const path = join(folder, "file");
  const contents = ["a", "b"].map((letter) => letter.repeat(1 << 20));
  await writeFileAtomic(path, contents[0] as string);
  let writing = true;
  const writes = (async () => {
    for (let i = 0; i < 10; i++) await writeFileAtomic(path, contents[i % 2] as string);
    writing = false;
  })();
  while (writing) expect(contents).toContain(await readFile(path, "utf8"));
  await writes;
});

it("says what is wrong with a path that cannot be read", async () => {
  await writeFile(join(folder, "file"), "x");
  await expect(readBytes(join(folder, "none"), "weights")).rejects.toThrow(
    /^weights: there is no file .*none; check the path/,
  );
  await expect(readBytes(folder, "weights")).rejects.toThrow(/^weights: .* is a folder, expected a file/);
  await expect(readBytes(join(folder, "file/below"), "weights")).rejects.toThrow(FileError);
});
