/** Questions with answers, in each of their forms, and what is refused. */
import { describe, expect, test } from "vitest";
import { questionAnswers } from "./question-answers.ts";

const context = "Ada wrote it in 1843.";
const read = (fields: Readonly<Record<string, unknown>>) => questionAnswers([{ fields, where: "a.jsonl: line 1" }]);
const whole = { question: "When?", context, answers: { text: ["1843", "in 1843"], answer_start: [16, 13] } };

describe("questions", () => {
  const answers = [
    { text: "1843", start: 16 },
    { text: "in 1843", start: 13 },
  ];
  test.each([
    ["of columns", whole, answers],
    ["of one answer", { question: "When?", context, answer: "1843", start: 16 }, answers.slice(0, 1)],
    ["of a list", { ...whole, answers: [{ text: "1843", answer_start: 16 }] }, answers.slice(0, 1)],
  ])("%s", (_, fields, expected) => expect(read(fields)).toEqual([{ question: "When?", context, answers: expected }]));

  test("of SQuAD's files", () => {
    const qas = [{ id: "1", question: "When?", answers: [{ text: "1843", answer_start: 16 }] }];
    const file = { version: "1.1", data: [{ title: "Ada", paragraphs: [{ context, qas }] }] };
    expect(read(file)).toEqual([{ question: "When?", context, answers: answers.slice(0, 1) }]);
    const wrong = { data: [{ paragraphs: [{ context, qas: [{ question: "When?", answers: [] }] }] }] };
    expect(() => read(wrong)).toThrow("a.jsonl: line 1: article 1, paragraph 1, question 1: has no answer");
    expect(() => read({ data: [] })).toThrow("has no questions");
  });
});

test.each([
  [{ context, answer: "Ada", start: 0 }, 'has no "question"'],
  [{ question: "?", context }, 'has question, context, expected "answers"'],
  [{ question: "?", context, answers: "Ada" }, '"answers" is the text "Ada"'],
  [{ question: "?", context, answers: ["Ada"] }, 'an answer is the text "Ada"'],
  [{ question: "?", context, answers: { text: ["Ada"], answer_start: [] } }, '"answers" has text of a list of 1'],
  [{ question: "?", context, answer: "", start: 0 }, "an answer is empty"],
  [{ question: "?", context, answer: "Ada" }, 'the answer "Ada" begins at missing'],
  [
    { question: "?", context, answer: "1843", start: 15 },
    'the context has the text " 184" at character 15, expected the answer "1843"; it is at 16: correct its start',
  ],
  [
    { question: "?", context, answer: "1842", start: 16 },
    'the context has the text "1843" at character 16, expected the answer "1842"; it is nowhere in the context',
  ],
])("%j is refused", (fields, message) => expect(() => read(fields)).toThrow(`a.jsonl: line 1: ${message}`));
