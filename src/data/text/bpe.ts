/**
 * Training of byte-level byte-pair encodings (Sennrich et al. 2016; Radford et al. 2019, sec. 2.2): the pair of tokens that is most
 * frequent inside words becomes a token, again and again.
 */

import { DataError, OptionError } from "../../core/errors.ts";
import { count, flag, listOf, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { type Tokenizer, tokenizerOf } from "./tokenizer.ts";

/** Options of `trainBpe`. */
export interface BpeOptions {
  /** Tokens in all: 256 bytes, the special ones, and the merged ones. */
  readonly vocabulary: number;
  /** Tokens that stand for no text, such as `[MASK]`; they have the first ids; default none. */
  readonly special?: readonly string[];
  /** Take capital letters for small ones; default false. */
  readonly lowercase?: boolean;
}

const checkOptions = optionsOf<BpeOptions>("trainBpe", {
  vocabulary: required(count()),
  special: listOf(string, 'tokens such as "[MASK]"'),
  lowercase: flag,
});

/** Where GPT-2 cuts words: contractions, letters, digits and other signs, each with the space before it. */
const cuts = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

const piecesOf = (text: string): string[] => text.match(cuts) ?? [];

/** A printable character for every byte: itself where it is printable, else the next one from U+0100 on. */
const byteCharacters: readonly string[] = (() => {
  const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();

/** A word as tokens, and how often the text has it. */
interface Word {
  tokens: number[];
  readonly count: number;
}

const separator = 2 ** 21; // ids are smaller; a pair fits into a number

/** How often pairs of neighbouring tokens occur, and in which words. */
class Pairs {
  readonly counts = new Map<number, number>();
  readonly #words = new Map<number, Set<Word>>();

  add(word: Word, sign: 1 | -1): void {
    for (let i = 0; i + 1 < word.tokens.length; i++) {
      const pair = (word.tokens[i] ?? 0) * separator + (word.tokens[i + 1] ?? 0);
      this.counts.set(pair, (this.counts.get(pair) ?? 0) + sign * word.count);
      if (sign < 0) continue;
      const own = this.#words.get(pair);
      if (own) own.add(word);
      else this.#words.set(pair, new Set([word]));
    }
  }

  /** The most frequent pair; of equals the one of the smaller ids. */
  best(): { readonly pair: number; readonly count: number } {
    let [best, most] = [0, 0];
    for (const [pair, count] of this.counts)
      if (count > most || (count === most && count > 0 && pair < best)) [best, most] = [pair, count];
    return { pair: best, count: most };
  }

  /** Words that have the pair, or had it. */
  take(pair: number): Iterable<Word> {
    const own = this.#words.get(pair) ?? [];
    this.#words.delete(pair);
    this.counts.delete(pair);
    return own;
  }
}

function merged(tokens: readonly number[], left: number, right: number, id: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const here = tokens[i] ?? 0;
    if (here === left && tokens[i + 1] === right) {
      result.push(id);
      i++;
    } else result.push(here);
  }
  return result;
}

/** The words of a text as bytes, each with its count. */
function wordsOf(text: string, firstByte: number): Word[] {
  const counts = new Map<string, number>();
  for (const word of piecesOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const encoder = new TextEncoder();
  return Array.from(counts, ([word, count]) => ({
    tokens: Array.from(encoder.encode(word), (byte) => firstByte + byte),
    count,
  }));
}

/**
 * A tokenizer trained on a text. Any text can be encoded, since every byte is a token. Ends early when no pair occurs twice.
 * Throws OptionError for a vocabulary that has no room for the bytes, DataError for an empty text.
 * @example trainBpe(book, { vocabulary: 2048 }).encode("Call me Ishmael.")
 */
export function trainBpe(text: string, options: BpeOptions): Tokenizer {
  const { vocabulary, special = [], lowercase = false } = checkOptions(options);
  const bytes = byteCharacters.length;
  if (vocabulary < special.length + bytes || vocabulary >= separator)
    throw new OptionError(
      `trainBpe: vocabulary is ${vocabulary}; pass a whole number from ${special.length + bytes}, the bytes and special tokens`,
    );
  if (text === "") throw new DataError("trainBpe: the text is empty; pass one to learn from");
  const tokens = [...special, ...byteCharacters];
  const merges: [string, string][] = [];
  const pairs = new Pairs();
  for (const word of wordsOf(lowercase ? text.toLowerCase() : text, special.length)) pairs.add(word, 1);
  while (tokens.length < vocabulary) {
    const { pair, count } = pairs.best();
    if (count < 2) break;
    const [left, right] = [Math.floor(pair / separator), pair % separator];
    const [first = "", second = ""] = [tokens[left], tokens[right]];
    merges.push([first, second]);
    const id = tokens.push(first + second) - 1;
    for (const word of pairs.take(pair)) {
      const next = merged(word.tokens, left, right, id);
      if (next.length === word.tokens.length) continue;
      pairs.add(word, -1);
      word.tokens = next;
      pairs.add(word, 1);
    }
    pairs.counts.delete(pair);
  }
  const file = {
    version: "1.0",
    normalizer: lowercase ? { type: "Lowercase" } : null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    model: { type: "BPE", vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  };
  return tokenizerOf(file, (given) => piecesOf(lowercase ? given.toLowerCase() : given));
}
