/** What a detector finds in images: read off its outputs, reported, drawn. */
import {
  type Answer,
  type Box,
  Canvas,
  type Color,
  type DetectedImage,
  type Detection,
  encodePng,
  type LabelledBox,
  lightOnDark,
  type Tensor,
} from "../../src/index.ts";
import { readImage } from "../../src/node.ts";

/** From brightness, uint8 [1, side, side], to the objects found, the surest first. */
export type Find = (image: Tensor<"uint8">) => Promise<readonly Detection[]>;

/** The objects in rows of an ObjectFinder's output, without those that stand for nothing. */
export function objectsIn({ data }: Tensor): Detection[] {
  const rows = data as Float32Array;
  return Array.from({ length: rows.length / 6 }, (_, i) => {
    const [left = 0, top = 0, right = 0, bottom = 0, label = 0, score = 0] = rows.subarray(6 * i, 6 * i + 6);
    return { box: [left, top, right, bottom] as const, label, score };
  })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
}

const [green, red]: readonly [Color, Color] = [
  [0, 220, 0],
  [255, 60, 60],
];

/** A frame with its label: what is there above at the left, what was found below at the right. */
function mark(
  canvas: Canvas,
  { box, label }: LabelledBox,
  place: readonly number[],
  scale: number,
  truth: boolean,
): void {
  const color = truth ? green : red;
  const [left = 0, top = 0, right = 0, bottom = 0] = box.map(
    (edge, i) => (place[i % 2] ?? 0) + Math.round(edge * scale),
  );
  canvas.frame(left, top, right - 1, bottom - 1, color);
  if (truth) canvas.text(left, top - 12, `${label}`, color, 2);
  else canvas.text(right - 6, bottom + 2, `${label}`, color, 2);
}

/** Images side by side, enlarged, with what is there in green and what was found in red. */
export function findingsSheet(images: readonly (DetectedImage & { readonly image: Tensor<"uint8"> })[]): Uint8Array {
  const [columns, scale, margin] = [4, 4, 16];
  const step = (images[0]?.image.shape.at(-1) ?? 1) * scale + margin;
  const canvas = new Canvas(Math.ceil(images.length / columns) * step + margin, columns * step + margin, [60, 60, 60]);
  for (const [i, { image, truth, found }] of images.entries()) {
    const place = [margin + (i % columns) * step, margin + Math.floor(i / columns) * step] as const;
    canvas.grey(...place, image, scale);
    for (const own of truth) mark(canvas, own, place, scale, true);
    for (const own of found) mark(canvas, own, place, scale, false);
  }
  return encodePng(canvas.image);
}

/** Looks for objects in an image file of any size; boxes are in its own pixels. Throws FileError for a broken one. */
export async function findInFile(path: string, find: Find, side: number): Promise<Answer> {
  const whole = await readImage(path, { channels: 1 });
  const [, height = side, width = side] = whole.shape;
  const { image, inverted } = lightOnDark(await readImage(path, { size: [side, side], channels: 1 }));
  const found = (await find(image)).map(({ box: [left, top, right, bottom], ...own }) => {
    const [across, down] = [width / side, height / side];
    const box: Box = [left * across, top * down, right * across, bottom * down];
    return { ...own, box };
  });
  const scale = Math.max(1, Math.round(256 / Math.max(height, width)));
  const canvas = new Canvas(height * scale, width * scale);
  canvas.grey(0, 0, whole, scale);
  for (const own of found) mark(canvas, own, [0, 0], scale, false);
  const notes = [
    (height !== side || width !== side) && `looked at in ${side}x${side}, resized from ${width}x${height}`,
    inverted && "dark on light: inverted first",
  ].filter((note) => note !== false);
  const lines = found.map(({ box, label, score }) => {
    const [left, top, right, bottom] = box.map(Math.round);
    return `${label} from ${left},${top} to ${right},${bottom} (${(100 * score).toFixed(1)} %)`;
  });
  return {
    text: lines.join("; ") || "nothing found",
    fields: { found },
    drawings: { "found.png": encodePng(canvas.image) },
    ...(notes.length > 0 && { note: notes.join(", ") }),
  };
}
