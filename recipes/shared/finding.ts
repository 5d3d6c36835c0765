/** What a detector finds in images: reported, drawn. */
import {
  type Answer,
  type Box,
  boxInImage,
  Canvas,
  type Color,
  type DetectedImage,
  type Detection,
  encodePng,
  type LabelledBox,
  lightOnDark,
  paddedPlace,
  type Tensor,
} from "../../src/index.ts";
import { readImage, readPaddedImage } from "../../src/node.ts";

/** From brightness or colours, uint8 [channels, side, side], to the objects found, the surest first. */
export type Find = (image: Tensor<"uint8">) => Promise<readonly Detection[]>;

/** What a class is called: a digit by itself, others by their names. */
type NameOf = (label: number) => string;

const [green, red]: readonly [Color, Color] = [
  [0, 220, 0],
  [255, 60, 60],
];
/** Pixels of a letter of a label, two of the canvas each, with the gap behind it. */
const letterWidth = 8;

/** A frame with its label: what is there above at the left, what was found below at the right. */
function mark(
  canvas: Canvas,
  { box }: LabelledBox,
  { place, scale, truth, name }: { place: readonly number[]; scale: number; truth: boolean; name: string },
): void {
  const color = truth ? green : red;
  const [left = 0, top = 0, right = 0, bottom = 0] = box.map(
    (edge, i) => (place[i % 2] ?? 0) + Math.round(edge * scale),
  );
  canvas.frame(left, top, right - 1, bottom - 1, color);
  if (truth) canvas.text(left, top - 12, name, color, 2);
  else canvas.text(Math.max(0, right + 2 - letterWidth * name.length), bottom + 2, name, color, 2);
}

/** Images side by side, enlarged where they are small, with what is there in green and what was found in red. */
export function findingsSheet(
  images: readonly (DetectedImage & { readonly image: Tensor<"uint8"> })[],
  nameOf: NameOf = String,
): Uint8Array {
  const [columns, margin] = [4, 16];
  const side = images[0]?.image.shape.at(-1) ?? 1;
  const scale = Math.max(1, Math.round(256 / side));
  const step = side * scale + margin;
  const canvas = new Canvas(Math.ceil(images.length / columns) * step + margin, columns * step + margin, [60, 60, 60]);
  for (const [i, { image, truth, found }] of images.entries()) {
    const place = [margin + (i % columns) * step, margin + Math.floor(i / columns) * step] as const;
    canvas.draw(...place, image, scale);
    for (const own of truth) mark(canvas, own, { place, scale, truth: true, name: nameOf(own.label) });
    for (const own of found) mark(canvas, own, { place, scale, truth: false, name: nameOf(own.label) });
  }
  return encodePng(canvas.image);
}

/** What was found in an image, in its own pixels, as text, as fields and drawn. */
function findingsOf(
  whole: Tensor<"uint8">,
  found: readonly Detection[],
  { nameOf, fieldOf }: { readonly nameOf: NameOf; readonly fieldOf: (label: number) => string | number },
) {
  const [, height = 1, width = 1] = whole.shape;
  const scale = Math.max(1, Math.round(256 / Math.max(height, width)));
  const canvas = new Canvas(height * scale, width * scale);
  canvas.draw(0, 0, whole, scale);
  for (const own of found) mark(canvas, own, { place: [0, 0], scale, truth: false, name: nameOf(own.label) });
  const lines = found.map(({ box, label, score }) => {
    const [left, top, right, bottom] = box.map(Math.round);
    return `${nameOf(label)} from ${left},${top} to ${right},${bottom} (${(100 * score).toFixed(1)} %)`;
  });
  return {
    text: lines.join("; ") || "nothing found",
    fields: { found: found.map((own) => ({ ...own, label: fieldOf(own.label) })) },
    drawings: { "found.png": encodePng(canvas.image) },
  };
}

/** Looks for digits in an image file of any size; boxes are in its own pixels. Throws FileError for a broken one. */
export async function findInFile(path: string, find: Find, side: number): Promise<Answer> {
  const whole = await readImage(path, { channels: 1 });
  const [, height = side, width = side] = whole.shape;
  const { image, inverted } = lightOnDark(await readImage(path, { size: [side, side], channels: 1 }));
  const found = (await find(image)).map(({ box: [left, top, right, bottom], ...own }) => {
    const [across, down] = [width / side, height / side];
    const box: Box = [left * across, top * down, right * across, bottom * down];
    return { ...own, box };
  });
  const notes = [
    (height !== side || width !== side) && `looked at in ${side}x${side}, resized from ${width}x${height}`,
    inverted && "dark on light: inverted first",
  ].filter((note) => note !== false);
  return {
    ...findingsOf(whole, found, { nameOf: String, fieldOf: (label) => label }),
    ...(notes.length > 0 && { note: notes.join(", ") }),
  };
}

/** Looks for objects of named classes in an image file of any size, as it is; boxes are in its own pixels. Throws FileError for a broken one. */
export async function findNamedInFile(
  path: string,
  find: Find,
  { side, channels, classes }: { readonly side: number; readonly channels: 1 | 3; readonly classes: readonly string[] },
): Promise<Answer> {
  const { image, own } = await readPaddedImage(path, { side, channels });
  const place = paddedPlace(own, side);
  const found = (await find(image)).map((object) => ({ ...object, box: boxInImage(object.box, place, own) }));
  const nameOf = (label: number) => classes[label] ?? String(label);
  const whole = await readImage(path, { channels });
  return findingsOf(whole, found, { nameOf, fieldOf: nameOf });
}
