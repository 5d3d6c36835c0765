/** Average precision: how well a detector finds objects, over all thresholds of how sure it is. */
import { type LabelledBox, overlapOf, sharedArea } from "../../data/images/boxes.ts";

/** An object that a detector found. */
export interface Detection extends LabelledBox {
  /** How sure it is; detections are ranked by it. */
  readonly score: number;
}

/** What a detector found in an image, and what is in it. */
export interface DetectedImage {
  /** The detections. */
  readonly found: readonly Detection[];
  /** The objects that there are. */
  readonly truth: readonly LabelledBox[];
  /** Crowds of objects that are not told apart: what is found in them is neither right nor wrong; default none. */
  readonly crowds?: readonly LabelledBox[];
}

/**
 * Whether each detection of one class is right, the surest first: it is when the object of the class that it overlaps most is
 * overlapped by `threshold` at least and no surer detection had it. A wrong one that lies in a crowd of the class by `threshold` of its
 * area is left out, as COCO has it.
 */
function judged(images: readonly DetectedImage[], label: number, threshold: number): boolean[] {
  const ranked = images
    .flatMap(({ found, truth, crowds = [] }) =>
      found.filter((own) => own.label === label).map((own) => ({ ...own, truth, crowds })),
    )
    .sort((a, b) => b.score - a.score);
  const taken = new Set<LabelledBox>();
  return ranked.flatMap(({ box, truth, crowds }) => {
    let [most, object]: [number, LabelledBox | undefined] = [0, undefined];
    for (const own of truth) {
      const overlap = own.label === label ? overlapOf(box, own.box) : 0;
      if (overlap > most) [most, object] = [overlap, own];
    }
    if (!object || most < threshold || taken.has(object)) {
      const area = sharedArea(box, box);
      return crowds.some((own) => own.label === label && sharedArea(box, own.box) >= threshold * area) ? [] : [false];
    }
    taken.add(object);
    return [true];
  });
}

/**
 * Area under the curve of precision over recall, precision being at each recall the best at that or any higher one: of ranked
 * detections, right or wrong, and the number of objects (PASCAL VOC 2010 and later; Everingham et al. 2015, sec. 4.2).
 */
export function areaUnderPrecision(right: readonly boolean[], objects: number): number {
  let hits = 0;
  const precisions = right.map((isRight, i) => {
    if (isRight) hits++;
    return hits / (i + 1);
  });
  for (let i = precisions.length - 2; i >= 0; i--) precisions[i] = Math.max(precisions[i] ?? 0, precisions[i + 1] ?? 0);
  return precisions.reduce((sum, precision, i) => sum + (right[i] ? precision / objects : 0), 0);
}

/** The overlaps over which COCO averages: 0.5, 0.55, … 0.95. */
export const cocoOverlaps: readonly number[] = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100);

/**
 * Mean over the classes that occur of their average precision at an overlap (intersection over union) of `threshold`, by
 * default a half: "mAP@0.5"; of several the mean: `cocoOverlaps` for "mAP@[.5:.95]", with the area under the whole curve where COCO
 * adds up 101 of its points. NaN when no image has an object.
 * @example meanAveragePrecision([{ found: [{ box: [0, 0, 9, 9], label: 3, score: 0.8 }], truth: [{ box: [0, 0, 9, 8], label: 3 }] }]) // 1
 */
export function meanAveragePrecision(
  images: readonly DetectedImage[],
  threshold: number | readonly number[] = 0.5,
): number {
  const counts = new Map<number, number>();
  for (const { truth } of images) for (const { label } of truth) counts.set(label, (counts.get(label) ?? 0) + 1);
  const thresholds = typeof threshold === "number" ? [threshold] : threshold;
  const areas = [...counts].flatMap(([label, objects]) =>
    thresholds.map((own) => areaUnderPrecision(judged(images, label, own), objects)),
  );
  return areas.reduce((sum, area) => sum + area, 0) / areas.length;
}
