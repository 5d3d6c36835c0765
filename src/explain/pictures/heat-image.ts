/** A heat map over an image, as pixels. */
import { greatest, least } from "../../core/lists.ts";
import { Tensor } from "../../core/tensor.ts";
import { Canvas, type Color } from "../../draw/canvas.ts";
import { bytesOf } from "../../draw/png.ts";
import { boundOf, type MapPicture, shareOf, speaksAgainst, speaksFor } from "./picture.ts";

/** A colour on the way to another. */
export const mixed = (from: Color, to: Color, share: number): Color =>
  [0, 1, 2].map((i) =>
    Math.round((from[i] as number) + share * ((to[i] as number) - (from[i] as number))),
  ) as unknown as Color;

/** The colour of a share of the bound over a ground. */
export const colourOf = (share: number, ground: Color): Color =>
  mixed(ground, share > 0 ? speaksFor : speaksAgainst, Math.abs(share));

/** The image in pale grey, so that colours over it can be told, with the values over it: uint8 [3, height, width]. */
export function heatImage({ image, values }: MapPicture): Tensor<"uint8"> {
  const [height = 1, width = 1] = values.shape;
  const area = height * width;
  const bytes = bytesOf(image);
  const channels = bytes.length / area;
  const bound = boundOf(values.data);
  const canvas = new Canvas(height, width);
  for (let i = 0; i < area; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += bytes[channel * area + i] as number;
    const grey = Math.round(200 + (55 * sum) / channels / 255);
    const share = shareOf(values.data[i] as number, bound);
    canvas.set(i % width, Math.floor(i / width), colourOf(share, [grey, grey, grey]));
  }
  return canvas.image;
}

/** Numbers [channels, height, width] spread over [0, 1], so that they can be seen; what lies in it stays, one or three channels are kept, of others the mean. */
export function visible(numbers: Tensor): Tensor {
  const [channels = 1, height = 1, width = 1] = numbers.shape;
  if (numbers.dtype === "uint8" && (channels === 1 || channels === 3)) return numbers;
  const values = numbers.toNumbers();
  const kept = channels === 3 ? 3 : 1;
  const area = height * width;
  const own =
    kept === channels
      ? values
      : Array.from({ length: area }, (_, i) => {
          let sum = 0;
          for (let channel = 0; channel < channels; channel++) sum += (values[channel * area + i] as number) / channels;
          return sum;
        });
  const [low, high] = [least(own), greatest(own)];
  const [from, span] = low >= 0 && high <= 1 ? [0, 1] : [low, high - low || 1];
  return new Tensor(
    "float32",
    [kept, height, width],
    Float32Array.from(own, (value) => (value - from) / span),
  );
}

/** A picture whose longer side is at most so many pixels: of several values the mean, of several pixels the first. */
export function smallerMap({ kind, image, values }: MapPicture, side: number): MapPicture {
  const [height = 1, width = 1] = values.shape;
  const step = Math.ceil(Math.max(height, width) / side);
  if (step === 1) return { kind, image, values };
  const [high, wide] = [Math.ceil(height / step), Math.ceil(width / step)];
  const [sums, counts] = [new Float32Array(high * wide), new Float32Array(high * wide)];
  for (const [i, value] of values.data.entries()) {
    const at = Math.floor(Math.floor(i / width) / step) * wide + Math.floor((i % width) / step);
    sums[at] = (sums[at] as number) + value;
    counts[at] = (counts[at] as number) + 1;
  }
  const bytes = bytesOf(image);
  const channels = bytes.length / (height * width);
  const pixels = Uint8Array.from({ length: channels * high * wide }, (_, i) => {
    const [x, y, channel] = [i % wide, Math.floor(i / wide) % high, Math.floor(i / (wide * high))];
    return bytes[(channel * height + y * step) * width + x * step] as number;
  });
  return {
    kind,
    image: new Tensor("uint8", [channels, high, wide], pixels),
    values: new Tensor(
      "float32",
      [high, wide],
      sums.map((sum, i) => sum / (counts[i] as number)),
    ),
  };
}

/** Pixels that each pixel of an image becomes, so that its longer side is about so long. */
export const scaleFor = ({ shape }: Tensor, side: number): number =>
  Math.max(1, Math.floor(side / Math.max(shape.at(-1) ?? 1, shape.at(-2) ?? 1)));
