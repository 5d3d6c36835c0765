/** Simple ways beside a detector, on the same images: the usual boxes of each class, and those of the images that look most alike. */
import { appendTo } from "../../core/lists.ts";
import { foldIn, type Key, keyOf, Random } from "../../core/random.ts";
import { type Box, overlapOf } from "../../data/images/boxes.ts";
import type { BaselineResult } from "../../train/baselines/baseline.ts";
import { type ComparedMetric, comparedResult } from "../../train/baselines/compared-metric.ts";
import type { DetectedImage, Detection } from "../../train/metrics/average-precision.ts";
import { shrink } from "../images/shrink.ts";
import type { PartName } from "../shared/part-samples.ts";
import type { BoxSample } from "./box-samples.ts";
import { detectionFigures } from "./found-objects.ts";

/** What a way finds in an image. */
type Finds = (sample: BoxSample, place: number) => readonly Detection[];

/** A way with one setting. */
interface Attempt {
  readonly settings: string;
  /** In a part whose samples are asked by their places. */
  in(part: PartName): Finds;
}

type Parts = Readonly<Record<PartName, readonly BoxSample[]>>;

/** What ways are held against a detector by; settings are chosen by the first. */
const metrics: readonly ComparedMetric[] = ["mAP@0.5", "mAP@[.5:.95]"];

/** Boxes of a class that are usual. */
const usualCounts = [1, 2, 4, 8, 16, 32] as const;
/** Images that are near. */
const neighbours = [1, 3, 5, 10] as const;
/** Boxes that are found in an image at most, and boxes of a class that are grouped. */
const [mostFound, mostGrouped] = [400, 2000];
/** Numbers of small images that are compared at most, in some ten seconds: of many images some are drawn at random. */
const mostNumbers = 1e10;
/** Rows and columns of the small images that are compared. */
const thumbnailSide = 16;
/** Rounds of moving centres. */
const mostRounds = 50;
/** Overlap from which two boxes of a class are one. */
const sameFrom = 0.5;

/** Squared distance of rows of numbers. */
function distanceOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return sum;
}

/** Mean boxes of so many groups of boxes in a random order, by k-means on their edges, with the number of boxes in each. */
function clustersOf(boxes: readonly Box[], count: number) {
  let centers: readonly Box[] = boxes.slice(0, count);
  let sizes: number[] = [];
  for (let round = 0; round < mostRounds; round++) {
    const sums = centers.map(() => [0, 0, 0, 0, 0]);
    for (const box of boxes) {
      const distances = centers.map((center) => distanceOf(center, box));
      const sum = sums[distances.indexOf(Math.min(...distances))] as number[];
      for (const [i, edge] of box.entries()) sum[i] = (sum[i] as number) + edge;
      sum[4] = (sum[4] as number) + 1;
    }
    sizes = sums.map(([, , , , n = 0]) => n);
    const next = sums.map(
      ([a = 0, b = 0, c = 0, d = 0, n = 0], i): Box => (n === 0 ? (centers[i] as Box) : [a / n, b / n, c / n, d / n]),
    );
    if (next.every((center, i) => distanceOf(center, centers[i] as Box) === 0)) break;
    centers = next;
  }
  return centers.map((box, i) => ({ box, count: sizes[i] as number }));
}

/** The same boxes in every image: of each class the middles of groups of its boxes, as sure as such a box is usual in an image. */
function usualBoxes({ train }: Parts, key: Key): readonly Attempt[] {
  const byClass = new Map<number, Box[]>();
  for (const { truth } of train) for (const { box, label } of truth) appendTo(byClass, label, box);
  const counts = usualCounts.filter((count, i) => i === 0 || count * byClass.size <= mostFound);
  return counts.map((count) => {
    const found = [...byClass].flatMap(([label, all]) => {
      const own = foldIn(key, "usual", label);
      const boxes = [...new Random(own).permutation(all.length).subarray(0, mostGrouped)].map((i) => all[i] as Box);
      return clustersOf(boxes, Math.min(count, boxes.length)).map(
        (group): Detection => ({
          ...{ box: group.box, label },
          score: ((group.count / boxes.length) * all.length) / train.length,
        }),
      );
    });
    return { settings: `${count} of each class`, in: () => () => found };
  });
}

/** Detections without those that overlap a surer one of their class by half. */
function distinct(found: readonly Detection[]): readonly Detection[] {
  const kept: Detection[] = [];
  for (const own of found)
    if (!kept.some(({ box, label }) => label === own.label && overlapOf(box, own.box) > sameFrom)) kept.push(own);
  return kept;
}

/** A small image of a sample. */
async function thumbnailOf(sample: BoxSample): Promise<Float32Array> {
  const { data, shape } = await sample.pixels();
  const [channels = 1, height = 1, width = 1] = shape;
  return shrink({ channels, height, width, bytes: data }, thumbnailSide, thumbnailSide);
}

/** The boxes of the images to train on that look most alike, when both are small: those of nearer ones are surer. */
async function nearestImages(parts: Parts, key: Key): Promise<readonly Attempt[]> {
  const asked = parts.validation.length + parts.test.length;
  const most = Math.max(1, Math.floor(mostNumbers / (asked * thumbnailSide ** 2)));
  const order = new Random(foldIn(key, "compared")).permutation(parts.train.length).subarray(0, most);
  const known = Array.from(order, (i) => parts.train[i] as BoxSample);
  const small: Float32Array[] = [];
  for (const sample of known) small.push(await thumbnailOf(sample));
  const nearest = async (samples: readonly BoxSample[]) => {
    const ranked: (readonly number[])[] = [];
    for (const sample of samples) {
      const own = await thumbnailOf(sample);
      const distances = small.map((other) => distanceOf(own, other));
      const places = distances.map((_, i) => i).sort((a, b) => (distances[a] as number) - (distances[b] as number));
      ranked.push(places.slice(0, Math.max(...neighbours)));
    }
    return ranked;
  };
  const ranked = { train: [], validation: await nearest(parts.validation), test: await nearest(parts.test) };
  const left = known.length < parts.train.length ? `, of ${known.length} images` : "";
  return neighbours.map((k) => ({
    settings: `k = ${k}${left}`,
    in: (part) => (_, place) =>
      distinct(
        (ranked[part][place] ?? [])
          .slice(0, k)
          .flatMap((i, rank) => (known[i] as BoxSample).truth.map((own) => ({ ...own, score: 1 / (1 + rank) }))),
      ),
  }));
}

/** What simple ways reach on the test, each with the setting that is best on the validation part. */
export async function baselinesOfBoxes(
  parts: Parts,
  { seed }: { readonly seed: number },
): Promise<readonly BaselineResult[]> {
  const key = foldIn(keyOf(seed), "baselines");
  const ways = {
    "usual boxes of each class": async () => usualBoxes(parts, key),
    "boxes of the nearest images": () => nearestImages(parts, key),
  };
  const figuresIn = (attempt: Attempt, part: PartName): Readonly<Record<string, number>> => {
    const find = attempt.in(part);
    const images = parts[part].map((sample, place): DetectedImage => ({ ...sample, found: find(sample, place) }));
    return detectionFigures(images);
  };
  const results: BaselineResult[] = [];
  for (const [name, attemptsOf] of Object.entries(ways)) {
    const began = performance.now();
    const reached = (await attemptsOf()).map((attempt) => ({ attempt, validation: figuresIn(attempt, "validation") }));
    const figure = (figures: Readonly<Record<string, number>>, metric: ComparedMetric) =>
      figures[comparedResult(metric)] ?? Number.NaN;
    const by = metrics[0] as ComparedMetric;
    const [best] = reached.toSorted((a, b) => figure(b.validation, by) - figure(a.validation, by));
    if (!best) continue;
    const test = figuresIn(best.attempt, "test");
    const seconds = (performance.now() - began) / 1000;
    for (const metric of metrics)
      results.push({
        ...{ name, settings: best.attempt.settings, metric, seconds },
        validation: figure(best.validation, metric),
        test: figure(test, metric),
      });
  }
  return results;
}
