/** Boxes of files as boxes in their image, or in the square that it is brought into: checked, cut at the edges, by the number of their class. */
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

/** Objects of an image in its own pixels: with the annotation, and whether a pixel or more of its box was cut off at the edges. */
export interface ObjectInImage extends PlacedObject {
  readonly where: string;
  readonly isCut: boolean;
}

/** How an image's annotations are to be read. @param own the size of the image in its file */
interface Placing {
  readonly unit: AnnotatedImages["unit"];
  readonly own: Extents;
  readonly leftOut: LeftOut;
}

/**
 * The objects of an image in its pixels; nothing where its annotations are of an image of another shape. What is of no area or outside is left
 * out; what reaches beyond the image is cut off there.
 */
export function objectsInImage(
  image: AnnotatedImage,
  { unit, own, leftOut }: Placing,
): readonly ObjectInImage[] | undefined {
  const { size, objects, path } = image;
  if (size && !hasShapeOf(size, own)) {
    const told = `${size.width} x ${size.height} where the file has ${own.width} x ${own.height}`;
    leftOut.add("otherSize", `${path} (${told})`);
    return undefined;
  }
  const { width: across, height: down } = unitsOf(image, unit, own);
  return objects.flatMap(({ box, label: name, isCrowd, where }: Annotation): ObjectInImage[] => {
    const [left, top, right, bottom] = box;
    if (!(right > left && bottom > top)) {
      leftOut.add("noArea", where);
      return [];
    }
    const whole: Box = [left * across, top * down, right * across, bottom * down];
    const cut: Box = [
      Math.max(0, whole[0]),
      Math.max(0, whole[1]),
      Math.min(own.width, whole[2]),
      Math.min(own.height, whole[3]),
    ];
    if (!(cut[2] > cut[0] && cut[3] > cut[1])) {
      leftOut.add("outside", where);
      return [];
    }
    const isCut = cut.some((edge, i) => Math.abs(edge - (whole[i] as number)) >= 1);
    return [{ box: cut, name, isCrowd, where, isCut }];
  });
}

/** The objects of an image in a square of `side` pixels, see `objectsInImage`. */
export function placeObjects(
  image: AnnotatedImage,
  { side, ...placing }: Placing & { readonly side: number },
): readonly PlacedObject[] | undefined {
  const place = paddedPlace(placing.own, side);
  return objectsInImage(image, placing)?.map(({ box, name, isCrowd }) => ({
    box: boxInSquare(box, place),
    name,
    isCrowd,
  }));
}

/** Placed objects that a detector learns or is measured by, and crowds, by the numbers of their classes. */
export function numbered(objects: readonly PlacedObject[], numbers: ReadonlyMap<string, number>) {
  const of = (crowd: boolean) =>
    objects
      .filter(({ isCrowd }) => isCrowd === crowd)
      .map(({ box, name }): LabelledBox => ({ box, label: numbers.get(name) as number }));
  return { truth: of(false), crowds: of(true) };
}
