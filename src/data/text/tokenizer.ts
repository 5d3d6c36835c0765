/** Tokenizers: texts as the numbers that models read, and back. */
import { Tokenizer as Pipeline } from "@huggingface/tokenizers";
import { DataError, FileError } from "../../core/errors.ts";

export interface Tokenizer {
  /** How many tokens there are. */
  readonly size: number;
  /** As they are written, in the order of their ids. */
  readonly tokens: readonly string[];
  /** Ids of a text's tokens. Throws DataError for what it has no token for. */
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
  /** The id of a token as it is written. Throws DataError when there is none. */
  idOf(token: string): number;
  /** The tokenizer as a file in the format of Hugging Face's `tokenizer.json`. */
  json(): string;
}

/** What a `tokenizer.json` needs at least. */
export interface TokenizerFile {
  readonly model: { readonly type: string; readonly vocab: Readonly<Record<string, number>> };
  readonly added_tokens?: readonly { readonly id: number; readonly content: string }[];
}

/**
 * A tokenizer of Hugging Face's format, run by their library. `piecesOf` may cut a text where no token crosses, so that each
 * distinct piece is tokenized once. Throws FileError when the file is none.
 */
export function tokenizerOf(file: TokenizerFile, piecesOf?: (text: string) => Iterable<string>): Tokenizer {
  let pipeline: Pipeline;
  try {
    pipeline = new Pipeline(file, {});
  } catch (cause) {
    throw new FileError(`this is no tokenizer.json (${(cause as Error).message}); pass one of Hugging Face's format`, {
      cause,
    });
  }
  const known = new Map<string, readonly number[]>();
  const whole = (text: string) => pipeline.encode(text, { add_special_tokens: false }).ids;
  const piece = (text: string) => {
    const found = known.get(text) ?? whole(text);
    known.set(text, found);
    return found;
  };
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(file.model.vocab)) tokens[id] = token;
  for (const { id, content } of file.added_tokens ?? []) tokens[id] = content;
  return {
    size: tokens.length,
    tokens,
    encode: (text) => (text === "" ? [] : piecesOf ? Array.from(piecesOf(text), piece).flat() : whole(text)),
    decode: (given) => (given.length === 0 ? "" : pipeline.decode([...given], { clean_up_tokenization_spaces: false })),
    idOf(token) {
      const id = pipeline.token_to_id(token);
      if (id === undefined) throw new DataError(`the tokenizer has no token "${token}"; it was trained without it`);
      return id;
    },
    json: () => JSON.stringify(file),
  };
}

/** A token for each of a text's characters, in the order of their code points. */
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
  return {
    size: characters.length,
    tokens: characters,
    encode: (given) => Array.from(given, (character, at) => idOf(character, ` at position ${at + 1} of the text`)),
    decode: (given) => given.map((id) => characters[id] ?? "\uFFFD").join(""),
    idOf,
    json: () =>
      JSON.stringify({
        version: "1.0",
        normalizer: null,
        post_processor: null,
        pre_tokenizer: { type: "Split", pattern: { Regex: "[\\s\\S]" }, behavior: "Isolated", invert: false },
        decoder: { type: "Fuse" },
        added_tokens: [],
        model: { type: "WordLevel", vocab: Object.fromEntries(ids), unk_token: "\uFFFD" },
      }),
  };
}
