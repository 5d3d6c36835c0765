/** Images with boxes as a task: in squares, in parts, with anchors; what is left out, what is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { baselinesOfBoxes } from "./box-baselines.ts";
import type { BoxSample } from "./box-samples.ts";
import { chooseSide } from "./choose-side.ts";
import { type BoxesRequest, loadBoxes } from "./load-boxes.node.ts";
import { drawScene, sceneClasses, writeCoco, writeText, writeYolo, yoloLines } from "./testing/draw-scenes.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-load-boxes-"));
afterAll(() => rmSync(folder, { recursive: true }));

const load = (path: string, more: Partial<BoxesRequest> = {}) =>
  loadBoxes({ path, side: 64, seconds: 60, seed: 0, limit: undefined, ...more });

/** What samples hold, in an order that parts do not change. */
const boxesOf = (samples: readonly BoxSample[]) => samples.flatMap(({ truth }) => truth);

describe("scenes in COCO's form and in YOLO's", () => {
  const [coco, yolo] = [join(folder, "coco"), join(folder, "yolo")];
  beforeAll(() => {
    writeCoco(coco, 40);
    writeYolo(yolo, 40);
    writeText(join(yolo, "data.yaml"), `names: [${sceneClasses.join(", ")}]\n`);
  });

  test("are the same task", async () => {
    const [a, b] = [await load(coco), await load(yolo)];
    expect(a.classes).toEqual(["block", "frame"]);
    expect(b.classes).toEqual(a.classes);
    expect(a.extents).toEqual({ height: 64, width: 64, channels: 1 });
    const sizes = ({ parts: { train, validation, test } }: typeof a) => [train.length, validation.length, test.length];
    expect(sizes(a)).toEqual([27, 5, 8]);
    expect(sizes(b)).toEqual(sizes(a));
    for (const part of ["train", "validation", "test"] as const)
      for (const [i, { box, label }] of boxesOf(a.parts[part]).entries()) {
        const other = boxesOf(b.parts[part])[i];
        expect(other?.label).toBe(label);
        expect(box.map((edge, at) => Math.abs(edge - (other?.box[at] ?? 99))).every((off) => off < 1e-6)).toBe(true);
      }
    expect(a.maps.flatMap(({ sizes: own }) => own).length).toBeGreaterThanOrEqual(7);
    expect(a.most).toBeGreaterThanOrEqual(1);
    expect(a.notes[0]).toMatch(
      /^boxes in COCO's form: 27 images to train on with \d+ boxes of 2 classes, 5 to choose by, 8/,
    );
    // The same again, and others of another seed.
    expect((await load(coco)).parts.test.map(({ path }) => path)).toEqual(a.parts.test.map(({ path }) => path));
    expect((await load(coco, { seed: 1 })).parts.test.map(({ path }) => path)).not.toEqual(
      a.parts.test.map(({ path }) => path),
    );
    expect(sizes(await load(coco, { limit: 20 })).reduce((sum, own) => sum + own)).toBe(20);
  });

  test("what is simple is measured on the same images, its settings chosen on others", async () => {
    const { parts } = await load(coco);
    const results = await baselinesOfBoxes(parts, { seed: 0 });
    expect(results.map(({ name, metric }) => [name, metric])).toEqual([
      ["usual boxes of each class", "mAP@0.5"],
      ["usual boxes of each class", "mAP@[.5:.95]"],
      ["boxes of the nearest images", "mAP@0.5"],
      ["boxes of the nearest images", "mAP@[.5:.95]"],
    ]);
    for (const { test: reached } of results) expect(reached).toBeLessThan(0.5);
    // Where the test has the images to train on, the nearest image says all.
    const same = await baselinesOfBoxes({ ...parts, validation: parts.train, test: parts.train }, { seed: 0 });
    expect(same[2]).toMatchObject({ settings: "k = 1", test: expect.closeTo(1, 9), validation: expect.closeTo(1, 9) });
    // Where all boxes are one, so does the usual box.
    const one = parts.train.map((own) => ({ ...own, truth: [{ box: [4, 4, 20, 20] as const, label: 0 }] }));
    const [usual] = await baselinesOfBoxes({ train: one, validation: one, test: one }, { seed: 0 });
    expect(usual).toMatchObject({ test: expect.closeTo(1, 9), settings: "1 of each class" });
  });
});

test("images of other proportions lie in the middle, their boxes with them", async () => {
  const path = join(folder, "wide");
  writeCoco(path, 12, { width: 96, height: 48, channels: 3 });
  const { parts, extents } = await load(path);
  expect(extents.channels).toBe(3);
  const [sample] = parts.train as [BoxSample];
  const { data, shape } = await sample.pixels();
  expect(shape).toEqual([3, 64, 64]);
  expect([data[0], data[15 * 64], data[63 * 64]]).toEqual([114, 114, 114]); // above 16 rows, below 16
  // Objects are red: what is in the middle of a block, or on the edge of a frame, is bright in the first channel.
  const [{ box, label }] = sample.truth as [BoxSample["truth"][number]];
  const [left, top, right, bottom] = box;
  const [x, y] = label === 0 ? [(left + right) / 2, (top + bottom) / 2] : [left + 1, (top + bottom) / 2];
  expect(data[Math.floor(y) * 64 + Math.floor(x)]).toBeGreaterThan(150);
  expect(top).toBeGreaterThanOrEqual(16);
  expect(bottom).toBeLessThanOrEqual(48);
});

test("parts that folders tell are kept, and a class that is not trained on is said", async () => {
  const path = join(folder, "roboflow");
  for (const [part, count, seed] of [
    ["train", 20, 0],
    ["valid", 6, 100],
    ["test", 6, 200],
  ] as const)
    writeYolo(join(path, part), count, seed);
  const first = readFileSync(join(path, "test", "labels", "000.txt"), "utf8");
  writeFileSync(join(path, "test", "labels", "000.txt"), `${first}2 0.5 0.5 0.5 0.5\n`);
  writeText(join(path, "data.yaml"), "names: [block, frame, star]");
  // An image to test on that is also in the part to train on.
  writeFileSync(join(path, "train", "images", "copy.png"), readFileSync(join(path, "test", "images", "001.png")));
  writeText(join(path, "train", "labels", "copy.txt"), readFileSync(join(path, "test", "labels", "001.txt"), "utf8"));
  const { classes, parts, notes } = await load(path);
  expect([parts.train.length, parts.validation.length, parts.test.length]).toEqual([20, 6, 6]);
  expect(classes).toEqual(["block", "frame"]);
  expect(boxesOf(parts.test).filter(({ label }) => label === 2)).toHaveLength(1);
  expect(notes.join("\n")).toMatch(/no box to train on is of the class "star": it is never found, and counts so/);
  expect(notes.join("\n")).toMatch(/1 image of the part to train on also lies in one to measure by/);
});

test("a part without a box is not annotated, and another is measured by", async () => {
  const path = join(folder, "unlabelled");
  for (const [part, count, seed] of [
    ["train", 20, 0],
    ["valid", 6, 100],
    ["test", 6, 200],
  ] as const)
    writeYolo(join(path, part), count, seed);
  rmSync(join(path, "test", "labels"), { recursive: true });
  const { parts, notes } = await load(path);
  expect(notes.join("\n")).toMatch(/no image of the part "test" has a box: it is not measured by/);
  expect(parts.test.map(({ path: own }) => own).every((own) => own.includes("valid"))).toBe(true);
  expect(parts.train.length + parts.validation.length).toBe(20);
});

test("boxes beyond images are cut, others left out, broken images too, and all of it is said", async () => {
  const path = join(folder, "beyond");
  writeCoco(path, 14);
  const file = join(path, "annotations.json");
  const content = JSON.parse(readFileSync(file, "utf8"));
  const add = (bbox: readonly number[], more: object = {}) =>
    content.annotations.push({ id: content.annotations.length + 1, image_id: 100, category_id: 7, bbox, ...more });
  const before = content.annotations.filter(({ image_id }: { image_id: number }) => image_id === 100).length;
  add([-10, 60, 20, 20]);
  add([70, 10, 5, 5]);
  add([10, 10, 0, 5]);
  add([10, 10, 5, -5]);
  add([0, 0, 64, 64], { iscrowd: 1 });
  content.images[3].width = 32; // of the shape of another image
  writeFileSync(join(path, "images", "005.png"), "no image");
  writeFileSync(file, JSON.stringify(content));
  const { parts, notes } = await load(path);
  const all = [...parts.train, ...parts.validation, ...parts.test];
  expect(all).toHaveLength(12);
  const own = all.find((sample) => sample.path.endsWith("000.png")) as BoxSample;
  expect(own.truth).toHaveLength(before + 1);
  expect(own.truth.at(-1)?.box).toEqual([0, 60, 10, 64]);
  expect(own.crowds).toEqual([{ box: [0, 0, 64, 64], label: 0 }]);
  const said = notes.join("\n");
  expect(said).toMatch(/left out: 2 boxes of no area, such as annotations\.json: annotation/);
  expect(said).toMatch(/left out: 1 box outside its image, such as annotations\.json: annotation/);
  expect(said).toMatch(
    /left out: 1 image of another shape than its annotations say, such as .*003\.png \(32 x 64 where the file has 64 x 64\)/,
  );
  expect(said).toMatch(/left out: 1 image that cannot be read, such as .*005\.png/);
});

test("annotations of an image that was enlarged count in their own pixels", async () => {
  const path = join(folder, "enlarged");
  writeCoco(path, 12);
  const file = join(path, "annotations.json");
  const content = JSON.parse(readFileSync(file, "utf8"));
  const whole = await load(path);
  for (const image of content.images) [image.width, image.height] = [640, 640];
  for (const own of content.annotations) own.bbox = own.bbox.map((value: number) => 10 * value);
  writeFileSync(file, JSON.stringify(content));
  const { parts } = await load(path);
  expect(boxesOf(parts.train)).toEqual(boxesOf(whole.parts.train));
});

test("too little, and fractions for pixels, are refused", async () => {
  const few = join(folder, "few");
  writeCoco(few, 5);
  await expect(load(few)).rejects.toThrow(/has 5 images with \d+ boxes, too few to train on and test; pass 10/);
  const none = join(folder, "none");
  for (let i = 0; i < 12; i++) {
    drawScene(join(none, "images", `${i}.png`), { seed: i });
    writeText(join(none, "labels", `${i}.txt`), "5 0.5 0.5 1 1");
  }
  writeText(join(none, "data.yaml"), "names: [block]");
  await expect(load(none)).rejects.toThrow(
    /12 images with 0 boxes, .* \(left out: 12 boxes of classes that there are not/,
  );
  const fractions = join(folder, "fractions");
  writeCoco(fractions, 12);
  const file = join(fractions, "annotations.json");
  const content = JSON.parse(readFileSync(file, "utf8"));
  for (const own of content.annotations) own.bbox = own.bbox.map((value: number) => value / 64);
  writeFileSync(file, JSON.stringify(content));
  await expect(load(fractions)).rejects.toThrow(/annotation 1 and all other boxes end at 1 at most, as fractions do/);
});

test("the side goes by the boxes and the time, and what is asked for counts", () => {
  const request = { side: 0, seconds: 600, usual: { width: 640, height: 480 }, images: 200, boxes: [0.3, 0.5] };
  expect(chooseSide(request).side).toBe(128);
  expect(chooseSide({ ...request, boxes: [0.05, 0.3] }).side).toBe(320);
  const short = chooseSide({ ...request, seconds: 60, boxes: [0.05, 0.3] });
  expect(short.side).toBe(96);
  expect(short.why).toMatch(/320 would suit the boxes, for which the time is too short/);
  expect(chooseSide({ ...request, usual: { width: 60, height: 90 } }).side).toBe(96);
  expect(chooseSide({ ...request, side: 480 })).toEqual({ side: 480, why: "as asked" });
  expect(yoloLines([{ box: [0, 0, 32, 64], label: 1 }])).toBe("1 0.25 0.5 0.5 1\n");
});
