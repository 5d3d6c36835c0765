/** Sentences of words as rows of token ids, with the places where each word begins. */
import { append } from "../../core/lists.ts";
import { Tensor } from "../../core/tensor.ts";
import type { TextReader, TextRows } from "./text-rows.ts";
import { wordPieces } from "./word-pieces.ts";

/** Rows of sentences. */
export interface WordRows extends TextRows {
  /** Of each sentence, and each of its words, the place of its first token; -1 where a word has none in the row. */
  readonly starts: readonly (readonly number[])[];
}

/** One sentence as token ids, of whole words as many as fit. */
function rowOf(words: readonly string[], { tokenizer, length }: Pick<TextReader, "tokenizer" | "length">) {
  const { before, pieces, after } = wordPieces(tokenizer, words);
  const ids = [...before];
  const room = length - after.length;
  let isFull = false;
  const starts = pieces.map((own) => {
    isFull ||= ids.length + own.length > room;
    if (isFull || own.length === 0) return -1;
    append(ids, own);
    return ids.length - own.length;
  });
  return { ids: [...ids, ...after].slice(0, length), starts, isCut: isFull };
}

/** Rows of sentences; of longer ones the last words are left out. */
export function wordRows(sentences: readonly (readonly string[])[], reader: TextReader): WordRows {
  const { length, padding } = reader;
  const x = new Int32Array(sentences.length * length).fill(padding);
  const mask = new Int32Array(sentences.length * length);
  const starts = sentences.map((words, row) => {
    const { ids, starts: own } = rowOf(words, reader);
    x.set(ids, row * length);
    mask.fill(1, row * length, row * length + ids.length);
    return own;
  });
  const shape = [sentences.length, length];
  return { x: new Tensor("int32", shape, x), mask: new Tensor("int32", shape, mask), starts };
}

/** Tokens of the longest sentence, at most so many; how many sentences are cut, and how many words have no token at all. */
export function wordLength(
  sentences: readonly (readonly string[])[],
  tokenizer: TextReader["tokenizer"],
  most: number,
): { readonly length: number; readonly cut: number; readonly dropped: number } {
  let [longest, cut, dropped] = [1, 0, 0];
  for (const words of sentences) {
    const { before, pieces, after } = wordPieces(tokenizer, words);
    const length = before.length + after.length + pieces.reduce((sum, own) => sum + own.length, 0);
    longest = Math.max(longest, length);
    if (length > most) cut++;
    dropped += pieces.filter((own) => own.length === 0).length;
  }
  return { length: Math.min(longest, most), cut, dropped };
}
