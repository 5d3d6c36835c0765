/** Images as they are trained on: changed at random, and once more mirrored. */
import { foldIn, type Key, type Random } from "../../core/random.ts";
import { augment, crop, flip, type ImageTransform, rotate, scale } from "../../data/images/augment.ts";
import { scaleBytes } from "../../data/images/bytes.ts";
import type { Batch, Dataset, Labelled } from "../../data/pipeline/dataset.ts";
import { rowwise } from "../../data/pipeline/rowwise.ts";
import { eitherOrBoth } from "../shared/candidate-objective.ts";

/** The networks of images: one sees them as they are, one also mirrored. */
export const imageChoices = eitherOrBoth(["plain", "mirrored"]);

/** How images may be changed while they are trained on. */
export const augmentations = ["none", "mild", "strong"] as const;
/** How much images are changed while they are trained on. */
export type Augmentation = (typeof augmentations)[number];

/** How images are changed. */
export interface ViewOptions {
  /** How much. */
  readonly amount: Augmentation;
  /** Rows and columns of pixels. */
  readonly side: number;
  /** Start of all randomness. */
  readonly key: Key;
  /** Whether there is a view of mirrored images. */
  readonly mirrors: boolean;
}

/** Share of its side by which an image may be moved. */
const moved = 0.08;

/** Bytes of batches as numbers, in the views of the networks, changed at random as much as asked. */
export function imageViews(batches: Dataset<Labelled>, { amount, side, key, mirrors }: ViewOptions): Dataset<Batch> {
  const scaled = batches.map(scaleBytes());
  if (amount === "none")
    return mirrors
      ? scaled.map(rowwise(({ x, y }: Labelled) => ({ x, changed: x, y })))
      : scaled.map(rowwise(({ x, y }: Labelled) => ({ x, y })));
  const shift = crop({ padding: Math.max(1, Math.round(moved * side)), fill: "nearest" });
  const changes: readonly ImageTransform[] =
    amount === "mild" ? [shift] : [rotate([-10, 10]), scale([0.9, 1.1]), shift];
  const mirror = flip("horizontal");
  const changed = scaled.map(augment(...changes), foldIn(key, "augment"));
  if (!mirrors) return changed.map(rowwise(({ x, y }: Labelled) => ({ x, y })));
  return changed.map(
    rowwise(({ x, y }: Labelled, random: Random) => ({ x, changed: mirror(x, random), y })),
    foldIn(key, "mirror"),
  );
}
