/** Scenes to find things in: handwritten digits of different sizes on a dark image. */
import { count, pairType } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Random } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type Box, type LabelledBox, sharedArea } from "../images/boxes.ts";

/** A grey image and where its digits are. */
export interface Scene {
  /** Brightness, row by row, `side` × `side`. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly truth: readonly LabelledBox[];
}

/** Options of `digitScene`. */
export interface SceneOptions {
  /** Height and width. */
  readonly side: number;
  /** Digits at most. */
  readonly most: number;
  /** Lowest and highest height of a digit's ink, in pixels. */
  readonly heights: readonly [low: number, high: number];
}

const checkOptions = optionsOf<SceneOptions>("digitScene", {
  side: required(count()),
  most: required(count()),
  heights: required(pairType("[low, high] in pixels")),
});

/** Share of the smaller one's area that two digits may have in common. */
const mostShared = 0.1;
/** Brightness that counts as ink. */
const inkFrom = 64;

/** The box around the ink of an image of `width` columns. */
function inkOf(pixels: Uint8Array, width: number): Box {
  let [left, top, right, bottom] = [width, pixels.length / width, 0, 0];
  for (const [i, level] of pixels.entries()) {
    if (level < inkFrom) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  return [left, top, right, bottom];
}

const areaOf = (box: Box): number => sharedArea(box, box);

/**
 * A scene of one digit or more, drawn from uint8 [N, 1, 28, 28] and their labels [N]: each stretched to a height from the
 * range, at a place where it hides none of the others. One that finds no place in twenty tries is left out, and so is one without ink.
 */
export function digitScene(
  { x, y }: { readonly x: Tensor<"uint8">; readonly y: Tensor<"int32"> },
  options: SceneOptions,
  random: Random,
): Scene {
  const { side, most, heights } = checkOptions(options);
  const pixels = new Uint8Array(side * side);
  const truth: LabelledBox[] = [];
  const [rows = 0, , , width = 1] = x.shape;
  const size = x.data.length / rows;
  for (let wanted = 1 + random.integer(most); wanted > 0; wanted--) {
    const row = random.integer(rows);
    const digit = x.data.subarray(row * size, (row + 1) * size);
    const ink = inkOf(digit, width);
    if (ink[3] <= ink[1]) continue; // a blank image
    const scale = random.uniform(...heights) / (ink[3] - ink[1]);
    const [inkWidth, inkHeight] = [ink[2] - ink[0], ink[3] - ink[1]].map((extent) =>
      Math.max(1, Math.round(extent * scale)),
    ) as [number, number];
    if (inkWidth > side || inkHeight > side) continue;
    for (let tries = 0; tries < 20; tries++) {
      const [left, top] = [random.integer(side - inkWidth + 1), random.integer(side - inkHeight + 1)];
      const box: Box = [left, top, left + inkWidth, top + inkHeight];
      if (truth.some(({ box: other }) => sharedArea(box, other) > mostShared * Math.min(areaOf(box), areaOf(other))))
        continue;
      stamp(pixels, side, box, digit, width, ink);
      truth.push({ box, label: Number(y.data[row]) });
      break;
    }
  }
  return { pixels, truth };
}

/** Draws the part `from` of an image into a box, bilinearly; the brighter of what is there and what comes stays. */
function stamp(pixels: Uint8Array, side: number, box: Box, digit: Uint8Array, width: number, from: Box): void {
  const [left, top, right, bottom] = box;
  const [xScale, yScale] = [(from[2] - from[0]) / (right - left), (from[3] - from[1]) / (bottom - top)];
  const at = (x: number, y: number) =>
    x < from[0] || y < from[1] || x >= from[2] || y >= from[3] ? 0 : (digit[y * width + x] ?? 0);
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) {
      const [u, v] = [from[0] + (x - left + 0.5) * xScale - 0.5, from[1] + (y - top + 0.5) * yScale - 0.5];
      const [column, row] = [Math.floor(u), Math.floor(v)];
      const [r, d] = [u - column, v - row];
      const level =
        (1 - d) * ((1 - r) * at(column, row) + r * at(column + 1, row)) +
        d * ((1 - r) * at(column, row + 1) + r * at(column + 1, row + 1));
      const place = y * side + x;
      pixels[place] = Math.max(pixels[place] ?? 0, Math.round(level));
    }
}
