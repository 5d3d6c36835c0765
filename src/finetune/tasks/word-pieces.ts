/** Words as tokens, each word's by themselves, so that it is known which word a token is of. */
import type { Tokenizer } from "../../data/index.ts";

/** A word in a text. */
export interface TextWord {
  /** Its first character. */
  readonly start: number;
  /** The character behind its last one. */
  readonly end: number;
}

/** Words and signs as people part them: `don't`, `3.5` and `Anna-Lena` are one word each, a full stop is one. */
const words = /[\p{L}\p{N}\p{M}]+(?:['’.,-][\p{L}\p{N}\p{M}]+)*|[^\s]/gu;
/** Runs of letters and digits, and single signs. */
const runs = /[\p{L}\p{N}\p{M}]+|[^\s]/gu;

const found = (text: string, pattern: RegExp): TextWord[] =>
  Array.from(text.matchAll(pattern), (match) => ({ start: match.index, end: match.index + match[0].length }));

/** The words of a text, and its signs of punctuation. */
export const wordsOfText = (text: string): string[] =>
  found(text, words).map(({ start, end }) => text.slice(start, end));

/** The smallest parts of a text that an answer may begin and end at. */
export const runsOfText = (text: string): TextWord[] => found(text, runs);

/** Tokens of words, and what the tokenizer puts around them. */
export interface WordPieces {
  /** Ids before the first word, such as that of `[CLS]`. */
  readonly before: readonly number[];
  /** Ids of each word; none for a word that the tokenizer drops. */
  readonly pieces: readonly (readonly number[])[];
  /** Ids behind the last word. */
  readonly after: readonly number[];
}

/** Where a part stands among ids, from a place on; -1 where it does not. */
export function placeOfPart(ids: readonly number[], part: readonly number[], from = 0): number {
  for (let at = from; at + part.length <= ids.length; at++) if (part.every((id, i) => ids[at + i] === id)) return at;
  return -1;
}

/** What a tokenizer puts before and behind a text. */
function around(tokenizer: Tokenizer, text: string, inner: readonly number[]) {
  const whole = tokenizer.encodeWithSpecial(text);
  const at = placeOfPart(whole, inner);
  return at < 0 ? { before: [], after: [] } : { before: whole.slice(0, at), after: whole.slice(at + inner.length) };
}

/**
 * The tokens of words, with a space before those that `isSpaced` says; default all but the first. Where the tokens of words by themselves
 * are not those of the text, as in tokenizers that mark the beginnings of words in their own way, each word is read as a text.
 */
export function wordPieces(
  tokenizer: Tokenizer,
  words: readonly string[],
  isSpaced: (word: number) => boolean = (word) => word > 0,
): WordPieces {
  const text = words.map((word, i) => (isSpaced(i) ? ` ${word}` : word)).join("");
  const inner = tokenizer.encode(text);
  const spaced = words.map((word, i) => tokenizer.encode(isSpaced(i) ? ` ${word}` : word));
  const same = (pieces: readonly (readonly number[])[]) => {
    const ids = pieces.flat();
    return ids.length === inner.length && placeOfPart(inner, ids) === 0;
  };
  const { before, after } = around(tokenizer, text, inner);
  if (same(spaced)) return { before, pieces: spaced, after };
  const alone = words.map((word) => tokenizer.encode(word));
  return { before, pieces: same(alone) ? alone : spaced, after };
}
