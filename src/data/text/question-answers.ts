/** Questions whose answers stand in a text, as SQuAD has them. */
import { DataError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/tree.ts";
import { type FileRecord, shownValue } from "../tables/json-records.ts";
import { textFieldOf } from "../tables/record-fields.ts";

/** An answer, and where it stands. */
export interface TextSpan {
  /** The words of the answer. */
  readonly text: string;
  /** The character of the context that it begins at. */
  readonly start: number;
}

/** A question of a text. */
export interface QuestionAnswer {
  /** What is asked. */
  readonly question: string;
  /** The text that the answer stands in. */
  readonly context: string;
  /** Answers that are right; the first one is learned. */
  readonly answers: readonly [TextSpan, ...TextSpan[]];
}

const expected =
  'expected "answers": { "text": ["…"], "answer_start": [0] }, or "answer": "…" and "start": 0, the number of its first character';

/** Pairs of texts and starts, in any of the forms. */
function* givenAnswers(record: FileRecord): Generator<readonly [text: unknown, start: unknown]> {
  const { fields, where } = record;
  const { answers, answer } = fields;
  if (Array.isArray(answers)) {
    for (const own of answers) {
      if (!isPlainObject(own)) throw new DataError(`${where}: an answer is ${shownValue(own)}, ${expected}`);
      yield [own["text"], own["answer_start"]];
    }
  } else if (isPlainObject(answers)) {
    const { text, answer_start: starts } = answers;
    if (!Array.isArray(text) || !Array.isArray(starts) || text.length !== starts.length)
      throw new DataError(
        `${where}: "answers" has text of ${shownValue(text)} and answer_start of ${shownValue(starts)}, ${expected}`,
      );
    for (const [i, own] of text.entries()) yield [own, starts[i]];
  } else if (answer !== undefined) {
    yield [answer, fields["start"] ?? fields["answer_start"]];
  } else if (answers === undefined) {
    throw new DataError(`${where}: has ${Object.keys(fields).join(", ") || "no fields"}, ${expected}`);
  } else throw new DataError(`${where}: "answers" is ${shownValue(answers)}, ${expected}`);
}

function spanOf(text: unknown, start: unknown, context: string, where: string): TextSpan {
  if (typeof text !== "string" || text.trim() === "")
    throw new DataError(`${where}: an answer is ${typeof text === "string" ? "empty" : shownValue(text)}, ${expected}`);
  if (typeof start !== "number" || !Number.isInteger(start) || start < 0)
    throw new DataError(
      `${where}: the answer "${text}" begins at ${shownValue(start)}, expected the number of its first character from 0`,
    );
  if (context.startsWith(text, start)) return { text, start };
  const found = context.indexOf(text);
  throw new DataError(
    `${where}: the context has ${shownValue(context.slice(start, start + text.length))} at character ${start}, expected the answer "${text}"; ${found < 0 ? "it is nowhere in the context: correct the answer" : `it is at ${found}: correct its start`}`,
  );
}

function questionOf(record: FileRecord): QuestionAnswer {
  const { where } = record;
  const [question, context] = [textFieldOf(record, "question", "question"), textFieldOf(record, "context", "context")];
  const [first, ...others] = Array.from(givenAnswers(record), ([text, start]) => spanOf(text, start, context, where));
  if (!first)
    throw new DataError(
      `${where}: has no answer, expected at least one; remove the record: what a text does not answer is not learned`,
    );
  return { question, context, answers: [first, ...others] };
}

const listOf = (value: unknown): readonly unknown[] | undefined => (Array.isArray(value) ? value : undefined);

/** The questions of SQuAD's files, which stand in paragraphs of articles, as records with their contexts; others as they are. */
function* flatRecords(records: readonly FileRecord[]): Generator<FileRecord> {
  for (const { fields, where } of records) {
    const articles = listOf(fields["data"]) ?? (listOf(fields["paragraphs"]) ? [fields] : undefined);
    if (!articles) {
      yield { fields, where };
      continue;
    }
    for (const [i, article] of articles.entries())
      for (const [j, paragraph] of (listOf(isPlainObject(article) && article["paragraphs"]) ?? []).entries()) {
        const own = isPlainObject(paragraph) ? paragraph : {};
        for (const [k, question] of (listOf(own["qas"]) ?? []).entries())
          yield {
            fields: { context: own["context"], ...(isPlainObject(question) ? question : {}) },
            where: `${where}: article ${i + 1}, paragraph ${j + 1}, question ${k + 1}`,
          };
      }
  }
}

/**
 * The questions of records with `question`, `context` and `answers`, or `answer` and `start`; also of SQuAD's own files (Rajpurkar et al.
 * 2016), whose articles have paragraphs. Throws DataError naming the record of a field that is missing, of no answer, and of an answer
 * that does not stand where it says.
 * @example
 * questionAnswers(parseJsonRecords('{"question":"Who?","context":"Ada did.","answer":"Ada","start":0}', "a.jsonl")).length // 1
 */
export function questionAnswers(records: readonly FileRecord[]): QuestionAnswer[] {
  const found = Array.from(flatRecords(records), questionOf);
  if (found.length === 0)
    throw new DataError(
      `${records[0]?.where ?? "the data"}: has no questions, expected records of question, context and answers`,
    );
  return found;
}
