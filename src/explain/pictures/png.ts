/** Pictures of explanations as PNG files. */
import { OptionError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import { Canvas, type Color } from "../../draw/canvas.ts";
import { glyphOf } from "../../draw/pixel-font.ts";
import { encodePng } from "../../draw/png.ts";
import { colourOf, heatImage, scaleFor } from "./heat-image.ts";
import { type BarsPicture, boundOf, type MapPicture, mostBars, type Picture, shareOf, signedText } from "./picture.ts";

const ink: Color = [17, 24, 39];
const ground: Color = [255, 255, 255];
/** Pixels of a dot of letters, and of a letter with the gap behind it. */
const [dot, letter] = [2, 8];
const margin = 12;
const mostShownBars = 20;

const widthOf = (text: string): number => letter * [...text].length;

/** The colours from the lowest value to the highest with their numbers. */
function drawLegend(canvas: Canvas, x: number, y: number, { width, bound }: { width: number; bound: number }): void {
  for (let i = 0; i < width; i++) canvas.fill(x + i, y, 1, 10, colourOf((2 * i) / (width - 1) - 1, ground));
  canvas.frame(x - 1, y - 1, x + width, y + 10, ink);
  const high = signedText(bound);
  canvas.text(x, y + 16, signedText(-bound), ink, dot);
  canvas.text(x + Math.round(width / 2) - 3, y + 16, "0", ink, dot);
  canvas.text(x + width - widthOf(high) + 2, y + 16, high, ink, dot);
}

function mapImage(picture: MapPicture): Tensor<"uint8"> {
  const scale = scaleFor(picture.image, 280);
  const [height = 1, width = 1] = picture.values.shape.map((extent) => extent * scale);
  const legend = Math.max(180, width);
  const canvas = new Canvas(height + 2 * margin + 44, 2 * width + 3 * margin + Math.max(0, legend - width), ground);
  canvas.draw(margin, margin, picture.image, scale);
  canvas.draw(2 * margin + width, margin, heatImage(picture), scale);
  drawLegend(canvas, 2 * margin + width, margin + height + 10, { width: legend, bound: boundOf(picture.values.data) });
  return canvas.image;
}

function barsImage(picture: BarsPicture): Tensor<"uint8"> {
  const shown = mostBars(picture, mostShownBars);
  const names = shown.map(({ name, shown: cell }) => (cell === "" ? name : `${name}: ${cell}`).slice(0, 40));
  const left = margin + Math.max(...names.map(widthOf), 8) + 8;
  const half = 120;
  const canvas = new Canvas(2 * margin + 22 * shown.length, left + 2 * half + 90 + margin, ground);
  const bound = Math.max(...shown.map(({ value }) => Math.abs(value)), 0);
  for (const [i, { value }] of shown.entries()) {
    const y = margin + 22 * i;
    const share = shareOf(value, bound);
    const length = Math.round(half * Math.abs(share));
    canvas.text(margin, y + 4, names[i] as string, ink, dot);
    canvas.fill(
      share < 0 ? left + half - length : left + half,
      y,
      Math.max(1, length),
      16,
      colourOf(Math.sign(share), ground),
    );
    canvas.text(left + 2 * half + 8, y + 4, signedText(value), ink, dot);
  }
  canvas.fill(left + half, margin - 4, 1, 22 * shown.length + 4, ink);
  return canvas.image;
}

function wordsImage(words: Extract<Picture, { kind: "words" }>["words"]): Tensor<"uint8"> {
  const columns = 72;
  const bound = boundOf(words.flatMap(({ value }) => value ?? []));
  let [row, column] = [0, 0];
  const placed = words.map(({ text, value }) => {
    const own = text.replaceAll(/\s+/g, " ");
    const length = [...own].length;
    if (column > 0 && column + length > columns) [row, column] = [row + 1, 0];
    const at = { row, column, own, value };
    column += length;
    return at;
  });
  const canvas = new Canvas(2 * margin + 22 * (row + 1) + 44, 2 * margin + letter * columns, ground);
  for (const { row: y, column: x, own, value = 0 } of placed) {
    const [left, top] = [margin + letter * x, margin + 22 * y];
    if (own.trim() !== "") canvas.fill(left, top, widthOf(own), 18, colourOf(0.8 * shareOf(value, bound), ground));
    canvas.text(left + 1, top + 4, own, ink, dot);
  }
  drawLegend(canvas, margin, 2 * margin + 22 * (row + 1), { width: 240, bound });
  return canvas.image;
}

/** Throws OptionError for texts that the font has no letters for. */
function requireLetters(texts: readonly string[]): void {
  for (const text of texts)
    for (const character of text)
      if (/\p{L}/u.test(character) && glyphOf(character).length === 0)
        throw new OptionError(
          `the letters of PNG files have no "${character}"; write .svg or .html, which show all letters`,
        );
}

/**
 * A picture as a PNG file, white behind it. Letters are those of a small font: A to Z, digits. Throws OptionError for a text of other letters.
 * @example await writeFile("map.png", picturePng({ kind: "map", image, values }));
 */
export function picturePng(picture: Picture): Uint8Array {
  if (picture.kind === "map") return encodePng(mapImage(picture));
  if (picture.kind === "words") {
    requireLetters(picture.words.map(({ text }) => text));
    return encodePng(wordsImage(picture.words));
  }
  requireLetters(picture.bars.flatMap(({ name, shown }) => [name, shown]));
  return encodePng(barsImage(picture));
}
