/** What a detector finds in images with boxes: read off the outputs of its graph, beside what is there. */
import { Tensor } from "../../core/tensor.ts";
import { scaleBytes } from "../../data/images/bytes.ts";
import {
  cocoOverlaps,
  type DetectedImage,
  type Detection,
  meanAveragePrecision,
} from "../../train/metrics/average-precision.ts";
import type { BoxSample } from "./box-samples.ts";

/** The objects in rows [objects, 6] of an ObjectFinder's output, the surest first, without those that stand for nothing. */
export function objectsIn({ data }: Tensor): Detection[] {
  const rows = data as Float32Array;
  return Array.from({ length: rows.length / 6 }, (_, i) => {
    const [left = 0, top = 0, right = 0, bottom = 0, label = 0, score = 0] = rows.subarray(6 * i, 6 * i + 6);
    return { box: [left, top, right, bottom] as const, label, score };
  })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
}

/** Images that are searched at once. */
const atOnce = 16;

/** What is found in samples. @param ask an ObjectFinder: images [N, channels, side, side] from 0 to 1 → [N, objects, 6] */
export async function searchSamples(
  samples: readonly BoxSample[],
  ask: (images: Tensor) => Promise<Tensor>,
): Promise<readonly DetectedImage[]> {
  const scale = scaleBytes();
  const results: DetectedImage[] = [];
  for (let start = 0; start < samples.length; start += atOnce) {
    const own = samples.slice(start, start + atOnce);
    const images = await Promise.all(own.map((sample) => sample.pixels()));
    const [{ shape, data: first }] = images as [Tensor<"uint8">];
    const bytes = new Uint8Array(images.length * first.length);
    for (const [i, { data }] of images.entries()) bytes.set(data, i * first.length);
    const rows = await ask(scale({ x: new Tensor("uint8", [images.length, ...shape], bytes) }).x);
    const size = rows.data.length / images.length;
    for (const [i, { truth, crowds }] of own.entries()) {
      const part = (rows.data as Float32Array).slice(i * size, (i + 1) * size);
      results.push({ truth, crowds, found: objectsIn(new Tensor("float32", [size / 6, 6], part)) });
    }
  }
  return results;
}

/** How well objects are found: at an overlap of a half, and in the mean over COCO's overlaps. NaN where there are no objects. */
export const detectionFigures = (images: readonly DetectedImage[]) => ({
  mAP: meanAveragePrecision(images),
  mAP_50_95: meanAveragePrecision(images, cocoOverlaps),
});
