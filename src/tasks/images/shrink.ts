/** Images made smaller by the means of the pixels that come together. */

/** An image in bytes, [channels, height, width]. */
export interface Pixels {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly bytes: Uint8Array;
}

/** The image with fewer rows and columns, as numbers from 0 to 255; as it is where it has no more. */
export function shrink({ channels, height, width, bytes }: Pixels, rows: number, columns: number): Float32Array {
  const [high, wide] = [Math.min(rows, height), Math.min(columns, width)];
  const small = new Float32Array(channels * high * wide);
  const edges = (extent: number, parts: number) =>
    Int32Array.from({ length: parts + 1 }, (_, i) => Math.round((i * extent) / parts));
  const [above, left] = [edges(height, high), edges(width, wide)];
  for (let channel = 0, at = 0; channel < channels; channel++)
    for (let row = 0; row < high; row++)
      for (let column = 0; column < wide; column++, at++) {
        const [top, bottom] = [above[row] as number, above[row + 1] as number];
        const [from, to] = [left[column] as number, left[column + 1] as number];
        let sum = 0;
        for (let y = top; y < bottom; y++)
          for (let x = from; x < to; x++) sum += bytes[(channel * height + y) * width + x] as number;
        small[at] = sum / ((bottom - top) * (to - from));
      }
  return small;
}
