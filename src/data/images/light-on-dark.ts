/** Images of dark marks on a light ground, turned round to what models of written digits are taught with. */
import { Tensor } from "../../core/tensor.ts";

/** Mean brightness of the outermost pixels of [1, height, width]. */
function borderMean({ data, shape: [, height = 0, width = 0] }: Tensor<"uint8">): number {
  let sum = 0;
  let pixels = 0;
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      if (row > 0 && row < height - 1 && column > 0 && column < width - 1) continue;
      sum += data[row * width + column] ?? 0;
      pixels++;
    }
  return sum / pixels;
}

/**
 * A grey image, uint8 [1, height, width], inverted where its border is light: handwritten digits are white on black in
 * MNIST.
 */
export function lightOnDark(image: Tensor<"uint8">): {
  readonly image: Tensor<"uint8">;
  readonly inverted: boolean;
} {
  if (borderMean(image) <= 127.5) return { image, inverted: false };
  const inverted = Uint8Array.from(image.data, (level) => 255 - level);
  return { image: new Tensor("uint8", image.shape, inverted), inverted: true };
}
