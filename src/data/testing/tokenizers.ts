/** Tokenizers as models have them, small: of bytes as GPT-2's, of words with their spaces as Llama 2's, of lower case as BERT's. */
import { trainBpe } from "../text/bpe.ts";
import { type Tokenizer, tokenizerOf } from "../text/tokenizer.ts";

/** Turns of ChatML and of Llama 2, and the ends of texts. */
export const specials = ["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"];

export const learnedFrom =
  "Below is an instruction that describes a task. Write a response that completes the request. user assistant system. ".repeat(
    5,
  );

/** Byte-level byte pairs, with the special tokens recognized in texts. */
export const byteTokenizer = (): Tokenizer =>
  tokenizerOf(JSON.parse(trainBpe(learnedFrom, { vocabulary: 340, special: specials }).json()));

const added = (tokens: readonly string[]) =>
  tokens.map((content, id) => ({
    id,
    content,
    special: true,
    normalized: false,
    single_word: false,
    lstrip: false,
    rstrip: false,
  }));

const letters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter((sign) => sign !== " ");

/** SentencePiece's byte pairs: "▁" stands for a space and before the first word; what it has no token for becomes bytes. */
export function spaceTokenizer(): Tokenizer {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const merges = [
    ["▁", "4"],
    ["▁", "t"],
    ["▁t", "h"],
    ["▁th", "e"],
    ["▁", "▁"],
    ["]", "▁"],
  ];
  const tokens = [...specials, ...bytes, "▁", ...letters, ...merges.map((pair) => pair.join(""))];
  return tokenizerOf({
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    added_tokens: added(specials),
    model: {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
      byte_fallback: true,
      unk_token: "<pad>",
    },
  });
}

/** Pieces of words in lower case: decoding does not give the text back. */
export function wordTokenizer(): Tokenizer {
  const tokens = [...specials, "[UNK]", ...letters, ...letters.map((sign) => `##${sign}`), "the", "##ing"];
  return tokenizerOf({
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    added_tokens: added(specials),
    model: {
      type: "WordPiece",
      vocab: Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id])),
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
    },
  });
}
