/** What image files can make the reader do: their size is asked before anything is decoded, and their kind before a decoder is. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImage, readPaddedImage } from "./image.node.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sardonyx-image-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A part of a PNG file. */
function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A black image of one bit a pixel. */
function black(width: number, height: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const rows = deflateSync(Buffer.alloc(Math.min(height, 1000) * (1 + Math.ceil(width / 8))));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", head),
    chunk("IDAT", rows),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const write = async (name: string, content: Uint8Array | string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

describe("pixels", () => {
  test("more than the limit are refused before one is decoded, with and without a size", async () => {
    const path = await write("large.png", black(16_384, 16_384));
    const begin = performance.now();
    const message =
      "large.png: cannot be read as an image (it has 16384 × 16384 pixels, and 100000000 is the limit pixels";
    await expect(readImage(path)).rejects.toThrow(message);
    await expect(readImage(path, { size: [8, 8] })).rejects.toThrow(message);
    expect(performance.now() - begin).toBeLessThan(10_000);
  });

  test("an image is no wider or higher than decoders take in bounded memory", async () => {
    const path = await write("wide.png", black(70_000, 2));
    await expect(readImage(path)).rejects.toThrow(
      "wide.png: cannot be read as an image (it has 70000 × 2 pixels, and 65535 in one direction is the limit imageExtent",
    );
  });

  test("the limit is an option", async () => {
    const path = await write("small.png", black(40, 30));
    expect((await readImage(path)).shape).toEqual([3, 30, 40]);
    expect((await readImage(path, { maxPixels: 1200 })).shape).toEqual([3, 30, 40]);
    await expect(readImage(path, { maxPixels: 1199 })).rejects.toThrow("raise it: { maxPixels: N }");
  });
});

test("other formats under the name of an image are not decoded", async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  for (const content of [svg, "%PDF-1.7", "", "no image"])
    await expect(readImage(await write("other.png", content))).rejects.toThrow(
      /is no image of a kind that is read here/,
    );
});

test.skipIf(process.platform === "win32")("devices, pipes and folders are not read", async () => {
  const pipe = join(folder, "pipe.png");
  execFileSync("mkfifo", [pipe]);
  await expect(readImage(pipe)).rejects.toThrow(`${pipe} is no file but a pipe`);
  await expect(readImage("/dev/zero")).rejects.toThrow("/dev/zero is no file but a device");
  await expect(readImage(folder)).rejects.toThrow("is a folder, expected a file");
});

test("an image in a square keeps its proportions, turned as its camera says", async () => {
  const { default: sharp } = await import("sharp");
  const path = join(folder, "turned.jpg");
  // 40 wide, 20 high, and to be turned by a quarter: 20 wide, 40 high.
  await sharp({ create: { width: 40, height: 20, channels: 3, background: "white" } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toFile(path);
  const { image, own } = await readPaddedImage(path, { side: 8, channels: 1 });
  expect(own).toEqual({ width: 20, height: 40 });
  expect(image.shape).toEqual([1, 8, 8]);
  expect([...image.data.subarray(0, 8)]).toEqual([114, 114, 255, 255, 255, 255, 114, 114]);
  const colour = await readPaddedImage(path, { side: 8, channels: 3 });
  expect(colour.image.shape).toEqual([3, 8, 8]);
  await expect(readPaddedImage(join(folder, "none.jpg"), { side: 8, channels: 1 })).rejects.toThrow(/there is no file/);
});
