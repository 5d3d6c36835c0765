/** Images as PNG files, and many of them on one sheet. */
import { encode } from "fast-png";
import { DataError, ShapeError } from "../core/errors.ts";
import { showShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";

/** Elements as bytes: uint8 as they are, floats in [0, 1] stretched to 0 to 255; what lies outside is cut off. */
export function bytesOf({ dtype, data }: Tensor): Uint8Array {
  if (dtype === "uint8") return data as Uint8Array;
  if (dtype !== "float32" && dtype !== "float64")
    throw new DataError(`an image is made of uint8 or floats in [0, 1], got ${dtype}; cast it`);
  return Uint8Array.from(data as Float32Array, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}

/**
 * An image as a PNG file: [height, width], [1, height, width] grey, or [3, height, width] red, green and blue; uint8, or
 * floats in [0, 1]. Throws ShapeError or DataError for anything else.
 */
export function encodePng(image: Tensor): Uint8Array {
  const { shape } = image;
  const [channels = 0, height = 0, width = 0] = shape.length === 2 ? [1, ...shape] : shape;
  if ((shape.length !== 2 && shape.length !== 3) || (channels !== 1 && channels !== 3))
    throw new ShapeError(`an image is [height, width] or [1 or 3, height, width], got ${showShape(shape)}`);
  const planes = bytesOf(image);
  const pixels = new Uint8Array(planes.length);
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < height * width; i++) pixels[i * channels + channel] = planes[channel * height * width + i] ?? 0;
  return encode({ width, height, data: pixels, channels, depth: 8 });
}

/** The bytes of a PNG file as an address that holds them itself. */
export function pngAddress(png: Uint8Array): string {
  let text = "";
  for (const byte of png) text += String.fromCharCode(byte);
  return `data:image/png;base64,${btoa(text)}`;
}

/**
 * Images [N, C, H, W] on one sheet [C, …], `columns` in a row (default: as wide as high), a line of grey between them and
 * around.
 */
export function tileImages(images: Tensor, columns = Math.ceil(Math.sqrt(images.shape[0] ?? 1))): Tensor<"uint8"> {
  const [count = 0, channels = 1, height = 0, width = 0] = images.shape;
  if (images.shape.length !== 4) throw new ShapeError(`images are [N, C, H, W], got ${showShape(images.shape)}`);
  const rows = Math.ceil(count / columns);
  const [high, wide] = [rows * (height + 1) + 1, columns * (width + 1) + 1];
  const sheet = new Uint8Array(channels * high * wide).fill(128);
  const bytes = bytesOf(images);
  for (let n = 0; n < count; n++)
    for (let channel = 0; channel < channels; channel++)
      for (let y = 0; y < height; y++) {
        const from = ((n * channels + channel) * height + y) * width;
        const [top, left] = [Math.floor(n / columns) * (height + 1) + 1, (n % columns) * (width + 1) + 1];
        sheet.set(bytes.subarray(from, from + width), (channel * high + top + y) * wide + left);
      }
  return new Tensor("uint8", [channels, high, wide], sheet);
}
