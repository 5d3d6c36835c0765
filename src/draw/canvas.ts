/** Drawing into an image's pixels: images, frames, short labels. */
import { Tensor } from "../core/tensor.ts";
import { glyphHeight, glyphOf, glyphWidth } from "./pixel-font.ts";
import { bytesOf } from "./png.ts";

/** Red, green and blue, 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

/** An image of three channels that can be drawn on; what lies outside of it is cut off. */
export class Canvas {
  /** uint8 [3, height, width]. */
  readonly image: Tensor<"uint8">;
  readonly #height: number;
  readonly #width: number;

  constructor(height: number, width: number, [red, green, blue]: Color = [0, 0, 0]) {
    const area = height * width;
    const data = new Uint8Array(3 * area)
      .fill(red)
      .fill(green, area)
      .fill(blue, 2 * area);
    this.image = new Tensor("uint8", [3, height, width], data);
    [this.#height, this.#width] = [height, width];
  }

  /** Colours one pixel. */
  set(x: number, y: number, color: Color): void {
    if (x < 0 || y < 0 || x >= this.#width || y >= this.#height) return;
    for (const [channel, level] of color.entries())
      this.image.data[(channel * this.#height + y) * this.#width + x] = level;
  }

  /** Colours a rectangle of pixels, from its left upper one on. */
  fill(x: number, y: number, width: number, height: number, color: Color): void {
    for (let row = y; row < y + height; row++)
      for (let column = x; column < x + width; column++) this.set(column, row, color);
  }

  /**
   * An image, [height, width] or [1, height, width] grey, or [3, height, width] in colour, of bytes or floats in [0, 1], each pixel `scale` wide
   * and high.
   */
  draw(x: number, y: number, image: Tensor, scale = 1): void {
    const width = image.shape.at(-1) ?? 1;
    const plane = width * (image.shape.at(-2) ?? 1);
    const levels = bytesOf(image);
    const inColour = levels.length === 3 * plane;
    for (let i = 0; i < plane; i++) {
      const [row, column] = [Math.floor(i / width), i % width];
      const [red = 0, green = red, blue = red] = inColour
        ? [levels[i], levels[plane + i], levels[2 * plane + i]]
        : [levels[i]];
      this.fill(x + column * scale, y + row * scale, scale, scale, [red, green, blue]);
    }
  }

  /** A frame one pixel wide, from its left upper pixel to its right lower one. */
  frame(left: number, top: number, right: number, bottom: number, color: Color): void {
    this.fill(left, top, right - left + 1, 1, color);
    this.fill(left, bottom, right - left + 1, 1, color);
    this.fill(left, top, 1, bottom - top + 1, color);
    this.fill(right, top, 1, bottom - top + 1, color);
  }

  /** Letters without case, digits and a few signs, 5 · scale high, 4 · scale each; others are left blank. */
  text(x: number, y: number, text: string, color: Color, scale = 1): void {
    for (const [i, character] of [...text].entries()) {
      const left = x + i * (glyphWidth + 1) * scale;
      for (let row = 0; row < glyphHeight; row++)
        for (let column = 0; column < glyphWidth; column++)
          if (glyphOf(character)[row]?.[column] === "#")
            this.fill(left + column * scale, y + row * scale, scale, scale, color);
    }
  }
}
