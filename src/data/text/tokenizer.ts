/** Tokenizers: texts as the numbers that models read, and back. */
import { Tokenizer as Pipeline } from "@huggingface/tokenizers";
import * as z from "zod";
import { DataError, FileError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { boundPatterns } from "./file-patterns.ts";

/** From texts to token ids and back. Make one with `characterTokenizer`, `trainBpe` or, from a file, `tokenizerOf`. */
export interface Tokenizer {
  /** How many tokens there are. */
  readonly size: number;
  /** As they are written, in the order of their ids. */
  readonly tokens: readonly string[];
  /** Ids of a text's tokens. Throws DataError for what it has no token for. */
  encode(text: string): number[];
  /** Ids of a text with the tokens that the tokenizer's file puts around it, such as `[CLS]` and `[SEP]`. */
  encodeWithSpecial(text: string): number[];
  /** Ids of two texts, such as a question and what it is asked of, with the tokens that the file puts around and between them. */
  encodePair(first: string, second: string): number[];
  /** The text of tokens. Throws DataError for an id that there is not. */
  decode(ids: readonly number[]): string;
  /** The id of a token as it is written. Throws DataError when there is none. */
  idOf(token: string): number;
  /** The tokenizer as a file in the format of Hugging Face's `tokenizer.json`. */
  json(): string;
}

/** Ids by token; of a unigram model (Kudo 2018) tokens with their log-probabilities, in the order of their ids. */
const vocabSchema = z.union([
  z.record(z.string(), z.number().int().min(0)),
  z.array(z.tuple([z.string(), z.number()])),
]);

/** What a `tokenizer.json` needs at least. */
export const tokenizerFileSchema = z.looseObject({
  model: z.looseObject({ type: z.string(), vocab: vocabSchema }),
  added_tokens: z.array(z.looseObject({ id: z.number().int().min(0), content: z.string() })).optional(),
});
/** A `tokenizer.json`. */
export type TokenizerFile = z.infer<typeof tokenizerFileSchema>;

/**
 * A tokenizer of Hugging Face's format, run by their library. `piecesOf` may cut a text where no token crosses, so that each
 * distinct piece is tokenized once. Throws FileError when the file is none.
 */
export function tokenizerOf(file: TokenizerFile, piecesOf?: (text: string) => Iterable<string>): Tokenizer {
  const { success, error } = tokenizerFileSchema.safeParse(file);
  if (!success)
    throw new FileError(
      `this is no tokenizer.json (${error.issues[0]?.path.join(".")}: ${error.issues[0]?.message}); pass one of Hugging Face's format`,
    );
  requireShortTokens(file);
  const characters = charactersOf(file);
  if (characters) return characterTokenizer(characters);
  let pipeline: Pipeline;
  try {
    pipeline = new Pipeline({ ...absent, ...file }, {});
    boundPatterns([pipeline.normalizer, pipeline.pre_tokenizer, pipeline.decoder]);
  } catch (cause) {
    throw new FileError(`this is no tokenizer.json (${(cause as Error).message}); pass one of Hugging Face's format`, {
      cause,
    });
  }
  const known = new Map<string, readonly number[]>();
  const encoded = (text: string, options: Parameters<Pipeline["encode"]>[1]): number[] =>
    inFile("encode", () => {
      const ids: number[] = pipeline.encode(text, options).ids;
      const stray = ids.findIndex((id) => !Number.isInteger(id));
      if (stray >= 0) throw new Error(`token ${stray} has the id ${ids[stray]}`);
      return ids;
    });
  const whole = (text: string) => encoded(text, { add_special_tokens: false });
  const piece = (text: string) => {
    const found = known.get(text) ?? whole(text);
    known.set(text, found);
    return found;
  };
  const encode = (text: string): number[] =>
    text === "" ? [] : piecesOf ? Array.from(piecesOf(text), piece).flat() : whole(text);
  const tokens: string[] = [];
  for (const [token, id] of idsOf(file)) tokens[id] = token;
  for (const { id, content } of file.added_tokens ?? []) tokens[id] = content;
  return {
    size: tokens.length,
    tokens,
    encode,
    encodeWithSpecial: (text) => (file["post_processor"] ? encoded(text, { add_special_tokens: true }) : encode(text)),
    encodePair: (first, second) =>
      file["post_processor"]
        ? encoded(first, { text_pair: second, add_special_tokens: true })
        : [...encode(first), ...encode(second)],
    decode: (given) =>
      given.length === 0
        ? ""
        : inFile("decode", () => pipeline.decode([...given], { clean_up_tokenization_spaces: false })),
    idOf(token) {
      const id = pipeline.token_to_id(token);
      if (id === undefined) throw new DataError(`the tokenizer has no token "${token}"; it was trained without it`);
      return id;
    },
    json: () => JSON.stringify(file),
  };
}

/** Refuses a model whose work on a word or a text is without bounds. Throws FileError. */
function requireShortTokens({ model }: TokenizerFile): void {
  const most = limits.tokenLength;
  const longest = model["max_input_chars_per_word"];
  if (model.type === "WordPiece" && typeof longest === "number" && !(longest <= most))
    throw new FileError(
      `the tokenizer.json has max_input_chars_per_word ${longest}; ${most} is the limit tokenLength: lower it, no word is as long`,
    );
  if (!Array.isArray(model.vocab)) return;
  const at = model.vocab.findIndex(([token]) => token.length > most);
  if (at >= 0)
    throw new FileError(
      `the tokenizer.json has a token of ${model.vocab[at]?.[0].length} characters, at ${at} of its vocabulary; ${most} is the limit tokenLength`,
    );
}

/** What the library meets in a file only as it works. Throws FileError for what is wrong there. */
function inFile<T>(what: "encode" | "decode", work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new FileError(
      `the tokenizer.json does not ${what} a text (${(cause as Error).message}); a part of it is missing or of another form, get the file anew`,
      { cause },
    );
  }
}

/** The parts that a file may leave out, which the library asks for. */
const absent = { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };

/** The tokens of a file with their ids, without those that were added. */
const idsOf = ({ model: { vocab } }: TokenizerFile): readonly (readonly [token: string, id: number])[] =>
  Array.isArray(vocab) ? vocab.map(([token], id) => [token, id]) : Object.entries(vocab);

/** Cuts a text into characters. */
const eachCharacter = { type: "Split", pattern: { Regex: "[\\s\\S]" }, behavior: "Isolated", invert: false };

/** The characters of a file that `characterTokenizer` wrote. */
function charactersOf({ model: { vocab }, ...file }: TokenizerFile): string | undefined {
  const isOfCharacters = JSON.stringify(file["pre_tokenizer"]) === JSON.stringify(eachCharacter);
  return isOfCharacters && !Array.isArray(vocab) ? Object.keys(vocab).join("") : undefined;
}

/**
 * A tokenizer with a token for each of a text's different characters, in the order of their code points; it encodes
 * texts of those alone.
 */
export function characterTokenizer(text: string): Tokenizer {
  const characters = [...new Set(text)].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
  if (characters.length === 0) throw new DataError("there is no character in the text; pass a text to learn them from");
  const ids = new Map(characters.map((character, id) => [character, id]));
  const idOf = (character: string, where = "") => {
    const id = ids.get(character);
    if (id === undefined)
      throw new DataError(
        `the character "${character}"${where} is none of the ${characters.length} that the model knows; leave it out, or train on a text that has it`,
      );
    return id;
  };
  const encode = (given: string) =>
    Array.from(given, (character, at) => idOf(character, ` at position ${at + 1} of the text`));
  return {
    size: characters.length,
    tokens: characters,
    encode,
    encodeWithSpecial: encode,
    encodePair: (first, second) => [...encode(first), ...encode(second)],
    decode: (given) => given.map((id) => characters[id] ?? "\uFFFD").join(""),
    idOf,
    json: () =>
      JSON.stringify({
        version: "1.0",
        normalizer: null,
        post_processor: null,
        pre_tokenizer: eachCharacter,
        decoder: { type: "Fuse" },
        added_tokens: [],
        model: { type: "WordLevel", vocab: Object.fromEntries(ids), unk_token: "\uFFFD" },
      }),
  };
}
