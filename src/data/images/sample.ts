/** Images read between their pixels: the one place that interpolates. */
import { Tensor } from "../../core/tensor.ts";

/** Where an output pixel, relative to the image's centre, is read: (y, x) = matrix times (row, column). */
export type Matrix = readonly [yFromRow: number, yFromColumn: number, xFromRow: number, xFromColumn: number];

/**
 * Images [N, C, H, W] resampled by one matrix each, bilinearly, about their centres. What lies outside an image is 0.
 * `matrices[n]` maps output coordinates to input coordinates.
 */
export function resample(images: Tensor, matrices: readonly Matrix[]): Tensor<"float32"> {
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  const source = images.data as Float32Array;
  const result = new Float32Array(source.length);
  const [centerRow, centerColumn] = [(height - 1) / 2, (width - 1) / 2];
  for (let n = 0; n < count; n++) {
    const [yRow, yColumn, xRow, xColumn] = matrices[n] as Matrix;
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const [dy, dx] = [row - centerRow, column - centerColumn];
        const y = centerRow + yRow * dy + yColumn * dx;
        const x = centerColumn + xRow * dy + xColumn * dx;
        if (y <= -1 || x <= -1 || y >= height || x >= width) continue;
        const [top, left] = [Math.floor(y), Math.floor(x)];
        const [down, right] = [y - top, x - left];
        for (let channel = 0; channel < channels; channel++) {
          const plane = (n * channels + channel) * height * width;
          const pixel = (r: number, c: number) =>
            r < 0 || c < 0 || r >= height || c >= width ? 0 : (source[plane + r * width + c] as number);
          result[plane + row * width + column] =
            (1 - down) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1)) +
            down * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1));
        }
      }
  }
  return new Tensor("float32", images.shape, result);
}
