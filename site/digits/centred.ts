/** Drawn digits as MNIST's are: shrunk into a box of 20 pixels, their centre of mass in the middle of 28 (LeCun et al. 1998, section III.A). */

/** Grey levels, row by row. */
export interface Grey {
  readonly width: number;
  readonly height: number;
  /** 0 is empty, 255 full ink. */
  readonly ink: Uint8Array;
}

/** Mean ink of the source below each pixel of a grid, whose corner and step are given in the source's pixels. */
function sampled({ width, height, ink }: Grey, side: number, left: number, top: number, step: number): Uint8Array {
  const out = new Uint8Array(side * side);
  // Some 5 × 5 samples a pixel are enough for strokes that are wider than one.
  const samples = Array.from({ length: 5 }, (_, i) => (i + 0.5) / 5);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      let sum = 0;
      for (const down of samples)
        for (const along of samples) {
          const x = Math.floor(left + (column + along) * step);
          const y = Math.floor(top + (row + down) * step);
          if (x >= 0 && y >= 0 && x < width && y < height) sum += ink[y * width + x] ?? 0;
        }
      out[row * side + column] = Math.round(sum / samples.length ** 2);
    }
  return out;
}

/** The digit of a drawing as 28 × 28 pixels, centred; `undefined` where nothing is drawn. */
export function centred(drawing: Grey): Uint8Array | undefined {
  const { width, height, ink } = drawing;
  let [left, right, top, bottom] = [width, -1, height, -1];
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const own = ink[y * width + x] ?? 0;
      if (own === 0) continue;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      [mass, sumX, sumY] = [mass + own, sumX + own * (x + 0.5), sumY + own * (y + 0.5)];
    }
  if (right < 0) return undefined;
  // The longer side becomes 20 pixels.
  const step = Math.max(right - left + 1, bottom - top + 1) / 20;
  return sampled(drawing, 28, sumX / mass - 14 * step, sumY / mass - 14 * step, step);
}
