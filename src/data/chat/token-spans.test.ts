/** Places among tokens: between two, within one, in texts that decoding does not give back. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { byteTokenizer, spaceTokenizer, wordTokenizer } from "../testing/tokenizers.ts";
import { tokenPlaces, tokensOfSpans } from "./token-spans.ts";

const [bytes, spaces, words] = [byteTokenizer(), spaceTokenizer(), wordTokenizer()];
const placeIn = (tokenizer: typeof bytes, text: string, at: number) =>
  tokenPlaces(text, tokenizer.encode(text), tokenizer)(at);

test("behind the tokens of the text before it", () => {
  expect(placeIn(bytes, "<|im_start|>user\nHi", 17)).toEqual({ before: 4, within: false }); // <|im_start|> u ser \n
  expect(placeIn(words, "the 4", 4)).toEqual({ before: 1, within: false });
});

test("where blanks belong to another token than in the text before the place", () => {
  // GPT-2's cuts take the last of several blanks to the word behind them: "\n" and "\n" here, "\n\n" at the end of a text.
  const tokenizer = { encode: bytes.encode, decode: bytes.decode };
  expect(bytes.encode("4\n\n#").length).toBe(4);
  expect(tokenPlaces("4\n\n#", bytes.encode("4\n\n#"), tokenizer)(3)).toEqual({ before: 3, within: false });
});

test("within a token: of bytes, of SentencePiece's, and next to special tokens, where decoding adds spaces", () => {
  const learned = bytes.encode("Below the"); // "Ġthe" is a token
  expect(learned.map((id) => bytes.tokens[id]).at(-1)).toBe("Ġthe");
  expect(placeIn(bytes, "Below the", 6)).toEqual({ before: learned.length - 1, within: true });
  expect(placeIn(spaces, "[/INST] 4", 8)).toEqual({ before: 8, within: true });
  expect(spaces.decode(spaces.encode("<s>a [/INST] 4</s>"))).not.toBe("<s>a [/INST] 4</s>");
  expect(placeIn(spaces, "<s>a [/INST] 4</s>", 13)).toEqual({ before: 11, within: true });
});

test("a place that cannot be told is an error, not a guess", () => {
  // Everything is one token, whose text is not known.
  const odd = { encode: (text: string) => (text === "abc".repeat(40) ? [7, 8] : [9]), decode: () => "?" };
  const text = "abc".repeat(40);
  expect(tokenPlaces(text, [7, 8], odd)(60)).toBeUndefined();
  expect(() => tokensOfSpans(text, [7, 8], [{ start: 60, ends: [120] }], odd, "conversations[2]")).toThrow(
    /^conversations\[2\]: cannot tell which tokens lie before and behind the border between "[abc]+" and "[abc]+"/,
  );
});

test("a token over the end of an answer is an error unless another end is as good", () => {
  const text = "4 the";
  const ids = bytes.encode(text);
  const spans = (ends: number[]) => tokensOfSpans(text, ids, [{ start: 0, ends }], bytes, "line 1");
  expect(() => spans([2])).toThrow('line 1: a token reaches over the end of an answer, between "4 " and "the"');
  expect([...spans([2, 1])]).toEqual([1, 0]);
});

test("places of random texts are where the bytes say", () => {
  const signs = fc.constantFrom("the", " ", "  ", "\n", "é", "☃", "🐋", "4", "<|im_end|>", "a", "#", "\uFFFD");
  fc.assert(
    fc.property(fc.array(signs, { minLength: 1, maxLength: 12 }), fc.nat(11), (parts, cut) => {
      const text = parts.join("");
      const ids = bytes.encode(text);
      const at = parts.slice(0, cut).join("").length;
      // Each byte-level token as its bytes: where the first ones end is where the place is.
      const sizes = ids.map((id) =>
        bytes.decode([id]).startsWith("<|") ? 10 : Array.from(bytes.tokens[id] ?? "").length,
      );
      const wanted = new TextEncoder().encode(text.slice(0, at)).length;
      let [count, sum] = [0, 0];
      while (sum + (sizes[count] ?? Number.POSITIVE_INFINITY) <= wanted) sum += sizes[count++] ?? 0;
      expect(placeIn(bytes, text, at)).toEqual({ before: count, within: sum < wanted });
    }),
    { seed: 1, numRuns: 500 },
  );
});
