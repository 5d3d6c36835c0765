/** The sizes of anchors that fit the boxes of the data, and the maps of a detector that they stand on. */
import { type Key, Random } from "../../core/random.ts";
import type { AnchorMap } from "../../data/images/boxes.ts";

/** A size in pixels of the square that images are brought into. */
export type Size = readonly [width: number, height: number];

/** Boxes that are clustered at most: more change nothing. */
const mostBoxes = 10_000;
/** Rounds of moving centres. */
const mostRounds = 100;

/** Overlap of two sizes with a common corner: intersection over union. */
export function overlapOfSizes([a, b]: Size, [c, d]: Size): number {
  const shared = Math.min(a, c) * Math.min(b, d);
  return shared / (a * b + c * d - shared);
}

/** The place of the centre that overlaps a size most, and that overlap. */
function nearest(size: Size, centers: readonly Size[]): readonly [place: number, overlap: number] {
  let [place, most] = [0, -1];
  for (const [i, center] of centers.entries()) {
    const overlap = overlapOfSizes(size, center);
    if (overlap > most) [place, most] = [i, overlap];
  }
  return [place, most];
}

/** Sizes that begin: one at random, then each with the chance that it is far from those (k-means++; Arthur and Vassilvitskii 2007). */
function firstCenters(sizes: readonly Size[], count: number, random: Random): Size[] {
  const centers: Size[] = [sizes[random.integer(sizes.length)] as Size];
  while (centers.length < count) {
    const distances = sizes.map((size) => (1 - nearest(size, centers)[1]) ** 2);
    const total = distances.reduce((a, b) => a + b, 0);
    if (total === 0) break; // no more sizes are different
    let rest = random.uniform() * total;
    const chosen = distances.findIndex((distance) => {
      rest -= distance;
      return distance > 0 && rest <= 0;
    });
    centers.push(sizes[chosen < 0 ? distances.findLastIndex((distance) => distance > 0) : chosen] as Size);
  }
  return centers;
}

/**
 * So many sizes, the smallest area first, that overlap those of boxes well: k-means with 1 - intersection over union as the distance (Redmon
 * and Farhadi 2017, YOLO9000, section 2, "Dimension Clusters"). Fewer where the boxes have fewer different sizes.
 */
export function clusterSizes(boxes: readonly Size[], count: number, key: Key): readonly Size[] {
  const random = new Random(key);
  const drawn = boxes.length <= mostBoxes ? boxes.keys() : random.permutation(boxes.length).subarray(0, mostBoxes);
  const sizes = Array.from(drawn, (i) => boxes[i] as Size);
  let centers: readonly Size[] = firstCenters(sizes, count, random);
  let owners: readonly number[] = [];
  for (let round = 0; round < mostRounds; round++) {
    const own = sizes.map((size) => nearest(size, centers)[0]);
    if (own.every((center, i) => center === owners[i])) break;
    owners = own;
    const sums = centers.map(() => [0, 0, 0] as [number, number, number]);
    for (const [i, center] of own.entries()) {
      const [sum, [width, height]] = [sums[center], sizes[i]] as [[number, number, number], Size];
      sum[0] += width;
      sum[1] += height;
      sum[2]++;
    }
    centers = sums.map(([width, height, n], i) => (n === 0 ? (centers[i] as Size) : [width / n, height / n]));
  }
  return centers.toSorted((a, b) => a[0] * a[1] - b[0] * b[1]);
}

/** Mean overlap of boxes with the size that fits each best: how well anchors cover the data. */
export const coverOf = (boxes: readonly Size[], sizes: readonly Size[]): number =>
  boxes.reduce((sum, box) => sum + nearest(box, sizes)[1], 0) / boxes.length;

/** Pixels from one cell of the finest map to the next. */
const finest = 8;
/** Cells that the side of an object takes at most on its map: a cell of the next coarser map sees more of a larger one. */
const mostCells = 3;

/**
 * The maps of a detector for a square of `side` pixels, from a cell of 8 pixels on, each twice as coarse as the one before: two, or three where
 * objects are large. Each size stands on the map for objects as large as it; a map that would have none has the nearest size.
 */
export function mapsFor(sizes: readonly Size[], side: number): readonly AnchorMap[] {
  const extentOf = ([width, height]: Size) => Math.sqrt(width * height);
  const levelOf = (size: Size) => Math.max(0, Math.ceil(Math.log2(extentOf(size) / (mostCells * finest))));
  const levels = Math.min(3, Math.max(2, 1 + Math.max(...sizes.map(levelOf))));
  return Array.from({ length: levels }, (_, level) => {
    const own = sizes.filter((size) => Math.min(levels - 1, levelOf(size)) === level);
    const closest = level === 0 ? sizes[0] : sizes.at(-1);
    return { cells: side / (finest * 2 ** level), sizes: own.length > 0 ? own : [closest as Size] };
  });
}
