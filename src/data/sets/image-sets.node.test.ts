/** MNIST, Fashion-MNIST and CIFAR-10: ten-row fixtures, the real digits, broken files, downloads that cannot be. */
import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DataError, FileError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { checkDamage } from "../../storage/testing/damage.ts";
import { scaleBytes } from "../images/bytes.ts";
import type { Dataset, Labelled } from "../pipeline/dataset.ts";
import { decodeCifar10, loadCifar10, unpackCifar10 } from "./cifar10.node.ts";
import { loadFashionMnist } from "./fashion-mnist.node.ts";
import { loadMnist } from "./mnist.node.ts";

const fixtures = fileURLToPath(new URL("../../../test/fixtures/data/", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sardonyx-images-"));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await rm(folder, { recursive: true });
});

const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

describe("fixtures in the real format", () => {
  it("MNIST, unpacked", async () => {
    const { train, test, classes } = await loadMnist({ dir: join(fixtures, "mnist") });
    expect([train.tensors.x.dtype, train.tensors.x.shape]).toEqual(["uint8", [10, 1, 28, 28]]);
    // The first ten labels of each part, as every description of MNIST shows them.
    expect(train.tensors.y.toArray()).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(test.tensors.y.toArray()).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(classes).toHaveLength(10);
  });

  it("Fashion-MNIST, packed", async () => {
    const { train, classes } = await loadFashionMnist({ dir: join(fixtures, "fashion-mnist") });
    expect(train.tensors.x.shape).toEqual([10, 1, 28, 28]);
    // The first training image is an ankle boot, followed by a T-shirt (the README of Fashion-MNIST).
    expect((train.tensors.y.toArray() as number[]).slice(0, 2).map((y) => classes[y])).toEqual([
      "Ankle boot",
      "T-shirt/top",
    ]);
  });

  it("CIFAR-10: classes, then red, green and blue planes", async () => {
    const { train, test } = await loadCifar10({ dir: join(fixtures, "cifar10") });
    expect(train.tensors.y.toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(test.tensors.y.toArray()).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(train.tensors.x.shape).toEqual([10, 3, 32, 32]);
    const at = (n: number, channel: number, row: number, column: number) =>
      train.tensors.x.data[((n * 3 + channel) * 32 + row) * 32 + column];
    // How the fixture is drawn: red is the class, green the row, blue the column.
    expect([at(7, 0, 3, 4), at(7, 1, 3, 4), at(7, 2, 3, 4)]).toEqual([7, 3, 4]);
  });
});

it("loads the whole of MNIST from the package, and batches it as numbers from 0 to 1", async () => {
  const { train, test } = await loadMnist();
  expect([train.length, test.length]).toEqual([60_000, 10_000]);
  const batches: Dataset<Labelled> = train.shuffle(keyOf(1)).batch(64).map(scaleBytes());
  expect(batches.length).toBe(938);
  for await (const { x, y } of batches.epoch(0)) {
    expect([x.dtype, x.shape, y.shape]).toEqual(["float32", [64, 1, 28, 28], [64]]);
    expect(Math.max(...(x.data as Float32Array))).toBe(1);
    break;
  }
  // Mean pixel of the training digits, known from their customary normalization: 0.1307.
  expect(sum(train.tensors.x.data.subarray(0, 784 * 10_000)) / (784 * 10_000) / 255).toBeCloseTo(0.1307, 2);
});

describe("broken files", () => {
  const copyMnist = async (name: string, change: (bytes: Buffer) => Uint8Array) => {
    await cp(join(fixtures, "mnist"), folder, { recursive: true });
    await writeFile(join(folder, name), change(await readFile(join(folder, name))));
  };

  it("reports a missing file, with the folder", async () => {
    await cp(join(fixtures, "mnist"), folder, { recursive: true });
    await rm(join(folder, "t10k-labels-idx1-ubyte"));
    await expect(loadMnist({ dir: folder })).rejects.toThrow(`${folder} has no t10k-labels-idx1-ubyte (nor with .gz)`);
    await expect(loadCifar10({ dir: folder })).rejects.toThrow(/does not have all of data_batch_1.bin/);
  });

  it("reports a cut file, by name", async () => {
    await copyMnist("train-images-idx3-ubyte", (bytes) => bytes.subarray(0, 1000));
    await expect(loadMnist({ dir: folder })).rejects.toThrow(
      /train-images-idx3-ubyte: uint8 \[10, 28, 28\] needs 7856 bytes, the file has 1000/,
    );
  });

  it("reports labels and images that were exchanged or counted differently", async () => {
    await copyMnist("train-images-idx3-ubyte", () => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5));
    await expect(loadMnist({ dir: folder })).rejects.toThrow(/holds uint8 \[1\], expected uint8 \[N, height, width\]/);
    await copyMnist("train-labels-idx1-ubyte", () => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 5));
    await expect(loadMnist({ dir: folder })).rejects.toThrow(/has 1 labels for 10 images/);
  });

  it("reports a label out of range, with its row", async () => {
    await copyMnist("train-labels-idx1-ubyte", (bytes) => bytes.fill(10, 12, 13));
    const failure = loadMnist({ dir: folder });
    await expect(failure).rejects.toThrow(DataError);
    await expect(failure).rejects.toThrow(
      /train-labels-idx1-ubyte: the label of row 4 is 10, expected a whole number from 0 to 9/,
    );
  });

  it("reports CIFAR-10 rows that are cut, empty or mislabelled", async () => {
    const bytes = await readFile(join(fixtures, "cifar10/test_batch.bin"));
    const decode = (changed: Uint8Array) => decodeCifar10([{ name: "test_batch.bin", bytes: changed }]);
    expect(() => decode(bytes.subarray(0, 5000))).toThrow("test_batch.bin: has 5000 bytes, expected rows of 3073");
    expect(() => decode(new Uint8Array(0))).toThrow(FileError);
    expect(() => decode(Buffer.from(bytes).fill(200, 3073, 3074))).toThrow("test_batch.bin: the label of row 1 is 200");
    await checkDamage(bytes.subarray(0, 3073), decode, 8);
  });
});

it("unpacks CIFAR-10's archive", async () => {
  const archive = join(folder, "cifar-10-binary.tar.gz");
  // As published: the files in a folder cifar-10-batches-bin.
  execFileSync(
    "tar",
    ["--transform=s,^,cifar-10-batches-bin/,", "-czf", archive, ...(await readdir(join(fixtures, "cifar10")))],
    {
      cwd: join(fixtures, "cifar10"),
    },
  );
  await unpackCifar10(archive, join(folder, "unpacked"));
  const { test } = await loadCifar10({ dir: join(folder, "unpacked") });
  expect(test.tensors.y.toArray()).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  await writeFile(archive, (await readFile(archive)).subarray(0, 300));
  await expect(unpackCifar10(archive, folder)).rejects.toThrow(FileError);
});

it("says offline which file can be put where", async () => {
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ENETUNREACH" }) });
  });
  await expect(loadCifar10({ cacheDir: folder })).rejects.toThrow(
    `put the file (170052171 bytes, md5 c32a1d4ab5d03f1284b67883e8d87530) at ${join(folder, "cifar10/cifar-10-binary.tar.gz")}`,
  );
});
