/** Figures of boxes in images: by class, by image, as shares of their image. */
import { appendTo } from "../../core/lists.ts";
import type { Box } from "../../data/images/boxes.ts";
import type { Extents } from "../../data/images/padding.ts";
import { numberFigures } from "../../data/profile/number-figures.ts";
import type { BoxClass, BoxesProfile } from "../../data/profile/profile.ts";
import type { PartName } from "../shared/part-samples.ts";
import type { AnnotatedImages, LeftOut } from "./annotated-images.ts";
import type { ObjectInImage } from "./place-objects.ts";

/** An image that could be read, with the objects in it. */
export interface ImageWithBoxes {
  /** Of its file, below the folder. */
  readonly name: string;
  readonly part: PartName | undefined;
  readonly extents: Extents;
  readonly objects: readonly ObjectInImage[];
}

/** A box as shares of its image's width, height and area. */
export function shareOf([left, top, right, bottom]: Box, { width, height }: Extents) {
  const [across, down] = [(right - left) / width, (bottom - top) / height];
  return { width: across, height: down, area: across * down };
}

/** Whether an object stands for several, or does not. */
export const isSeveral =
  (several: boolean) =>
  ({ isCrowd }: Pick<ObjectInImage, "isCrowd">): boolean =>
    isCrowd === several;

/** Numbers of boxes that are counted together, from each on. */
const numbers = [
  [0, "none"],
  [1, "1"],
  [2, "2 to 4"],
  [5, "5 to 9"],
  [10, "10 or more"],
] as const;

/** Classes by falling count, with the images and the sizes of each. */
function classesOf(images: readonly ImageWithBoxes[]): readonly BoxClass[] {
  const shares = new Map<string, number[]>();
  const having = new Map<string, Set<string>>();
  for (const { name: image, objects, extents } of images)
    for (const { name, box } of objects.filter(isSeveral(false))) {
      appendTo(shares, name, shareOf(box, extents).area);
      having.set(name, (having.get(name) ?? new Set()).add(image));
    }
  return Array.from(shares, ([value, areas]) => ({
    value,
    count: areas.length,
    images: having.get(value)?.size ?? 0,
    medianShare: numberFigures(Float64Array.from(areas)).quartiles[1],
  })).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}

/** What is known of the boxes of images. */
export function boxesProfile(
  { what, unlabelled = [] }: AnnotatedImages,
  images: readonly ImageWithBoxes[],
  leftOut: LeftOut,
): BoxesProfile {
  const of = (own: readonly ImageWithBoxes[]) => own.reduce((sum, { objects }) => sum + objects.length, 0);
  const single = images.map(({ objects }) => objects.filter(isSeveral(false)).length);
  const parts = (["train", "validation", "test"] as const).flatMap((part) => {
    const own = images.filter((image) => image.part === part);
    return own.length === 0 ? [] : [{ part, images: own.length, boxes: of(own) }];
  });
  return {
    form: what,
    count: of(images),
    crowds: of(images) - single.reduce((sum, own) => sum + own, 0),
    classes: classesOf(images),
    images: numbers.flatMap(([from, value], i) => {
      const below = numbers[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
      const count = single.filter((own) => own >= from && own < below).length;
      return count === 0 ? [] : [{ value, count }];
    }),
    leftOut: leftOut.byReason(),
    unlabelled,
    parts,
  };
}
