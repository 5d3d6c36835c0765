/** Words as numbers: how a text is cut into tokens, and the table of those that a model knows. */

import { DataError, OptionError } from "../../core/errors.ts";
import { count, flag } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";

/** Tokens that stand for no word, and their ids: the first four of every vocabulary. */
export const specialTokens = ["<pad>", "<unk>", "<bos>", "<eos>"] as const;
export const [
  /** Id of `<pad>`, which fills shorter sequences of a batch up. */
  paddingId,
  /** Id of `<unk>`, which stands for every word that is not known. */
  unknownId,
  /** Id of `<bos>`, with which a sentence begins. */
  beginId,
  /** Id of `<eos>`, with which a sentence ends. */
  endId,
] = [0, 1, 2, 3] as const;

/** Options of `wordsOf` and `sentenceOf`. */
export interface WordsOptions {
  /** Cut a word after an apostrophe, as French elides articles: `l'option` is `l'` and `option`; default false. */
  readonly elision?: boolean;
}

const checkWords = optionsOf<WordsOptions>("wordsOf", { elision: flag });

/**
 * A placeholder `{0}`, a word with its digits, and with apostrophes inside or, where they elide, with the names of files
 * (`tsconfig.json`); or one sign of punctuation.
 */
const whole = /\{\d+\}|[\p{L}\p{N}_]+(?:'[\p{L}\p{N}_]+)*|[^\s]/gu;
const elided = /\{\d+\}|[\p{L}\p{N}_]+'(?=[\p{L}\p{N}_])|[\p{L}\p{N}_]+(?:\.[\p{L}\p{N}_]+)*|[^\s]/gu;

/**
 * The tokens of a text: words in lower case, and each sign of punctuation by itself. Unicode is composed first (NFC), curly
 * apostrophes are straight ones.
 * @example
 * wordsOf("Don't stop!"); // ["don't", "stop", "!"]
 */
export function wordsOf(text: string, options: WordsOptions = {}): string[] {
  const { elision = false } = checkWords(options);
  const plain = text.normalize("NFC").replaceAll("’", "'").toLowerCase();
  return plain.match(elision ? elided : whole) ?? [];
}

/** A text of tokens, with spaces where people put them: none before a comma, inside quotes, after an elision. */
export function sentenceOf(tokens: readonly string[]): string {
  const open = new Set<string>();
  let text = "";
  let joins = true;
  for (const token of tokens) {
    const isQuote = token === "'" || token === '"';
    const closes = isQuote && open.delete(token);
    text += joins || closes || /^[-.,)\]}/]$/.test(token) ? token : ` ${token}`;
    if (isQuote && !closes) open.add(token);
    joins = isQuote ? !closes : /^[-([{/@]$|.'$/.test(token);
  }
  return text;
}

/** Options of `Vocabulary.of`. */
export interface VocabularyOptions {
  /** Tokens at most, the four special ones included; default 10,000. */
  readonly size?: number;
  /** How often a token must occur to be one of them; default 1. */
  readonly least?: number;
}

const checkVocabulary = optionsOf<VocabularyOptions>("vocabulary", { size: count(), least: count() });

/** Tokens and their ids. What is not among them is `<unk>`. */
export class Vocabulary {
  /** By id; the special ones first. */
  readonly tokens: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /** Throws DataError unless the tokens begin with the special ones and differ. */
  constructor(tokens: readonly string[]) {
    if (specialTokens.some((token, id) => tokens[id] !== token))
      throw new DataError(
        `a vocabulary begins with ${tokens.slice(0, 4).join(", ") || "nothing"}; expected ${specialTokens.join(", ")}`,
      );
    this.tokens = tokens;
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
    if (this.#ids.size !== tokens.length)
      throw new DataError(`a vocabulary of ${tokens.length} tokens has only ${this.#ids.size} different ones`);
  }

  /** The most frequent tokens of sentences; of equally frequent ones those that sort first. */
  static of(sentences: Iterable<readonly string[]>, options: VocabularyOptions = {}): Vocabulary {
    const { size = 10_000, least = 1 } = checkVocabulary(options);
    if (size <= specialTokens.length)
      throw new OptionError(`vocabulary: size is ${size}; pass a whole number above ${specialTokens.length}`);
    const counts = new Map<string, number>();
    for (const sentence of sentences) for (const token of sentence) counts.set(token, (counts.get(token) ?? 0) + 1);
    for (const token of specialTokens) counts.delete(token);
    const ranked = [...counts]
      .filter(([, count]) => count >= least)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(0, size - specialTokens.length);
    return new Vocabulary([...specialTokens, ...ranked.map(([token]) => token)]);
  }

  /** A vocabulary from its JSON form. Throws DataError for anything else. */
  static fromJSON(json: unknown): Vocabulary {
    const tokens = typeof json === "object" && json !== null && "tokens" in json ? json.tokens : undefined;
    if (!Array.isArray(tokens) || !tokens.every((token) => typeof token === "string"))
      throw new DataError('a vocabulary in JSON is { "tokens": [texts by id] }; pass what JSON.stringify gave of one');
    return new Vocabulary(tokens);
  }

  /** The vocabulary as plain data, which `Vocabulary.fromJSON` takes. */
  toJSON(): { readonly tokens: readonly string[] } {
    return { tokens: this.tokens };
  }

  /** Number of tokens, the special ones included. */
  get size(): number {
    return this.tokens.length;
  }

  /** Whether a token is known. */
  has(token: string): boolean {
    return this.#ids.has(token);
  }

  /** Ids of tokens; that of `<unk>` for one that is not known. */
  encode(tokens: readonly string[]): number[] {
    return tokens.map((token) => this.#ids.get(token) ?? unknownId);
  }

  /** Tokens up to the first `<eos>`, without `<bos>` and padding. Throws DataError for an id of another vocabulary. */
  decode(ids: Iterable<number>): string[] {
    const tokens: string[] = [];
    for (const id of ids) {
      const token = this.tokens[id];
      if (token === undefined)
        throw new DataError(
          `id ${id} is none of a vocabulary of ${this.size} tokens; decode with the one of its model`,
        );
      if (id === endId) break;
      if (id !== paddingId && id !== beginId) tokens.push(token);
    }
    return tokens;
  }

  /** Those of the tokens that are not known, each once. */
  unknown(tokens: readonly string[]): string[] {
    return [...new Set(tokens)].filter((token) => !this.#ids.has(token));
  }
}
