/** The side of the square that images are brought into: large enough for the boxes, small enough for the time. */
import type { Extents } from "../../data/images/padding.ts";

/** Sides of squares, whose maps of cells of 8, 16 and 32 pixels come out even. */
export const sides = [64, 96, 128, 160, 192, 224, 256, 320, 384, 416, 512] as const;

/** What a side is chosen by. */
export interface SideRequest {
  /** What is asked for; 0: nothing. */
  readonly side: number;
  /** Seconds to train in. */
  readonly seconds: number;
  /** The size of most images. */
  readonly usual: Extents;
  /** How many images there are. */
  readonly images: number;
  /** The sides of boxes, roots of their areas, as shares of their images' longer sides. */
  readonly boxes: readonly number[];
}

/** Side that is large enough for most things. */
const usualSide = 128;
/** Pixels that the side of all but the smallest tenth of boxes is to have. */
const wantedExtent = 14;
/** Passes over the images that there is to be time for. */
const passes = 60;
/** Pixels that are trained on in a second by one core: a constant, so that the same data and time give the same side anywhere. */
const pixelsInSecond = 2_000_000;
/** Share of the images that is trained on. */
const trainedShare = 0.69;

/** The side, and why. */
export function chooseSide({ side, seconds, usual, images, boxes }: SideRequest): {
  readonly side: number;
  readonly why: string;
} {
  if (side > 0) return { side, why: "as asked" };
  const sorted = boxes.toSorted((a, b) => a - b);
  const small = sorted[Math.floor(0.1 * sorted.length)] ?? 1;
  const up = (least: number) => sides.find((own) => own >= least) ?? (sides.at(-1) as number);
  const own = up(Math.max(usual.width, usual.height));
  const wanted = Math.min(own, Math.max(usualSide, up(wantedExtent / small)));
  const affordable = Math.sqrt((seconds * pixelsInSecond) / (passes * trainedShare * images));
  const inTime = sides.findLast((known) => known <= affordable) ?? sides[0];
  return wanted <= inTime
    ? { side: wanted, why: `by the images, ${usual.width} x ${usual.height}, and the boxes; --size says otherwise` }
    : {
        side: inTime,
        why: `${wanted} would suit the boxes, for which the time is too short; --minutes or --size says otherwise`,
      };
}
