/** Windows of questions and texts: what stands around them, where answers are, which of them is best. */
import { expect, test } from "vitest";
import { Tensor } from "../../core/tensor.ts";
import { tokenizerOf } from "../../data/index.ts";
import { answerPlaces, bestAnswer, questionRows, questionWindows } from "./question-rows.ts";

const names = ["[UNK]", "[CLS]", "[SEP]", "who", "?", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "##x"];
const tokenizerWith = (processor: object) =>
  tokenizerOf({
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: processor,
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
    },
    added_tokens: [],
  });
const around = { sep: ["[SEP]", 2], cls: ["[CLS]", 1] };
const bert = tokenizerWith({ type: "BertProcessing", ...around });
const context = "a bx c d e f g h i j k";
const asked = { question: "who ?", context };
const wordsOf = (ids: readonly number[]) => ids.map((id) => names[id]).join(" ");

test("a text that fits is one window, as its tokenizer joins pairs", () => {
  const [only, ...others] = questionWindows(asked, { tokenizer: bert, length: 32 });
  expect(others).toEqual([]);
  expect(wordsOf(only?.ids ?? [])).toBe("[CLS] who ? [SEP] a b ##x c d e f g h i j k [SEP]");
  expect(only?.context).toBe(4);
  const roberta = tokenizerWith({ type: "RobertaProcessing", ...around });
  const [other] = questionWindows(asked, { tokenizer: roberta, length: 32 });
  expect(wordsOf(other?.ids.slice(0, 6) ?? [])).toBe("[CLS] who ? [SEP] [SEP] a");
});

test("of a longer one neighbours share a third of their words", () => {
  const windows = questionWindows(asked, { tokenizer: bert, length: 13 });
  expect(windows.map(({ ids }) => wordsOf(ids.slice(4)))).toEqual(["a b ##x c d e f g [SEP]", "f g h i j k [SEP]"]);
  // "f" at 14 stands in both, "bx c" from 2 to 6 in the first, "h i" in the second alone.
  const places = (start: number, end: number) => windows.map((window) => answerPlaces(window, { start, end }));
  expect(places(11, 12)).toEqual([
    [10, 10],
    [4, 4],
  ]);
  expect(places(2, 6)).toEqual([
    [5, 7],
    [0, 0],
  ]);
  expect(places(13, 16)).toEqual([
    [0, 0],
    [5, 6],
  ]);
  const { x, mask, types } = questionRows(windows, { tokenizer: bert, length: 13, padding: 0 });
  expect(x.shape).toEqual([2, 13]);
  expect(mask.toNumbers().slice(13)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
  expect(types.toNumbers().slice(13)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
});

test("the best answer is that of the largest sum, of whole words, over all windows", () => {
  const windows = questionWindows(asked, { tokenizer: bert, length: 13 });
  const scores = new Float32Array(3 * 13 * 2);
  const put = (row: number, place: number, side: 0 | 1, score: number) => {
    scores[(row * 13 + place) * 2 + side] = score;
  };
  put(0, 5, 0, 50); // of another text, in the row before
  put(1, 0, 0, 99); // of no word
  put(1, 6, 0, 99); // within a word
  put(1, 5, 0, 4);
  put(1, 7, 1, 5);
  put(2, 6, 0, 5);
  put(2, 5, 1, 8); // ends before it begins
  const found = bestAnswer(new Tensor("float32", [3, 13, 2], scores), 1, windows, context);
  expect([found.text, found.start, found.end]).toEqual(["bx c", 2, 6]);
  // Softmaxes of the 13 words' scores: starts 4, 5 and 11 zeros; ends 5, 8 and 11 zeros.
  const share = (own: number, other: number) => Math.exp(own) / (Math.exp(own) + Math.exp(other) + 11);
  expect(found.probability).toBeCloseTo(share(4, 5) * share(5, 8), 6);
});

test("a question that leaves no room is refused", () => {
  expect(() => questionWindows(asked, { tokenizer: bert, length: 12 })).toThrow("takes 5 of 12 tokens");
});
