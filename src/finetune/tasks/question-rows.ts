/** Questions with the texts that they are asked of, as rows of token ids; of long texts several windows. */
import { OptionError } from "../../core/errors.ts";
import { append } from "../../core/lists.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Tokenizer } from "../../data/index.ts";
import type { TextReader } from "./text-rows.ts";
import { placeOfPart, runsOfText, type TextWord, wordPieces } from "./word-pieces.ts";

/** A row: a question, and a part of the text. */
export interface QuestionWindow {
  /** Token ids. */
  readonly ids: readonly number[];
  /** The place of the first token of the text's part. */
  readonly context: number;
  /** The words of the part, with the places of their first and last tokens. */
  readonly words: readonly (TextWord & { readonly first: number; readonly last: number })[];
}

/** Words of an answer at most. */
const longestAnswer = 30;
/** Tokens of the text that a row must have room for. */
const leastRoom = 8;

/** What stands before, between and behind two texts. */
function pairTemplate(tokenizer: Tokenizer, question: string, word: string) {
  const whole = tokenizer.encodePair(question, word);
  const [first, second] = [tokenizer.encode(question), tokenizer.encode(word)];
  const at = placeOfPart(whole, first);
  const next = at < 0 ? -1 : placeOfPart(whole, second, at + first.length);
  return next < 0 ? { head: first, tail: [] } : { head: whole.slice(0, next), tail: whole.slice(next + second.length) };
}

/**
 * The windows of a question and its text, each of `length` tokens at most; neighbours share a third of their words, so that an answer that
 * one cuts stands whole in the other. Throws OptionError for a question that leaves no room.
 */
export function questionWindows(
  { question, context }: { readonly question: string; readonly context: string },
  { tokenizer, length }: Pick<TextReader, "tokenizer" | "length">,
): QuestionWindow[] {
  const words = runsOfText(context);
  const textOf = ({ start, end }: TextWord) => context.slice(start, end);
  const { pieces } = wordPieces(
    tokenizer,
    words.map(textOf),
    (i) => i > 0 && (words[i]?.start ?? 0) > (words[i - 1]?.end ?? 0),
  );
  const { head, tail } = pairTemplate(tokenizer, question, words[0] ? textOf(words[0]) : "");
  const room = length - head.length - tail.length;
  if (room < leastRoom)
    throw new OptionError(
      `the question "${question.slice(0, 60)}" takes ${head.length + tail.length} of ${length} tokens, which leaves fewer than ${leastRoom} for the text; shorten it, or pass a larger length`,
    );
  const windows: QuestionWindow[] = [];
  for (let from = 0; from < words.length || windows.length === 0; ) {
    const ids = [...head];
    const own: QuestionWindow["words"][number][] = [];
    let next = from;
    for (; next < words.length; next++) {
      // A word that is longer than a row is cut.
      const piece = (pieces[next] ?? []).slice(0, room);
      if (ids.length + piece.length > head.length + room) break;
      if (piece.length > 0)
        own.push({ ...(words[next] as TextWord), first: ids.length, last: ids.length + piece.length - 1 });
      append(ids, piece);
    }
    windows.push({ ids: [...ids, ...tail], context: head.length, words: own });
    if (next >= words.length) break;
    from = Math.max(from + 1, next - Math.floor((next - from) / 3));
  }
  return windows;
}

/** Places of the first and last token of an answer, by its characters; the row's first token where it does not stand in it whole. */
export function answerPlaces(
  { words }: QuestionWindow,
  { start, end }: TextWord,
): readonly [first: number, last: number] {
  const touched = words.filter((word) => word.end > start && word.start < end);
  const [first, last] = [touched[0], touched.at(-1)];
  return first && last && first.start <= start && last.end >= end ? [first.first, last.last] : [0, 0];
}

/** Token ids, which of them take part, and the segment of each: 0 for the question, 1 for the text; each [N, length]. */
export interface QuestionRows {
  readonly x: Tensor<"int32">;
  readonly mask: Tensor<"int32">;
  readonly types: Tensor<"int32">;
}

/** Rows of windows. */
export function questionRows(windows: readonly QuestionWindow[], { length, padding }: TextReader): QuestionRows {
  const shape = [windows.length, length];
  const [x, mask, types] = [padding, 0, 0].map((fill) => new Int32Array(windows.length * length).fill(fill));
  for (const [row, { ids, context }] of windows.entries()) {
    x?.set(ids, row * length);
    mask?.fill(1, row * length, row * length + ids.length);
    types?.fill(1, row * length + context, row * length + ids.length);
  }
  const tensorOf = (data = new Int32Array()) => new Tensor("int32", shape, data);
  return { x: tensorOf(x), mask: tensorOf(mask), types: tensorOf(types) };
}

/** An answer that was found. */
export interface FoundAnswer extends TextWord {
  /** Its words. */
  readonly text: string;
  /** The product of the probabilities of its first and its last token among those of the text. */
  readonly probability: number;
}

/**
 * The best answer by scores [N, T, 2] of the first and the last token of an answer, for the windows of one text from a row on: the span of up to
 * 30 words with the largest sum. Throws nothing; of a text without words the answer is empty.
 */
export function bestAnswer(
  { shape, data }: Tensor,
  row: number,
  windows: readonly QuestionWindow[],
  context: string,
): FoundAnswer {
  const [, length = 1] = shape;
  let best: { start: number; end: number; score: number } = { start: 0, end: 0, score: Number.NEGATIVE_INFINITY };
  const [starts, ends]: [number[], number[]] = [[], []];
  for (const [i, { words }] of windows.entries()) {
    const scoreOf = (place: number, side: 0 | 1) => Number(data[((row + i) * length + place) * 2 + side]);
    for (const [from, first] of words.entries()) {
      starts.push(scoreOf(first.first, 0));
      ends.push(scoreOf(first.last, 1));
      for (const last of words.slice(from, from + longestAnswer)) {
        const score = scoreOf(first.first, 0) + scoreOf(last.last, 1);
        if (score > best.score) best = { start: first.start, end: last.end, score };
      }
    }
  }
  const logSum = (scores: readonly number[]) => {
    const highest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    return highest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - highest), 0));
  };
  const { start, end, score } = best;
  const probability = starts.length === 0 ? 0 : Math.exp(score - logSum(starts) - logSum(ends));
  return { start, end, text: context.slice(start, end), probability };
}
