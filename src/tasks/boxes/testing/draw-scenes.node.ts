/** Small images of blocks and frames with their boxes, for tests, in each of the forms that are read. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { foldIn, keyOf, Random } from "../../../core/random.ts";
import { Tensor } from "../../../core/tensor.ts";
import { type Box, type LabelledBox, sharedArea } from "../../../data/images/boxes.ts";
import { encodePng } from "../../../draw/png.ts";

/** What the classes of scenes are called. */
export const sceneClasses = ["block", "frame"] as const;

/** A scene to be drawn. */
export interface SceneOptions {
  readonly width?: number;
  readonly height?: number;
  readonly channels?: 1 | 3;
  readonly seed: number;
}

/** Writes an image of up to three objects as a PNG file, and gives them. */
export function drawScene(
  path: string,
  { width = 64, height = 64, channels = 1, seed }: SceneOptions,
): readonly LabelledBox[] {
  const random = new Random(foldIn(keyOf(seed), "scene"));
  const data = new Uint8Array(channels * width * height).map(() => random.integer(50));
  const truth: LabelledBox[] = [];
  for (let wanted = 1 + random.integer(3), tries = 0; truth.length < wanted && tries < 50; tries++) {
    const size = 12 + random.integer(13);
    const [left, top] = [random.integer(width - size), random.integer(height - size)];
    const box: Box = [left, top, left + size, top + size];
    if (truth.some((own) => sharedArea(own.box, box) > 0)) continue;
    const label = random.integer(2);
    for (let y = top; y < top + size; y++)
      for (let x = left; x < left + size; x++) {
        const inside = Math.min(x - left, y - top, left + size - 1 - x, top + size - 1 - y);
        if (label === 0 || inside < 3) data[y * width + x] = 200 + random.integer(50);
      }
    truth.push({ box, label });
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, encodePng(new Tensor("uint8", [channels, height, width], data)));
  return truth;
}

/** Writes a file in a folder that may be new. */
export function writeText(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** The name of a scene, in whose order files are listed. */
const nameOf = (scene: number): string => String(scene).padStart(3, "0");

const sizesOf = ({ box: [left, top, right, bottom] }: LabelledBox) => [left, top, right - left, bottom - top] as const;

/** So many scenes with annotations in COCO's form; ids of categories are 7 and 3. */
export function writeCoco(folder: string, scenes: number, options: Omit<SceneOptions, "seed"> = {}): void {
  const { width = 64, height = 64 } = options;
  const names = Array.from({ length: scenes }, (_, i) => `${nameOf(i)}.png`);
  const truth = names.map((name, seed) => drawScene(join(folder, "images", name), { ...options, seed }));
  const annotations = truth.flatMap((objects, i) =>
    objects.map((own) => ({ image_id: 100 + i, category_id: [7, 3][own.label], bbox: sizesOf(own), iscrowd: 0 })),
  );
  const content = {
    images: names.map((file_name, i) => ({ id: 100 + i, file_name, width, height })),
    annotations: annotations.map((own, i) => ({ id: i + 1, ...own })),
    categories: [
      { id: 7, name: sceneClasses[0] },
      { id: 3, name: sceneClasses[1] },
    ],
  };
  writeText(join(folder, "annotations.json"), JSON.stringify(content));
}

/** The lines of a file of labels in YOLO's form. */
export const yoloLines = (truth: readonly LabelledBox[], width = 64, height = 64): string =>
  truth
    .map((own) => {
      const [left, top, wide, high] = sizesOf(own);
      return `${own.label} ${(left + wide / 2) / width} ${(top + high / 2) / height} ${wide / width} ${high / height}\n`;
    })
    .join("");

/** So many scenes in `images/` with `labels/` in YOLO's form. @param seed of the first */
export function writeYolo(folder: string, scenes: number, seed = 0): void {
  for (let i = 0; i < scenes; i++) {
    const truth = drawScene(join(folder, "images", `${nameOf(i)}.png`), { seed: seed + i });
    writeText(join(folder, "labels", `${nameOf(i)}.txt`), yoloLines(truth));
  }
}
