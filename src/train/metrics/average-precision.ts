/** Average precision: how well a detector finds objects, over all thresholds of how sure it is. */
import { greatest } from "../../core/lists.ts";
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

/** A detection as it is judged. */
interface Judged {
  readonly score: number;
  /** The object of its class that it overlaps most, and by how much. */
  readonly object: LabelledBox | undefined;
  readonly overlap: number;
  /** The largest share of its area that lies in a crowd of its class. */
  readonly crowded: number;
}

/** The detections of each class that occurs, the surest first, and the number of its objects. */
function judgedByClass(images: readonly DetectedImage[]) {
  const classes = new Map<number, { objects: number; readonly found: Judged[] }>();
  for (const { truth } of images)
    for (const { label } of truth) {
      const own = classes.get(label) ?? { objects: 0, found: [] };
      classes.set(label, own);
      own.objects++;
    }
  for (const { found, truth, crowds = [] } of images)
    for (const { box, label, score } of found) {
      let [overlap, object]: [number, LabelledBox | undefined] = [0, undefined];
      for (const own of truth) {
        const shared = own.label === label ? overlapOf(box, own.box) : 0;
        if (shared > overlap) [overlap, object] = [shared, own];
      }
      const inCrowds = crowds.flatMap((own) => (own.label === label ? sharedArea(box, own.box) : []));
      const crowded = greatest(inCrowds, 0) / sharedArea(box, box);
      classes.get(label)?.found.push({ score, object, overlap, crowded });
    }
  for (const { found } of classes.values()) found.sort((a, b) => b.score - a.score);
  return [...classes.values()];
}

/**
 * Whether each detection of one class is right, of those that are ranked: it is when the object of the class that it overlaps most is
 * overlapped by `threshold` at least and no surer detection had it. A wrong one that lies in a crowd of the class by `threshold` of its
 * area is left out, as COCO has it.
 */
function areRight(ranked: readonly Judged[], threshold: number): boolean[] {
  const taken = new Set<LabelledBox>();
  return ranked.flatMap(({ object, overlap, crowded }) => {
    if (object && overlap >= threshold && !taken.has(object)) {
      taken.add(object);
      return [true];
    }
    return crowded >= threshold ? [] : [false];
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
  const thresholds = typeof threshold === "number" ? [threshold] : threshold;
  const areas = judgedByClass(images).flatMap(({ objects, found }) =>
    thresholds.map((own) => areaUnderPrecision(areRight(found, own), objects)),
  );
  return areas.reduce((sum, area) => sum + area, 0) / areas.length;
}
