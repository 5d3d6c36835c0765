/** Expressions in tokenizer.json: what they cut stays, and those that hang elsewhere end. */
import { Tokenizer as Pipeline } from "@huggingface/tokenizers";
import { describe, expect, test } from "vitest";
import { learnedFrom } from "../testing/tokenizers.ts";
import { trainBpe } from "./bpe.ts";
import { type TokenizerFile, tokenizerOf } from "./tokenizer.ts";

const trained = JSON.parse(trainBpe(learnedFrom, { vocabulary: 340 }).json()) as TokenizerFile;
const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
const split = (Regex: string, behavior = "Isolated", invert = false) => ({
  type: "Split",
  pattern: { Regex },
  behavior,
  invert,
});
const cutBy = (...pretokenizers: readonly object[]): TokenizerFile => ({
  ...trained,
  pre_tokenizer: { type: "Sequence", pretokenizers: [...pretokenizers, bytes] },
});

/** Of the files that are published under these names. */
const published: Readonly<Record<string, string>> = {
  gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "Llama-3":
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  Qwen2:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  bloom: " ?[^(\\s|[.,!?…。，、।۔،])]+",
  "gpt-oss":
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};
const texts = [
  learnedFrom,
  "It's 12345 o'clock,\r\n\r\n  and WE'LL go…\t\n",
  "Ünïcödé 東京タワー ๓๔ 👩‍👩‍👧 e\u0301 \u00a0\u3000 ’s",
  "",
  "   ",
];
const absent = { added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };

describe("published expressions cut as Hugging Face's library does", () => {
  test.each(Object.entries(published))("%s", (_, expression) => {
    for (const file of [cutBy(split(expression)), cutBy(split(expression, "Removed", true))]) {
      const own = tokenizerOf(file);
      const theirs = new Pipeline({ ...absent, ...file } as never, {});
      for (const text of texts)
        expect(own.encode(text)).toEqual(text ? theirs.encode(text, { add_special_tokens: false }).ids : []);
    }
  });

  test("what is removed between", () => {
    const file = cutBy(split("\\s*,\\s*|o", "Removed"));
    const theirs = new Pipeline({ ...absent, ...file } as never, {});
    for (const text of [...texts, "one, two ,three", ",,a,"])
      expect(tokenizerOf(file).encode(text)).toEqual(
        text ? theirs.encode(text, { add_special_tokens: false }).ids : [],
      );
  });
});

const hostile = `${"a".repeat(50)}!`;
const replace = (Regex: string, content: string) => ({ type: "Replace", pattern: { Regex }, content });

describe("expressions that hang elsewhere", () => {
  const files: Readonly<Record<string, TokenizerFile>> = {
    "a Split": cutBy(split("(a+)+$")),
    "an inverted Split": cutBy(split("(?:a|a)+$", "Removed", true)),
    "a normalizer": { ...trained, normalizer: { type: "Sequence", normalizers: [replace("(a|aa)+$", "b")] } },
    "a decoder": { ...trained, decoder: { type: "Sequence", decoders: [{ type: "Fuse" }, replace("(a+)+$", "b")] } },
  };
  test.each(Object.entries(files))("of %s, on a short text", (_, file) => {
    const begin = performance.now();
    const tokenizer = tokenizerOf(file);
    tokenizer.decode(tokenizer.encode(hostile));
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  test.each(["\\s*[\\r\\n]+x|\\s+$", "(?:\\s|a)*b", "a*a*a*b"])(
    "%s, on a long text",
    (expression) => {
      const begin = performance.now();
      tokenizerOf(cutBy(split(expression))).encode(" a".repeat(50_000));
      expect(performance.now() - begin).toBeLessThan(20_000);
    },
    40_000,
  );
});

test("replacements that double a text again and again are refused", () => {
  const doubled = Array.from({ length: 60 }, () => replace("a", "aa"));
  const file = { ...trained, normalizer: { type: "Sequence", normalizers: doubled } };
  expect(() => tokenizerOf(file).encode("a")).toThrow(/limit tokenizerText/);
}, 60_000);

test("an expression with a back-reference is refused when the file is read", () => {
  expect(() => tokenizerOf(cutBy(split("(a)\\1")))).toThrow(/not supported/);
});

test.each<[string, object, RegExp]>([
  [
    "words of any length",
    { type: "WordPiece", vocab: { "[UNK]": 0, a: 1, "##a": 2 }, unk_token: "[UNK]", max_input_chars_per_word: 1e6 },
    /has max_input_chars_per_word 1000000; 256 is the limit tokenLength/,
  ],
  [
    "tokens of any length",
    {
      type: "Unigram",
      unk_id: 0,
      vocab: [
        ["<unk>", 0],
        ["a".repeat(1000), -1],
      ],
    },
    /has a token of 1000 characters, at 1 of its vocabulary; 256 is the limit tokenLength/,
  ],
])("%s are refused, whose work has no bounds", (_, model, message) => {
  expect(() => tokenizerOf({ ...absent, model } as unknown as TokenizerFile)).toThrow(message);
});
