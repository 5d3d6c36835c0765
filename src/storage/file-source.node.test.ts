/** Files read in parts: ranges, sizes beyond memory, and places that a model may not open. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FileError } from "../core/errors.ts";
import { readBytes } from "./atomic.node.ts";
import { checksumOfFile } from "./checksum.node.ts";
import { openBeside, openFile } from "./file-source.node.ts";
import { readSafetensorsHeader } from "./safetensors.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-source-"));
const path = (name: string) => join(folder, name);

test("parts are read where they lie; past the end is reported", () => {
  writeFileSync(path("a"), "abcdef");
  const file = openFile(path("a"));
  expect(file.size).toBe(6);
  expect(new TextDecoder().decode(file.read(2, 3))).toBe("cde");
  expect(() => file.read(4, 3)).toThrow("lies at bytes 4 to 7, the file has 6");
  file.close();
  expect(() => openFile(path("none"))).toThrow("there is no such file");
  expect(() => openFile(folder)).toThrow(FileError);
});

test("of a file of 60 GiB the header alone is read", () => {
  const elements = 15 * 2 ** 30;
  const header = JSON.stringify({
    w: { dtype: "BF16", shape: [elements], data_offsets: [0, 2 * elements] },
    v: { dtype: "F32", shape: [elements / 2], data_offsets: [2 * elements, 4 * elements] },
  });
  const begin = Buffer.alloc(8);
  begin.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path("large.safetensors"), Buffer.concat([begin, Buffer.from(header)]));
  truncateSync(path("large.safetensors"), 8 + header.length + 4 * elements);
  const before = process.memoryUsage().rss;
  const file = openFile(path("large.safetensors"));
  const { entries } = readSafetensorsHeader(file);
  file.close();
  expect(entries.map(({ name, type, shape }) => [name, type, shape])).toEqual([
    ["w", "BF16", [elements]],
    ["v", "F32", [elements / 2]],
  ]);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
});

test("only what lies in the folder is opened", () => {
  mkdirSync(path("model/sub"), { recursive: true });
  writeFileSync(path("model/sub/w.bin"), "1234");
  writeFileSync(path("secret"), "1234");
  symlinkSync(path("secret"), path("model/link"));
  const file = openBeside(path("model"), "sub/w.bin");
  expect(file.size).toBe(4);
  file.close();
  const outside = ["../secret", "sub/../../secret", path("secret"), "C:\\secret", "..\\secret"];
  for (const location of outside)
    expect(() => openBeside(path("model"), location), location).toThrow("lies outside the folder");
  expect(() => openBeside(path("model"), "link")).toThrow("is a link that leads outside the folder");
  expect(() => openBeside(path("model"), "none")).toThrow("there is no such file");
});

test("links of Hugging Face's cache lead to the blobs of the same model, and nowhere else", () => {
  for (const name of ["one", "two"]) {
    mkdirSync(path(`hub/models--a--${name}/snapshots/c1/onnx`), { recursive: true });
    mkdirSync(path(`hub/models--a--${name}/blobs`));
    writeFileSync(path(`hub/models--a--${name}/blobs/b1`), "1234");
  }
  const own = path("hub/models--a--one/snapshots/c1");
  symlinkSync("../../blobs/b1", join(own, "shard"));
  symlinkSync("../../../blobs/b1", join(own, "onnx/data"));
  symlinkSync("../../../models--a--two/blobs/b1", join(own, "other"));
  openBeside(own, "shard").close();
  openBeside(join(own, "onnx"), "data").close();
  expect(() => openBeside(own, "other")).toThrow("is a link that leads outside the folder");
});

test.skipIf(process.platform === "win32")("what is no regular file is not opened, and not waited for", async () => {
  execFileSync("mkfifo", [path("pipe")]);
  for (const [name, kind] of [
    [path("pipe"), "a pipe"],
    ["/dev/zero", "a device"],
  ] as const) {
    expect(() => openFile(name)).toThrow(`${name} is no file but ${kind}; give the path of a file`);
    await expect(readBytes(name, "input")).rejects.toThrow(`input: ${name} is no file but ${kind}`);
    await expect(checksumOfFile(name, "sha256")).rejects.toThrow(`it is ${kind}`);
  }
  expect(() => openFile(folder)).toThrow("is no file but a folder");
  await expect(readBytes(folder, "input")).rejects.toThrow("is a folder, expected a file");
});
