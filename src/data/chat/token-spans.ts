/** Which tokens of a text lie in spans of its characters. Tokenizers tell no places, so that they are found, and proven. */
import { DataError } from "../../core/errors.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Span } from "./jinja.ts";

/** What encodes and decodes; of a `Tokenizer` no more is needed. */
export type TextCoder = Pick<Tokenizer, "encode" | "decode">;

/** A place between two tokens, or within one. */
export interface TokenPlace {
  /** Tokens that end at the place or before it. */
  readonly before: number;
  /** Whether the next token begins before the place and ends behind it. */
  readonly within: boolean;
}

const beginsWith = (ids: readonly number[], prefix: readonly number[]): boolean =>
  prefix.length <= ids.length && prefix.every((id, i) => id === ids[i]);

/** Characters before and behind a place among which another is looked for. */
const reach = 32;

/**
 * Finds places in the tokens of a text. Where the tokens of the text before a place are the first ones of the whole, it is behind them.
 * Otherwise it is where the text of the first tokens ends, provided that all of them give the text back; or else within the one token
 * between the nearest places before and behind it that can be found. `undefined` when none of it holds.
 */
export function tokenPlaces(
  text: string,
  ids: readonly number[],
  coder: TextCoder,
): (at: number) => TokenPlace | undefined {
  let lossless: boolean | undefined;
  /** Characters that the first tokens make up; a character of which some bytes lack does not count. */
  const endOf = (count: number): number | undefined => {
    const begun = coder.decode(ids.slice(0, count));
    const whole = text.startsWith(begun) ? begun : begun.replace(/\uFFFD+$/, "");
    return text.startsWith(whole) ? whole.length : undefined;
  };
  const byDecoding = (at: number): TokenPlace | undefined => {
    lossless ??= coder.decode(ids) === text;
    if (!lossless) return undefined;
    // The least number of tokens that reach the place.
    let [low, high] = [0, ids.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const end = endOf(middle);
      if (end === undefined) return undefined;
      if (end >= at) high = middle;
      else low = middle + 1;
    }
    return endOf(low) === at ? { before: low, within: false } : { before: low - 1, within: true };
  };
  const byPrefix = (at: number): number | undefined => {
    if (at === 0 || at === text.length) return at === 0 ? 0 : ids.length;
    const prefix = coder.encode(text.slice(0, at));
    return beginsWith(ids, prefix) ? prefix.length : undefined;
  };
  const byNeighbours = (at: number): TokenPlace | undefined => {
    const nearest = (step: 1 | -1): number | undefined => {
      for (let i = 1; i <= reach; i++) {
        const place = at + step * i;
        const found = place < 0 || place > text.length ? undefined : byPrefix(place);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    const [before, behind] = [nearest(-1), nearest(1)];
    if (before === undefined || behind === undefined || behind - before > 1) return undefined;
    return { before, within: behind > before };
  };
  return (at) => {
    const before = byPrefix(at);
    return before === undefined ? (byDecoding(at) ?? byNeighbours(at)) : { before, within: false };
  };
}

/** A span whose end may lie at several places, all as good; the first that is between two tokens is taken. */
export interface LearnedSpan {
  readonly start: number;
  readonly ends: readonly number[];
}

export const spanOf = ([start, end]: Span): LearnedSpan => ({ start, ends: [end] });

const excerpt = (text: string, at: number): string =>
  `${JSON.stringify(text.slice(Math.max(0, at - 20), at))} and ${JSON.stringify(text.slice(at, at + 20))}`;

/**
 * 1 for the tokens that have a character of a span, 0 for others: a token that begins before a span and reaches into it is the
 * first of its answer. Throws DataError, opening with `where`, when a token reaches over the end of a span, or when the tokens cannot
 * be told apart.
 */
export function tokensOfSpans(
  text: string,
  ids: readonly number[],
  spans: readonly LearnedSpan[],
  coder: TextCoder,
  where: string,
): Uint8Array {
  const placeOf = tokenPlaces(text, ids, coder);
  const found = (at: number): TokenPlace => {
    const place = placeOf(at);
    if (place) return place;
    throw new DataError(
      `${where}: cannot tell which tokens lie before and behind the border between ${excerpt(text, at)}: the tokenizer changes the text; end turns with special tokens in the chat template`,
    );
  };
  const learned = new Uint8Array(ids.length);
  for (const { start, ends } of spans) {
    const first = found(start).before;
    const end = ends.map(found).find(({ within }) => !within);
    if (!end)
      throw new DataError(
        `${where}: a token reaches over the end of an answer, between ${excerpt(text, ends[0] ?? 0)}, so that it would be learned with what follows; end turns with a special token in the chat template`,
      );
    learned.fill(1, first, end.before);
  }
  return learned;
}
