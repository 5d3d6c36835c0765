/** A long text as windows, to predict each next token. */
import { DataError } from "../../core/errors.ts";
import { foldIn, type Key, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { checkCount, Dataset } from "../pipeline/dataset.ts";
import { indexedSource } from "../pipeline/source.ts";

/** Tokens and those that follow them, int32 [T]. */
export type TextWindow = { readonly x: Tensor<"int32">; readonly y: Tensor<"int32"> };

/**
 * Windows of `length` tokens, one after the other: x [length] and y, the token after each. With a key each epoch begins at
 * another of the first `length` tokens, so that texts are cut elsewhere. Throws DataError for fewer than 2 · length tokens
 * with a key, length + 1 without.
 */
export function textWindows(tokens: Int32Array, length: number, key?: Key): Dataset<TextWindow> {
  checkCount("textWindows(length)", length, 1);
  const count = Math.floor((tokens.length - 1 - (key ? length - 1 : 0)) / length);
  if (count < 1)
    throw new DataError(
      `textWindows: ${tokens.length} tokens give no window of ${length}; pass a longer text or a smaller length`,
    );
  const startOf = (epoch: number) => (key ? new Random(foldIn(key, "windows", epoch)).integer(length) : 0);
  const window = (from: number) => new Tensor("int32", [length], tokens.subarray(from, from + length));
  return new Dataset(
    indexedSource(count, (index, epoch) => {
      const from = startOf(epoch) + index * length;
      return { x: window(from), y: window(from + 1) };
    }),
  );
}
