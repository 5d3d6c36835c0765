/** Unpacking gzip. */
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { FileError } from "../core/errors.ts";
import { gunzip, isGzip } from "./gzip.ts";

const plain = new Uint8Array(100_000).map((_, i) => i % 7);
const packed = new Uint8Array(gzipSync(plain));

it("unpacks what zlib packed", async () => {
  expect(isGzip(packed)).toBe(true);
  expect(isGzip(plain)).toBe(false);
  expect(await gunzip(packed, "file")).toEqual(plain);
});

it("refuses other formats, cut files and wrong checksums, by name", async () => {
  await expect(gunzip(plain, "labels.gz")).rejects.toThrow(/^labels.gz: cannot be unpacked as gzip/);
  await expect(gunzip(packed.slice(0, -9), "labels.gz")).rejects.toThrow(FileError);
  const wrongSum = packed.slice();
  wrongSum[packed.length - 8] = (wrongSum[packed.length - 8] as number) ^ 1; // the CRC-32 in the trailer
  await expect(gunzip(wrongSum, "labels.gz")).rejects.toThrow(FileError);
});

it("stops at a limit rather than filling the memory", async () => {
  await expect(gunzip(packed, "bomb.gz", 1000)).rejects.toThrow(
    "bomb.gz: cannot be unpacked as gzip (it unpacks to more than 1000 bytes, the limit unpackedBytes)",
  );
});
