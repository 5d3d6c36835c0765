/** Images of your own: how they are found, what is predicted of them, which are left out, how they are parted. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { recipeForData } from "../kinds/recipe-for-data.node.ts";
import { f1OfMarks, labelAveragePrecision } from "../shared/label-figures.ts";
import { baselinesOfImages } from "./image-baselines.ts";
import { type ImageRequest, loadImages } from "./load-images.node.ts";
import { shrink } from "./shrink.ts";
import { drawBar } from "./testing/draw-images.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-images-"));
afterAll(() => rmSync(folder, { recursive: true }));

const request = { target: "", labels: [], task: "auto", side: 0, seed: 0, limit: undefined } as const;
const load = (path: string, more: Partial<ImageRequest> = {}) => loadImages({ ...request, path, ...more });

/** A folder of bars across and down, in folders of their names. */
function bars(name: string, count = 30, channels: 1 | 3 = 1): string {
  const path = join(folder, name);
  for (let i = 0; i < count; i++) {
    drawBar(join(path, "across", `${i}.png`), { across: true, channels, seed: i });
    drawBar(join(path, "down", `${i}.png`), { across: false, channels, seed: 1000 + i });
  }
  return path;
}

describe("folders by class", () => {
  test("are parted by class, and what is broken is left out", async () => {
    const path = bars("classes");
    writeFileSync(join(path, "across", "broken.png"), "no image");
    writeFileSync(join(path, "down", "empty.png"), "");
    writeFileSync(join(path, "down", "notes.txt"), "not an image by its name");
    const { extents, target, parts, notes } = await load(path);
    expect(extents).toEqual({ height: 28, width: 28, channels: 1 });
    expect(target).toEqual({ name: "class", kind: "classes", classes: ["across", "down"] });
    expect([parts.train.length, parts.validation.length, parts.test.length]).toEqual([41, 7, 12]);
    const labels: number[] = [];
    for await (const { x, y } of parts.test.epoch(0)) {
      expect([x.dtype, x.shape]).toEqual(["uint8", [1, 28, 28]]);
      labels.push(y.item() as number);
    }
    expect(labels.filter((label) => label === 1)).toHaveLength(6);
    expect(notes.join("\n")).toMatch(/left out: 2 images that cannot be read, such as .*broken\.png: is no image/);
    expect(notes.join("\n")).toMatch(/one of 2 classes/);
    expect(await recipeForData(path)).toEqual({ recipe: "images", because: "62 images in 2 folders" });
    for (const more of [{ target: "kind" }, { labels: ["a", "b"] }, { task: "regression" }] as const)
      await expect(load(path, more)).rejects.toThrow(
        /is for a table .* the folder of each image is its class; leave it out/,
      );
  });

  test("in colour, and of a size that is asked for", async () => {
    const { extents } = await load(bars("colour", 8, 3), { side: 20 });
    expect(extents).toEqual({ height: 20, width: 20, channels: 3 });
  });

  test("images that show the same stay on one side, and a contradiction is told", async () => {
    const path = bars("repeated", 12);
    for (let i = 0; i < 12; i++) copyFileSync(join(path, "across", "3.png"), join(path, "across", `copy-${i}.png`));
    copyFileSync(join(path, "across", "3.png"), join(path, "down", "wrong.png"));
    const { parts, notes } = await load(path);
    const sums = async (part: (typeof parts)["test"]) => {
      const found = new Set<string>();
      for await (const { x } of part.epoch(0)) found.add(x.toNumbers().join());
      return found;
    };
    const [train, validation, tested] = [await sums(parts.train), await sums(parts.validation), await sums(parts.test)];
    expect([...tested, ...validation].filter((own) => train.has(own))).toEqual([]);
    expect(notes.join("\n")).toMatch(/13 images repeat others/);
    expect(notes.join("\n")).toMatch(/1 image appears under unlike labels, such as .*wrong\.png: one of them is wrong/);
  });

  test("parts that the data have are kept, without images of the test to train on", async () => {
    const path = join(folder, "parted");
    for (const [part, count] of [
      ["train", 20],
      ["val", 6],
      ["test", 8],
    ] as const)
      for (let i = 0; i < count; i++)
        for (const across of [true, false])
          drawBar(join(path, part, across ? "across" : "down", `${i}.png`), {
            across,
            seed: i + 100 * part.length * 7 + (across ? 0 : 5000),
          });
    copyFileSync(join(path, "test", "down", "1.png"), join(path, "train", "down", "taken.png"));
    const { parts, notes } = await load(path);
    expect([parts.train.length, parts.validation.length, parts.test.length]).toEqual([40, 12, 16]);
    expect(notes.join("\n")).toMatch(/1 image of the part to train on also lies in one to measure by/);
    rmSync(join(path, "test"), { recursive: true });
    const two = await load(path);
    // What is there to validate by is the test; what to choose by is taken of the training part.
    expect(two.parts.test.length).toBe(12);
    expect((two.parts.train.length ?? 0) + (two.parts.validation.length ?? 0)).toBe(41);
  });

  test.each([
    [
      "no folders",
      (path: string) => drawBar(join(path, "1.png"), { across: true, seed: 1 }),
      /1 image in no folder of a class/,
    ],
    ["no images", (path: string) => mkdirSync(join(path, "across"), { recursive: true }), /holds no images/],
    [
      "one class",
      (path: string) => {
        for (let i = 0; i < 12; i++) drawBar(join(path, "across", `${i}.png`), { across: true, seed: i });
      },
      /all samples are of one class, "across"/,
    ],
    [
      "few images",
      (path: string) => drawBar(join(path, "a", "1.png"), { across: true, seed: 1 }),
      /has 1 image .*too few/,
    ],
    [
      "broken images alone",
      (path: string) => {
        mkdirSync(join(path, "a"), { recursive: true });
        for (let i = 0; i < 12; i++) writeFileSync(join(path, "a", `${i}.png`), "x");
      },
      /none of 12 images that were looked at can be read: .*\.png: is no image/,
    ],
  ] as const)("%s are refused", async (name, make, said) => {
    const path = join(folder, name.replaceAll(" ", "-"));
    make(path);
    await expect(load(path)).rejects.toThrow(said);
  });
});

describe("tables of images", () => {
  /** A table of bars beside their files. */
  function table(name: string, head: string, line: (file: string, place: number, i: number) => string): string {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    const lines = Array.from({ length: 40 }, (_, i) => {
      const file = `files/${i}.png`;
      const place = drawBar(join(path, file), { across: i % 2 === 0, seed: 9000 + i });
      return line(file, place, i);
    });
    const ending = head.startsWith("{") || head === "" ? "jsonl" : "csv";
    writeFileSync(join(path, `metadata.${ending}`), `\ufeff${[...(head === "" ? [] : [head]), ...lines].join("\n")}\n`);
    return path;
  }

  test("a number", async () => {
    const path = table("number", "file_name,place", (file, place) => `${file},${place}`);
    const { target, parts, notes } = await load(path);
    expect(target).toMatchObject({ name: "place", kind: "number" });
    expect(notes.join()).toMatch(/"place" is predicted \(the last column; --target names another\), a number/);
    for await (const { y } of parts.test.epoch(0)) expect(y.shape).toEqual([1]);
    const results = await baselinesOfImages({ target, parts }, { seconds: 4 });
    expect(results.map(({ name }) => name)).toEqual([
      "mean",
      "ridge regression",
      "k nearest neighbours",
      "random forest",
    ]);
    expect(await recipeForData(join(path, "metadata.csv"))).toEqual({
      recipe: "images",
      because: 'a table of images, by its column "file_name"',
    });
  });

  test.each([
    [
      "lists",
      "",
      (file: string, i: number) => JSON.stringify({ file_name: file, objects: i % 2 ? ["down"] : ["across", "bar"] }),
    ],
    ["texts", "image;objects", (file: string, i: number) => `${file};${i % 2 ? "down" : "across|bar"}`],
  ] as const)("labels as %s", async (name, head, line) => {
    const path = table(name, head, (file, _, i) => line(file, i));
    const { target, parts, notes } = await load(path);
    expect(target).toEqual({ name: "objects", kind: "labels", labels: ["across", "bar", "down"] });
    expect(notes.join()).toMatch(/which of 3 labels a file has \(its values (?:are lists|list several labels)/);
    const results = await baselinesOfImages({ target, parts }, { seconds: 4 });
    expect(results.map(({ name, metric }) => [name, metric])).toEqual([
      ["most frequent labels", "label F1"],
      ["logistic regression", "label F1"],
      ["k nearest neighbours", "label F1"],
    ]);
    for (const { test } of results) expect(test).toBeGreaterThan(0);
  });

  test("labels as columns of 0 and 1", async () => {
    const path = table("marks", "file_name,across,down", (file, _, i) => `${file},${1 - (i % 2)},${i % 2}`);
    const { target } = await load(path, { labels: ["across", "down"] });
    expect(target).toEqual({ name: "across,down", kind: "labels", labels: ["across", "down"] });
    await expect(load(path, { labels: ["acros"] })).rejects.toThrow(/did you mean "across"/);
    await expect(load(path, { labels: ["file_name"] })).rejects.toThrow(
      /unknown column "file_name".*Known: across, down/,
    );
    await expect(load(path, { labels: ["across"], task: "regression" })).rejects.toThrow(/leave the one out/);
  });

  test("files that are not there are left out", async () => {
    const path = table(
      "absent",
      "file_name,kind",
      (file, _, i) => `${i === 5 ? "gone.png" : file},${i % 2 ? "a" : "b"}`,
    );
    const { notes } = await load(path);
    expect(notes.join()).toMatch(/left out: 1 image that cannot be read, such as .*gone\.png/);
    const odd = join(folder, "no-images.csv");
    writeFileSync(odd, "a,b\n1,2\n");
    await expect(load(odd)).rejects.toThrow(
      /has no column of images, only "a", "b"; call the column of paths file_name/,
    );
  });
});

test("shrink means the pixels that come together", () => {
  const bytes = Uint8Array.from([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
  expect(Array.from(shrink({ channels: 1, height: 3, width: 4, bytes }, 1, 2))).toEqual([45, 65]);
  expect(Array.from(shrink({ channels: 1, height: 3, width: 4, bytes }, 8, 8))).toEqual([...bytes]);
});

test("labels by F1 and average precision", () => {
  // 2 hits of 3 predicted and 3 there.
  expect(f1OfMarks([1, 1, 1, 0], [1, 1, 0, 1])).toBeCloseTo(4 / 6, 12);
  expect(f1OfMarks([0, 0], [0, 0])).toBe(1);
  const [scores, actual] = [
    tensor([
      [3, 0],
      [2, 1],
      [1, 2],
    ]),
    tensor([
      [1, 0],
      [0, 0],
      [1, 0],
    ]),
  ];
  // Ranks 1 and 3 of the first label: (1 + 2/3) / 2; the second does not occur.
  expect(labelAveragePrecision(scores, actual)).toBeCloseTo(5 / 6, 12);
});
