/** What can be seen of an explanation, as plain data: a map over an image, coloured words, bars of columns. */
import { greatest } from "../../core/lists.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Color } from "../../draw/canvas.ts";

/** A map over an image, or over what is laid out as one, such as a spectrogram. */
export interface MapPicture {
  readonly kind: "map";
  /** What the map lies over: uint8, or floats in [0, 1], [1 or 3, height, width]. */
  readonly image: Tensor;
  /** A value for each pixel, [height, width]. */
  readonly values: Tensor<"float32">;
}

/** A part of a text with what it adds. */
export interface ValuedText {
  /** As it stands in the text, with the spaces around it. */
  readonly text: string;
  /** Nothing of what is not explained, such as spaces. */
  readonly value?: number;
}

/** A text whose parts have values. */
export interface WordsPicture {
  readonly kind: "words";
  readonly words: readonly ValuedText[];
}

/** A named value. */
export interface ValuedName {
  readonly name: string;
  /** What the sample has there; `""` for nothing. */
  readonly shown: string;
  readonly value: number;
}

/** Values of columns, or of other things that have names. */
export interface BarsPicture {
  readonly kind: "bars";
  readonly bars: readonly ValuedName[];
  /** They have an order of their own, such as layers; default they are shown by their sizes. */
  readonly inOrder?: boolean;
}

/** What can be seen of an explanation. */
export type Picture = MapPicture | WordsPicture | BarsPicture;

/** Colours of what speaks for a score and against it, told apart also by those who see red and green alike (Okabe and Ito 2008). */
export const speaksFor: Color = [213, 94, 0];
export const speaksAgainst: Color = [0, 114, 178];

/** Of many values, the largest hundredth does not decide the colours of all others. */
const manyValues = 200;

/** The value that has the full colour, symmetric about 0: the largest, of many values that which one of a hundred exceeds. 0 where all are 0. */
export function boundOf(values: ArrayLike<number>): number {
  const sizes = Array.from(values, Math.abs);
  if (sizes.length < manyValues) return greatest(sizes, 0);
  const sorted = sizes.sort((a, b) => a - b);
  return sorted[Math.floor(0.99 * (sorted.length - 1))] || (sorted.at(-1) ?? 0);
}

/** The values that a picture shows. */
export const valuesOfPicture = (picture: Picture): ArrayLike<number> => {
  if (picture.kind === "map") return picture.values.data;
  return picture.kind === "bars"
    ? picture.bars.map(({ value }) => value)
    : picture.words.flatMap(({ value }) => value ?? []);
};

/** How far a value is from 0 as a share of the bound, from -1 to 1. */
export const shareOf = (value: number, bound: number): number =>
  bound === 0 ? 0 : Math.max(-1, Math.min(1, value / bound));

/** A value with its sign and three digits; 0 without. */
export function signedText(value: number): string {
  const digits = String(Number(value.toPrecision(3)));
  return value > 0 && digits !== "0" ? `+${digits}` : digits;
}

/** Bars in the order of what they add, the most first; many as so many, and one of all others. Those with an order of their own stay. */
export function mostBars({ bars, inOrder = false }: BarsPicture, most: number): readonly ValuedName[] {
  if (inOrder) return bars;
  const sorted = [...bars].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  if (sorted.length <= most) return sorted;
  const rest = sorted.slice(most - 1);
  const value = rest.reduce((sum, own) => sum + own.value, 0);
  return [...sorted.slice(0, most - 1), { name: `${rest.length} others`, shown: "", value }];
}
