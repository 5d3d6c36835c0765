/** Images brought into a square with their proportions kept: where they lie in it, and where their boxes do. */
import type { Box } from "./boxes.ts";

/** Rows and columns of pixels. */
export interface Extents {
  readonly width: number;
  readonly height: number;
}

/** Where an image lies in a square: its left upper pixel and its size there, and pixels of the square for one of its own. */
export interface PaddedPlace extends Extents {
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
}

/** The grey of what an image does not fill. */
export const paddingLevel = 114;

/** The place of an image in the middle of a square of `side` pixels that its longer side fills. */
export function paddedPlace({ width, height }: Extents, side: number): PaddedPlace {
  const scale = side / Math.max(width, height);
  const [wide, high] = [width, height].map((extent) => Math.max(1, Math.round(extent * scale))) as [number, number];
  return {
    left: Math.floor((side - wide) / 2),
    top: Math.floor((side - high) / 2),
    width: wide,
    height: high,
    across: wide / width,
    down: high / height,
  };
}

/** A box of an image, in the pixels of the square. */
export const boxInSquare = ([left, top, right, bottom]: Box, place: PaddedPlace): Box => [
  left * place.across + place.left,
  top * place.down + place.top,
  right * place.across + place.left,
  bottom * place.down + place.top,
];

/** A box of the square in the pixels of an image, cut off at its edges. */
export function boxInImage([left, top, right, bottom]: Box, place: PaddedPlace, { width, height }: Extents): Box {
  const x = (at: number) => Math.min(width, Math.max(0, (at - place.left) / place.across));
  const y = (at: number) => Math.min(height, Math.max(0, (at - place.top) / place.down));
  return [x(left), y(top), x(right), y(bottom)];
}
