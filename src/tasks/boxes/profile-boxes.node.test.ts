/** Profiles of images with boxes in each of their forms: what is counted, and what is found to be wrong. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { profileData } from "../kinds/profile-data.node.ts";
import { drawScene, writeCoco, writeText, writeYolo, yoloLines } from "./testing/draw-scenes.node.ts";

const root = mkdtempSync(join(tmpdir(), "sardonyx-box-profiles-"));
afterAll(() => rmSync(root, { recursive: true }));

const textsOf = (profile: Awaited<ReturnType<typeof profileData>>) =>
  profile.findings.map(({ weight, text }) => `${weight}: ${text}`).join("\n");

test("boxes by class and by image, in COCO's form, as shares of their image", async () => {
  const folder = join(root, "coco");
  writeCoco(folder, 12);
  // What the scenes were drawn with says the same.
  const truth = Array.from({ length: 12 }, (_, seed) => drawScene(join(root, "again", `${seed}.png`), { seed }));
  const all = truth.flat();
  const areas = all.map(({ box: [left, top, right, bottom] }) => ((right - left) * (bottom - top)) / 64 ** 2);
  const profile = await profileData(folder, { samples: 3 });
  const { boxes, files, target } = profile;
  expect(profile).toMatchObject({ kind: "images", split: { by: "class", column: "boxes" }, findings: [] });
  expect(boxes).toMatchObject({ form: "boxes in COCO's form", count: all.length, crowds: 0, leftOut: [], parts: [] });
  const blocks = all.filter(({ label }) => label === 0).length;
  expect(target?.classes).toEqual([
    { value: "block", count: blocks },
    { value: "frame", count: all.length - blocks },
  ]);
  expect(boxes?.classes[0]?.images).toBe(truth.filter((own) => own.some(({ label }) => label === 0)).length);
  expect(boxes?.images.reduce((sum, { count }) => sum + count, 0)).toBe(12);
  const numbersOf = (name: string) => files?.figures.find((own) => own.name === name)?.numbers;
  expect(numbersOf("boxes an image")?.mean).toBeCloseTo(all.length / 12, 9);
  expect(numbersOf("box area")?.least).toBeCloseTo(Math.min(...areas), 9);
  expect(numbersOf("box area")?.most).toBeCloseTo(Math.max(...areas), 9);
  const [first] = files?.samples ?? [];
  expect(first?.boxes).toHaveLength(truth[0]?.length ?? -1);
  expect(first?.boxes?.[0]).toEqual(truth[0]?.[0]?.box.map((edge) => edge / 64));
  // The file of annotations stands for its folder.
  expect((await profileData(join(folder, "annotations.json"))).boxes).toEqual(boxes);
  await expect(profileData(folder, { target: "block" })).rejects.toThrow("leave the target out");
});

test("what is wrong in YOLO's labels is counted and named", async () => {
  const folder = join(root, "yolo");
  writeYolo(folder, 8);
  writeText(
    join(folder, "labels", "000.txt"),
    "0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n1 0.9 0.9 0.5 0.5\n1 0.5 0.5 0 0\n7 0.5 0.5 0.1 0.1\n0 1\n0 1.5 0.5 0.1 0.1\n0 0.5 0.5 0.001 0.001\n",
  );
  writeText(join(folder, "labels", "stray.txt"), "0 0.5 0.5 0.2 0.2\n");
  rmSync(join(folder, "labels", "004.txt"));
  writeText(join(folder, "images", "bad.png"), "no image");
  writeText(join(folder, "labels", "bad.txt"), "0 0.5 0.5 0.2 0.2\n");
  writeText(join(folder, "data.yaml"), "names: [block, frame, ghost]\n");
  // The same image with other labels.
  copyFileSync(join(folder, "images", "005.png"), join(folder, "images", "copy.png"));
  writeText(join(folder, "labels", "copy.txt"), "");
  const profile = await profileData(folder);
  const text = textsOf(profile);
  for (const own of [
    "problem: 1 file of 10 cannot be read, such as images/bad.png",
    "problem: 1 file has the same bytes as one with other classes, such as images/005.png and images/copy.png",
    "problem: 1 box of a class that there is not, left out where it is trained, such as labels/000.txt: line 5",
    "problem: 1 line with other than a class and four numbers, left out where it is trained, such as labels/000.txt: line 6",
    "problem: 1 box of no area, left out where it is trained, such as labels/000.txt: line 4",
    "problem: 1 box outside its image, left out where it is trained, such as labels/000.txt: line 7",
    "problem: 1 file of labels without its image, left out where it is trained, such as labels/stray.txt",
    "problem: 1 box nearly covers another of the same class, such as labels/000.txt: line 2",
    "hint: 1 box reaches beyond the image and is cut there, such as labels/000.txt: line 3",
    "hint: 1 image without a file of labels, such as images/004.png",
    'hint: 1 class has a name and no box: "ghost"',
    "pixels where an image is brought into 512 x 512, and hard to find, such as labels/000.txt: line 8",
  ])
    expect(text).toContain(own);
  expect(profile.boxes?.unlabelled).toEqual(["images/004.png"]);
  expect(profile.boxes?.images[0]).toEqual({ value: "none", count: 2 });
  expect(text).not.toContain("one class only");
});

test("parts of the data, a metadata.jsonl, an image that is missing", async () => {
  const folder = join(root, "hub");
  for (const [part, label] of [
    ["train", "block"],
    ["test", "frame"],
  ] as const) {
    const lines = Array.from({ length: 4 }, (_, i) => {
      drawScene(join(folder, part, `${i}.png`), { seed: 10 * i + part.length });
      return { file_name: `${i}.png`, objects: { bbox: [[4, 4, 20, 10 + i]], categories: [label] } };
    });
    const missing = part === "test" ? [{ file_name: "9.png", objects: { bbox: [], categories: [] } }] : [];
    writeText(
      join(folder, part, "metadata.jsonl"),
      [...lines, ...missing].map((own) => JSON.stringify(own)).join("\n"),
    );
  }
  const profile = await profileData(folder);
  expect(profile.boxes?.parts).toEqual([
    { part: "train", images: 4, boxes: 4 },
    { part: "test", images: 4, boxes: 4 },
  ]);
  expect(profile.split.by).toBe("group");
  expect(textsOf(profile)).toContain('no box to train on is of the class "frame", which other parts have: it is never');
  expect(textsOf(profile)).toContain(
    "1 image that is named and not there, left out where it is trained, such as metadata.jsonl: line 5: 9.png",
  );
});

test("fractions where pixels are due, and no boxes at all, are problems", async () => {
  const folder = join(root, "fractions");
  writeCoco(folder, 2);
  const images = [0, 1].map((i) => ({ id: i, file_name: `00${i}.png`, width: 64, height: 64 }));
  const categories = [{ id: 1, name: "block" }];
  const annotations = [{ id: 1, image_id: 0, category_id: 1, bbox: [0.1, 0.1, 0.5, 0.5] }];
  const path = join(folder, "annotations.json");
  writeText(path, JSON.stringify({ images, categories, annotations }));
  expect(textsOf(await profileData(folder))).toContain("end at 1 at most, as fractions do; write pixels");
  writeText(path, JSON.stringify({ images, categories, annotations: [] }));
  expect(textsOf(await profileData(folder))).toContain("problem: no image has a box");
});

test("labels that are of another form are refused with their line", async () => {
  const folder = join(root, "commas");
  writeYolo(folder, 2);
  const truth = drawScene(join(root, "commas-truth.png"), { seed: 0 });
  writeText(join(folder, "labels", "001.txt"), yoloLines(truth).replaceAll(" ", ","));
  await expect(profileData(folder)).rejects.toThrow(/001\.txt: line 1: .* has "," in it/);
});
