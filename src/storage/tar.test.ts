/** The tar reader on an archive that the system's tar makes. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { FileError } from "../core/errors.ts";
import { readTar, tarFiles } from "./tar.ts";
import { flipBit } from "./testing/damage.ts";

let archive: Uint8Array;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-tar-"));
  mkdirSync(join(folder, "batches"));
  writeFileSync(join(folder, "batches/one.bin"), Uint8Array.of(1, 2, 3));
  writeFileSync(join(folder, "batches/empty"), "");
  writeFileSync(join(folder, "batches/two.bin"), new Uint8Array(1024).fill(7));
  execFileSync(
    "tar",
    ["--format=ustar", "-cf", "a.tar", "batches/one.bin", "batches/empty", "batches/two.bin", "batches"],
    { cwd: folder },
  );
  archive = new Uint8Array(readFileSync(join(folder, "a.tar")));
  rmSync(folder, { recursive: true });
});

it("gives the files, without the folders", () => {
  const files = readTar(archive, "a.tar");
  expect([...files.keys()]).toEqual(["batches/one.bin", "batches/empty", "batches/two.bin"]);
  expect([...(files.get("batches/one.bin") ?? [])]).toEqual([1, 2, 3]);
  expect(files.get("batches/empty")?.length).toBe(0);
  expect(files.get("batches/two.bin")?.every((byte) => byte === 7)).toBe(true);
});

/** The archive in parts of so many bytes. */
async function* inParts(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

it.each([1, 100, 512, 100_000])("gives the same when it arrives in parts of %i bytes", async (size) => {
  const files = new Map<string, Uint8Array>();
  for await (const { name, bytes } of tarFiles(inParts(archive, size), "a.tar")) files.set(name, bytes);
  expect(files).toEqual(readTar(archive, "a.tar"));
});

it("refuses a cut archive that arrives in parts", async () => {
  const read = async (bytes: Uint8Array) => {
    for await (const _ of tarFiles(inParts(bytes, 100), "a.tar"));
  };
  await expect(read(archive.subarray(0, 514))).rejects.toThrow(
    /"batches\/one.bin" needs 3 bytes, the archive has 2 left/,
  );
  await expect(read(archive.subarray(0, 1024))).rejects.toThrow(/without its end mark/);
});

it("refuses a changed header, a cut archive and other formats", () => {
  expect(() => readTar(flipBit(archive, 8 * 124), "a.tar")).toThrow(/a.tar: the header at byte 0 sums to/);
  expect(() => readTar(archive.subarray(0, 514), "a.tar")).toThrow(
    /"batches\/one.bin" needs 3 bytes, the archive has 2 left/,
  );
  expect(() => readTar(archive.subarray(0, 1024), "a.tar")).toThrow(/without its end mark/);
  expect(() => readTar(new Uint8Array(0), "a.tar")).toThrow(FileError);
  expect(() => readTar(new Uint8Array(600).fill(0x41), "a.tar")).toThrow(FileError);
});
