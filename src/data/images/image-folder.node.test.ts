/** Folders of images: classes, decoding, resizing, unreadable files. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataError, FileError, OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { loadMnist } from "../sets/mnist.node.ts";
import { scaleBytes } from "./bytes.ts";
import { importSharp, readImage } from "./image.node.ts";
import { loadImageFolder } from "./image-folder.node.ts";

const fixtures = fileURLToPath(new URL("../../../test/fixtures/data/", import.meta.url));
const digits = join(fixtures, "images");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sardonyx-folder-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("a folder of digits", () => {
  it("has a class for each subfolder, and gives the images of MNIST back", async () => {
    const { all, classes, paths } = await loadImageFolder(digits, { channels: 1 });
    expect(classes).toEqual(["0", "1", "2", "4", "5", "7", "9"]);
    expect(all.length).toBe(10);
    const { test } = await loadMnist({ dir: join(fixtures, "mnist") });
    let i = 0;
    for await (const { x, y } of all.epoch(0)) {
      expect([x.dtype, x.shape, y.dtype, y.shape]).toEqual(["uint8", [1, 28, 28], "int32", []]);
      const [, name = "", row, format] = /(\d)\/(\d)\.(\w+)$/.exec((paths[i++] as string).replaceAll("\\", "/")) ?? [];
      expect(classes[y.item()]).toBe(name);
      const original = test.tensors.x.data.subarray(Number(row) * 784, (Number(row) + 1) * 784);
      const largest = Math.max(...[...original].map((pixel, at) => Math.abs(pixel - (x.data[at] as number))));
      expect(largest).toBeLessThanOrEqual(format === "png" ? 0 : 40); // JPEG loses some
    }
  });

  it("resizes, gives three channels, batches ahead, and repeats itself", async () => {
    const { all } = await loadImageFolder(digits, { size: [14, 10] });
    const batches = all.shuffle(keyOf(1)).batch(4).prefetch(2).map(scaleBytes());
    const read = async (skip = 0) => {
      const seen = [];
      for await (const batch of batches.epoch(1, { skip })) seen.push(batch);
      return seen;
    };
    const whole = await read();
    expect(whole.map(({ x }) => x.shape)).toEqual([
      [4, 3, 14, 10],
      [4, 3, 14, 10],
      [2, 3, 14, 10],
    ]);
    expect(await read(1)).toEqual(whole.slice(1));
  });
});

it("puts channels first, in the order red, green, blue", async () => {
  const path = join(folder, "p.png");
  await sharp(Uint8Array.of(1, 2, 3, 11, 12, 13), { raw: { width: 2, height: 1, channels: 3 } })
    .png()
    .toFile(path);
  expect((await readImage(path)).toArray()).toEqual([[[1, 11]], [[2, 12]], [[3, 13]]]);
});

describe("bad input", () => {
  const broken = async () => {
    await cp(digits, folder, { recursive: true });
    const image = await readFile(join(folder, "0/3.png"));
    await writeFile(join(folder, "0/3.png"), image.subarray(0, image.length / 2));
    await writeFile(join(folder, "1/5.jpg"), "no image");
    await writeFile(join(folder, "1/notes.txt"), "not looked at");
  };

  it("names an image that is cut off or none, when its turn comes", async () => {
    await broken();
    const { all } = await loadImageFolder(folder);
    const read = async () => {
      for await (const _ of all.epoch(0));
    };
    await expect(read()).rejects.toThrow(FileError);
    await expect(read()).rejects.toThrow(/0.3\.png: cannot be read as an image/);
    await expect(readImage(join(folder, "1/5.jpg"))).rejects.toThrow(/5\.jpg: is no image of a kind that is read here/);
    await expect(readImage(join(folder, "none.png"))).rejects.toThrow(/there is no file .*none\.png/);
  });

  it("refuses images that a few bytes make too large for the memory, also where they would be shrunk", async () => {
    const bytes = new Uint8Array(await readFile(join(digits, "0/3.png")));
    const view = new DataView(bytes.buffer);
    // Width and height in the first chunk, and its checksum.
    for (const at of [16, 20]) view.setUint32(at, 20_000);
    view.setUint32(29, crc32(bytes.subarray(12, 29)));
    const path = join(folder, "bomb.png");
    await writeFile(path, bytes);
    const wanted = /it has 20000 × 20000 pixels, and 100000000 is the limit pixels;/;
    await expect(readImage(path)).rejects.toThrow(wanted);
    await expect(readImage(path, { size: [28, 28] })).rejects.toThrow(wanted);
  });

  it("leaves unreadable images out on request, and says which", async () => {
    await broken();
    const { all, skipped } = await loadImageFolder(folder, { unreadable: "skip" });
    expect(all.length).toBe(8);
    expect(skipped).toHaveLength(2);
    expect(skipped[0]).toMatch(/0.3\.png: cannot be read as an image/);
    let count = 0;
    for await (const _ of all.epoch(0)) count++;
    expect(count).toBe(8);
  });

  it("reports folders without classes, without images, and none at all", async () => {
    await expect(loadImageFolder(folder)).rejects.toThrow(/has no subfolders, expected one for each class/);
    await mkdir(join(folder, "cat"));
    await expect(loadImageFolder(folder)).rejects.toThrow(DataError);
    await expect(loadImageFolder(join(folder, "none"))).rejects.toThrow(/cannot list the folder .*none \(ENOENT\)/);
  });

  it("says how to install sharp where it is missing", async () => {
    const missing = importSharp(() => Promise.reject(new Error("Cannot find package 'sharp'")));
    await expect(missing).rejects.toThrow(OptionError);
    await expect(missing).rejects.toThrow("npm install sharp");
  });
});
