/** The IDX reader on hand-written files, real ones and broken ones. */
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { FileError } from "../../core/errors.ts";
import { checkDamage } from "../../storage/testing/damage.ts";
import { readIdx } from "./idx.ts";

const bytesFile = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6);

it("reads bytes, also packed by gzip", async () => {
  for (const file of [bytesFile, new Uint8Array(gzipSync(bytesFile))]) {
    const t = await readIdx(file, "t");
    expect([t.dtype, t.toArray()]).toEqual([
      "uint8",
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ]);
  }
});

it.each([
  ["int8", 9, [0xff, 2], [-1, 2]],
  ["int16", 0xb, [1, 2, 0xff, 0xfe], [258, -2]],
  ["int32", 0xc, [0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff], [256, -1]],
  ["float32", 0xd, [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], [1, -2]],
  ["float64", 0xe, [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0], [1, 2]],
])("reads big-endian %s", async (dtype, code, body, values) => {
  const t = await readIdx(Uint8Array.of(0, 0, code, 1, 0, 0, 0, 2, ...body), "t");
  expect([t.dtype, t.toArray()]).toEqual([dtype, values]);
});

it("leaves the file's bytes alone, also where they are a Buffer", async () => {
  const file = Buffer.of(0, 0, 0xb, 1, 0, 0, 0, 1, 1, 2);
  expect((await readIdx(file, "t")).toArray()).toEqual([258]);
  expect([...file.subarray(8)]).toEqual([1, 2]);
});

it.each([
  ["nothing", [], /digits: begins with bytes \(none\), expected 00 00/],
  ["text", [...new TextEncoder().encode("a,b\n1,2\n")], /begins with bytes 61 2c 62 0a/],
  ["an unknown type", [0, 0, 7, 1, 0, 0, 0, 0], FileError],
  ["no axes", [0, 0, 8, 0], FileError],
  ["half a header", [0, 0, 8, 3, 0, 0], /has 6 bytes, its header of 3 axes needs 16/],
  ["too few elements", [0, 0, 8, 1, 0, 0, 0, 3, 1, 2], /uint8 \[3\] needs 11 bytes, the file has 10/],
  ["too many elements", [0, 0, 8, 1, 0, 0, 0, 1, 1, 2], FileError],
  ["enormous extents", [0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255, 1], FileError],
])("refuses %s", async (_, file, error) => {
  await expect(readIdx(Uint8Array.from(file), "digits")).rejects.toThrow(error);
  await expect(readIdx(Uint8Array.from(file), "digits")).rejects.toThrow(FileError);
});

it("survives cuts and flipped bits, packed or not", async () => {
  await checkDamage(bytesFile, (bytes) => readIdx(bytes, "t"));
  await checkDamage(new Uint8Array(gzipSync(bytesFile)), (bytes) => readIdx(bytes, "t"));
});
