/** The input of a sample as a person can look at it: an image, the cells of a row, a text. */
import { greatest, least } from "../../core/lists.ts";
import { Tensor } from "../../core/tensor.ts";
import { rowCells } from "../../data/tables/rows/row-cells.ts";
import { knownWords } from "../../data/text/text-features.ts";
import { encodePng, pngAddress } from "../../draw/png.ts";
import type { SampleInputs } from "../../explain/index.ts";
import type { TextReader } from "../../finetune/tasks/text-rows.ts";
import type { InputFormat } from "../recipes/recipe.ts";
import type { Mistake } from "./report.ts";

/** The longer side of an image, in pixels; of a larger one pixels are left out. */
const longestSide = 128;

/** An input as an image or as cells; of other kinds nothing. */
export function shownInput(
  input: SampleInputs,
  { image, table, text }: InputFormat,
  reader: TextReader | undefined,
): Pick<Mistake, "image" | "cells"> {
  if (reader) {
    const ids = input instanceof Tensor ? input : input["x"];
    return ids ? { cells: [{ name: reader.column ?? "text", value: textOfRow(ids.toNumbers(), reader) }] } : {};
  }
  if (!(input instanceof Tensor)) return {};
  if (table) return { cells: rowCells(table, input.toNumbers()) };
  if (text) return { cells: [{ name: text.name, value: knownWords(text, input.toNumbers()) }] };
  const [channels = 0, height = 0, width = 0] = input.shape;
  const isImage = image?.channels === channels && image.height === height && image.width === width;
  return isImage && input.shape.length === 3 ? { image: imageOf(input) } : {};
}

/** The text of a row of tokens, without those that fill it up. */
function textOfRow(ids: readonly number[], { tokenizer, padding }: TextReader): string {
  const end = ids.findLastIndex((id) => id !== padding) + 1;
  return tokenizer.decode(ids.slice(0, end));
}

/** An image [channels, height, width] as a PNG in a data URI. */
function imageOf(input: Tensor): string {
  const [channels = 1, height = 1, width = 1] = input.shape;
  const step = Math.ceil(Math.max(height, width) / longestSide);
  const [high, wide] = [Math.ceil(height / step), Math.ceil(width / step)];
  const values = input.toNumbers();
  const isByte = input.dtype === "uint8";
  const [darkest, brightest] = [least(values), greatest(values)];
  // What was standardized for the model is spread over the range of grey; what lies in [0, 1] is shown as it is.
  const [from, span] = isByte
    ? [0, 255]
    : darkest >= 0 && brightest <= 1
      ? [0, 1]
      : [darkest, brightest - darkest || 1];
  const pixels = Float32Array.from({ length: channels * high * wide }, (_, i) => {
    const [x, y, channel] = [i % wide, Math.floor(i / wide) % high, Math.floor(i / (wide * high))];
    return ((values[(channel * height + y * step) * width + x * step] ?? 0) - from) / span;
  });
  return pngAddress(encodePng(new Tensor("float32", [channels, high, wide], pixels)));
}
