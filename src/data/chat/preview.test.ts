/** Previews: what is learned is marked, lines end where they do, nothing steers the terminal. */
import { expect, test } from "vitest";
import { DataError } from "../../core/errors.ts";
import { byteTokenizer, spaceTokenizer } from "../testing/tokenizers.ts";
import { chatExamples } from "./chat-examples.ts";
import { chatTemplate } from "./chat-template.ts";
import { previewExamples } from "./preview.ts";

const tokenizer = byteTokenizer();
const template = chatTemplate("chatml", { eos: "<|im_end|>" });
const examplesOf = (answer: string, own = tokenizer) =>
  chatExamples(
    [
      {
        messages: [
          { role: "user", content: "2 + 2?" },
          { role: "assistant", content: answer },
        ],
      },
    ],
    { tokenizer: own, template },
  ).examples;

test("learned tokens between brackets, line by line", () => {
  const examples = examplesOf("4\n\nfour");
  const [{ ids, learned } = { ids: [], learned: new Uint8Array() }] = examples;
  expect(previewExamples(examples, tokenizer)).toEqual([
    `examples[0]: ${ids.length} tokens, ${learned.filter((one) => one).length} of them learned`,
    "<|im_start|>user",
    "2 + 2?<|im_end|>",
    "<|im_start|>assistant",
    "⟦4⟧",
    "",
    "⟦four<|im_end|>⟧",
  ]);
});

test("SentencePiece's tokens keep their spaces; a mark of your own; the first tokens of few examples", () => {
  const lines = previewExamples(examplesOf("4 the", spaceTokenizer()), spaceTokenizer(), {
    mark: (text) => `<b>${text}</b>`,
  });
  expect(lines.at(-1)).toBe("<b>4 the<|im_end|></b> ");
  const examples = [...examplesOf("4"), ...examplesOf("4")];
  const short = previewExamples(examples, tokenizer, { count: 1, tokens: 4 });
  expect(short.slice(1)).toEqual(["<|im_start|>user", `… and ${(examples[0]?.ids.length ?? 0) - 4} more tokens`]);
});

test("control characters and signs that turn the writing are shown", () => {
  const text = previewExamples(examplesOf("a\u001B[31mb\u0007\r\nc\u202Ed\u009B\te"), tokenizer).join("\n");
  expect(text).toContain("⟦a␛[31mb␇␍⟧\n⟦c\uFFFDd\uFFFD\te<|im_end|>⟧");
});

test("no examples", () => expect(() => previewExamples([], tokenizer)).toThrow(DataError));
