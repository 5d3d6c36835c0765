/** Boxes of files as boxes in the square that their image is brought into: checked, cut at the edges, by the number of their class. */
import type { Box, LabelledBox } from "../../data/images/boxes.ts";
import { boxInSquare, type Extents, paddedPlace } from "../../data/images/padding.ts";
import type { AnnotatedImage, AnnotatedImages, Annotation, LeftOut } from "./annotated-images.ts";

/** Objects of an image in pixels of its square, by the names of their classes. */
export interface PlacedObject {
  readonly box: Box;
  readonly name: string;
  readonly isCrowd: boolean;
}

/** Share by which the proportions of an image and of its annotations may differ. */
const tolerance = 0.02;

/** Whether a size is that of an image, or of one that was enlarged or shrunk. */
const hasShapeOf = (a: Extents, b: Extents): boolean =>
  Math.abs((a.width * b.height) / (a.height * b.width) - 1) <= tolerance;

/** The image's pixels that stand for one in the file of annotations. */
function unitsOf({ size }: AnnotatedImage, unit: AnnotatedImages["unit"], own: Extents): Extents {
  if (unit === "fractions") return own;
  return size ? { width: own.width / size.width, height: own.height / size.height } : { width: 1, height: 1 };
}

/**
 * The objects of an image in a square of `side` pixels; nothing where its annotations are of an image of another shape. What is of no area or
 * outside is left out; what reaches beyond the image is cut off there.
 * @param own the size of the image in its file
 */
export function placeObjects(
  image: AnnotatedImage,
  { unit, own, side, leftOut }: { unit: AnnotatedImages["unit"]; own: Extents; side: number; leftOut: LeftOut },
): readonly PlacedObject[] | undefined {
  const { size, objects, path } = image;
  if (size && !hasShapeOf(size, own)) {
    const told = `${size.width} x ${size.height} where the file has ${own.width} x ${own.height}`;
    leftOut.add("otherSize", `${path} (${told})`);
    return undefined;
  }
  const place = paddedPlace(own, side);
  const { width: across, height: down } = unitsOf(image, unit, own);
  return objects.flatMap(({ box, label: name, isCrowd, where }: Annotation): PlacedObject[] => {
    const [left, top, right, bottom] = box;
    if (!(right > left && bottom > top)) {
      leftOut.add("noArea", where);
      return [];
    }
    const cut: Box = [
      Math.max(0, left * across),
      Math.max(0, top * down),
      Math.min(own.width, right * across),
      Math.min(own.height, bottom * down),
    ];
    if (!(cut[2] > cut[0] && cut[3] > cut[1])) {
      leftOut.add("outside", where);
      return [];
    }
    return [{ box: boxInSquare(cut, place), name, isCrowd }];
  });
}

/** Placed objects that a detector learns or is measured by, and crowds, by the numbers of their classes. */
export function numbered(objects: readonly PlacedObject[], numbers: ReadonlyMap<string, number>) {
  const of = (crowd: boolean) =>
    objects
      .filter(({ isCrowd }) => isCrowd === crowd)
      .map(({ box, name }): LabelledBox => ({ box, label: numbers.get(name) as number }));
  return { truth: of(false), crowds: of(true) };
}
