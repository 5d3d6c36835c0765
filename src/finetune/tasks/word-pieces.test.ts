/** Words as tokens: of tokenizers that see spaces, that do not, and that put tokens around a text. */
import { expect, test } from "vitest";
import { characterTokenizer, tokenizerOf, trainBpe } from "../../data/index.ts";
import { runsOfText, wordPieces, wordsOfText } from "./word-pieces.ts";
import { wordLength, wordRows } from "./word-rows.ts";

/** WordPiece as BERT's, with [CLS] and [SEP]. */
const wordPiece = tokenizerOf({
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: { type: "BertProcessing", sep: ["[SEP]", 2], cls: ["[CLS]", 1] },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[UNK]": 0, "[CLS]": 1, "[SEP]": 2, play: 3, "##ing": 4, now: 5, ".": 6, "[PAD]": 7 },
  },
  added_tokens: [],
});

test("of WordPiece, with what stands around a text", () => {
  expect(wordPieces(wordPiece, ["Playing", "now", "."])).toEqual({
    before: [1],
    pieces: [[3, 4], [5], [6]],
    after: [2],
  });
});

test("of byte pairs, whose tokens begin with the space", () => {
  const tokenizer = trainBpe("the cat sat on the mat, the cat sat", { vocabulary: 290 });
  const { pieces } = wordPieces(tokenizer, ["the", "cat", "sat"]);
  expect(pieces.flat()).toEqual(tokenizer.encode("the cat sat"));
  expect(tokenizer.decode(pieces[1] ?? [])).toBe(" cat");
});

test("of a tokenizer that marks each word, which is then read by itself", () => {
  const tokenizer = tokenizerOf({
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    model: {
      type: "BPE",
      vocab: { "▁": 0, a: 1, b: 2, "▁a": 3, "▁b": 4, "<unk>": 5 },
      merges: ["▁ a", "▁ b"],
      unk_token: "<unk>",
    },
    added_tokens: [],
  });
  expect(tokenizer.encode("a b")).toEqual([3, 4]);
  expect(wordPieces(tokenizer, ["a", "b"]).pieces).toEqual([[3], [4]]);
});

test("rows keep whole words, and what stands around them", () => {
  const reader = { tokenizer: wordPiece, length: 5, padding: 7 };
  const { x, mask, starts } = wordRows([["now", "playing", "now"], ["."]], reader);
  expect(x.toNumbers()).toEqual([1, 5, 3, 4, 2, 1, 6, 2, 7, 7]);
  expect(mask.toNumbers()).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
  expect(starts).toEqual([[1, 2, -1], [1]]);
  expect(wordLength([["now", "playing", "now"], ["\u0000"]], wordPiece, 5)).toEqual({ length: 5, cut: 1, dropped: 1 });
});

test("words of a text, and the runs that answers may begin and end at", () => {
  expect(wordsOfText("Don't pay 3.50, Anna-Lena!")).toEqual(["Don't", "pay", "3.50", ",", "Anna-Lena", "!"]);
  const text = "It's 3.5 km";
  expect(runsOfText(text).map(({ start, end }) => text.slice(start, end))).toEqual([
    "It",
    "'",
    "s",
    "3",
    ".",
    "5",
    "km",
  ]);
  expect(wordPieces(characterTokenizer("ab "), ["a", "b"]).pieces).toEqual([[1], [0, 2]]);
});
