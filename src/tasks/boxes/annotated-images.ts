/** Images and the objects in them as files say, whatever the form of the files; and what was left out of those. */
import { plural } from "../../core/number-text.ts";
import type { Box } from "../../data/images/boxes.ts";
import type { Extents } from "../../data/images/padding.ts";
import type { LeftOutBoxes } from "../../data/profile/profile.ts";
import type { PartName } from "../shared/part-samples.ts";

/** An object as a file says it. */
export interface Annotation {
  /** The name of its class. */
  readonly label: string;
  /** In pixels of the image, or in fractions of its width and height: see `AnnotatedImages.unit`. */
  readonly box: Box;
  /** Whether it is many objects that are not told apart. */
  readonly isCrowd: boolean;
  /** Where it stands, for messages: "labels/1.txt: line 3". */
  readonly where: string;
}

/** An image with its objects, which may be none. */
export interface AnnotatedImage {
  readonly path: string;
  /** Where the data say what it is for. */
  readonly part: PartName | undefined;
  /** The size that the file of annotations says; default it does not. */
  readonly size?: Extents;
  readonly objects: readonly Annotation[];
}

/** All images of the data. */
export interface AnnotatedImages {
  readonly images: readonly AnnotatedImage[];
  readonly unit: "pixels" | "fractions";
  /** Names of classes, in the order of the files; those that no object has may be among them. */
  readonly names: readonly string[];
  /** In a few words: "boxes in COCO's form". */
  readonly what: string;
  /** Images that have no file of labels where each has one of its own; default none. They are taken for images without objects. */
  readonly unlabelled?: readonly string[];
}

/** What is wrong where boxes that ought to be in pixels are all fractions. */
export function fractionsInPixels({ images, unit }: AnnotatedImages): string | undefined {
  const objects = images.flatMap(({ objects }) => objects);
  const [first] = objects;
  return unit === "pixels" && first && objects.every(({ box }) => Math.max(...box) <= 1)
    ? `${first.where} and all other boxes end at 1 at most, as fractions do; write pixels: [left, top, width, height]`
    : undefined;
}

/** Why something is left out, of one and of several. */
const reasons = {
  noNumbers: ["box whose four values are not all numbers", "boxes whose four values are not all numbers"],
  noArea: ["box of no area", "boxes of no area"],
  outside: ["box outside its image", "boxes outside their images"],
  unknownClass: ["box of a class that there is not", "boxes of classes that there are not"],
  strayImage: ["box of an image that there is not", "boxes of images that there are not"],
  badLine: ["line with other than a class and four numbers", "lines with other than a class and four numbers"],
  badImage: ["entry of an image without id and file_name", "entries of images without id and file_name"],
  repeatedImage: ["entry of an image that has one already", "entries of images that have one already"],
  missingImage: ["image that is named and not there", "images that are named and not there"],
  unnamedImage: ["image that no annotation names", "images that no annotation names"],
  strayLabels: ["file of labels without its image", "files of labels without their images"],
  otherSize: ["image of another shape than its annotations say", "images of other shapes than their annotations say"],
} as const satisfies Readonly<Record<string, readonly [one: string, several: string]>>;

/** Places that are named of each reason. */
const mostNamed = 3;

/** What was left out, counted by reason, with some of the places. */
export class LeftOut {
  readonly #places = new Map<keyof typeof reasons, { count: number; readonly some: string[] }>();

  add(reason: keyof typeof reasons, where: string): void {
    const own = this.#places.get(reason) ?? { count: 0, some: [] };
    this.#places.set(reason, own);
    own.count++;
    if (own.some.length < mostNamed) own.some.push(where);
  }

  /** Each reason in words, with how often it occurs and some of the places. */
  byReason(): readonly LeftOutBoxes[] {
    return [...this.#places].map(([reason, { count, some }]) => ({
      reason: reasons[reason][count === 1 ? 0 : 1],
      count,
      places: some,
    }));
  }

  /** A sentence for each reason. */
  notes(): readonly string[] {
    return this.byReason().map(
      ({ reason, count, places }) => `left out: ${plural(count, reason, reason)}, such as ${places.join("; ")}`,
    );
  }
}
