/** Boxes in images: how far they overlap, the anchors that a detector starts from, and which of them learns which box. */
import { OptionError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";

/** Edges in pixels, those at the right and below just outside. */
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** A box, what is in it, and for a detection how sure that is. */
export interface LabelledBox {
  /** Left, top, right and bottom, in pixels. */
  readonly box: Box;
  /** Class of the object. */
  readonly label: number;
}

const areaOf = ([left, top, right, bottom]: Box): number => Math.max(0, right - left) * Math.max(0, bottom - top);

/** Area that two boxes share, in square pixels; 0 where they do not touch. */
export const sharedArea = (a: Box, b: Box): number =>
  areaOf([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);

/** Overlap of two boxes: intersection over union, from 0 to 1 (Jaccard 1912). */
export function overlapOf(a: Box, b: Box): number {
  const shared = sharedArea(a, b);
  return shared === 0 ? 0 : shared / (areaOf(a) + areaOf(b) - shared);
}

/** Anchors of one feature map: at the centre of every cell one of each size. */
export interface AnchorMap {
  /** Cells in a row, and rows. */
  readonly cells: number;
  readonly sizes: readonly (readonly [width: number, height: number])[];
}

/**
 * The anchors ("default boxes") of a square image of `side` pixels, in the order of a detector's outputs: map by map, row by
 * row, cell by cell, size by size (Liu et al. 2016, SSD, sec. 2.2).
 */
export const anchorsOf = (side: number, maps: readonly AnchorMap[]): Box[] =>
  maps.flatMap(({ cells, sizes }) =>
    Array.from({ length: cells * cells }, (_, cell) => {
      const [x, y] = [cell % cells, Math.floor(cell / cells)].map((at) => ((at + 0.5) * side) / cells) as [
        number,
        number,
      ];
      return sizes.map(([width, height]): Box => [x - width / 2, y - height / 2, x + width / 2, y + height / 2]);
    }).flat(),
  );

const geometryOf = ([left, top, right, bottom]: Box) => ({
  x: (left + right) / 2,
  y: (top + bottom) / 2,
  width: right - left,
  height: bottom - top,
});

/** By how much a network's numbers are smaller than the distances that they stand for, so that their errors weigh alike. */
export const offsetScales = [0.1, 0.1, 0.2, 0.2] as const;

/** What a network is to say of a box at an anchor: its centre in sizes of the anchor, the logarithms of its sizes, scaled (sec. 2.2). */
export function encodeBox(box: Box, anchor: Box): readonly [number, number, number, number] {
  const [own, from] = [geometryOf(box), geometryOf(anchor)];
  return [
    (own.x - from.x) / from.width / offsetScales[0],
    (own.y - from.y) / from.height / offsetScales[1],
    Math.log(own.width / from.width) / offsetScales[2],
    Math.log(own.height / from.height) / offsetScales[3],
  ];
}

/**
 * For every anchor the box that it is to learn, -1 for none: the one that it overlaps most, if by `threshold` or more; and each
 * box takes the anchor that overlaps it most, so that none is without (sec. 2.2, "Matching strategy").
 */
export function matchAnchors(anchors: readonly Box[], boxes: readonly Box[], threshold = 0.5): Int32Array {
  if (!(threshold > 0 && threshold <= 1))
    throw new OptionError(`matchAnchors(): the threshold is ${threshold}; pass a number above 0, at most 1`);
  const matches = new Int32Array(anchors.length).fill(-1);
  const best = boxes.map(() => ({ anchor: 0, overlap: Number.NEGATIVE_INFINITY }));
  for (const [at, anchor] of anchors.entries()) {
    let most = threshold;
    for (const [i, box] of boxes.entries()) {
      const overlap = overlapOf(anchor, box);
      if (overlap >= most) [matches[at], most] = [i, overlap];
      const own = best[i];
      if (own && overlap > own.overlap) [own.anchor, own.overlap] = [at, overlap];
    }
  }
  for (const [i, { anchor }] of best.entries()) matches[anchor] = i;
  return matches;
}

/** Share of an anchor that lies in a crowd, from which it is neither background nor an object. */
const crowdedFrom = 0.5;

/**
 * Targets of a detector's loss for one image, float32 [K, 5]: a class from 1, 0 for background, -1 where `crowds` of objects that are not told
 * apart leave it open, and the box's offsets.
 */
export function detectionTargets(
  anchors: readonly Box[],
  truth: readonly LabelledBox[],
  crowds: readonly LabelledBox[] = [],
): Tensor<"float32"> {
  const data = new Float32Array(5 * anchors.length);
  const matches = matchAnchors(
    anchors,
    truth.map(({ box }) => box),
  );
  for (const [at, match] of matches.entries()) {
    const own = truth[match];
    const anchor = anchors[at] as Box;
    if (own) data.set([own.label + 1, ...encodeBox(own.box, anchor)], 5 * at);
    else if (crowds.some(({ box }) => sharedArea(anchor, box) >= crowdedFrom * areaOf(anchor))) data[5 * at] = -1;
  }
  return new Tensor("float32", [anchors.length, 5], data);
}
