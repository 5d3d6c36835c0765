/** A model that reads texts, asked by them. */
import { DataError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { percent } from "../../core/number-text.ts";
import type { Tensor } from "../../core/tensor.ts";
import { bestAnswer, type QuestionRows, questionRows, questionWindows } from "../../finetune/tasks/question-rows.ts";
import { type TextReader, type TextRows, textRows } from "../../finetune/tasks/text-rows.ts";
import { tagsOf } from "../../finetune/tasks/token-classification.ts";
import { wordsOfText } from "../../finetune/tasks/word-pieces.ts";
import { wordRows } from "../../finetune/tasks/word-rows.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { isTensorType } from "../../nn/index.ts";
import { entitiesOf, marksSpans } from "../../train/metrics/entities.ts";
import { predictor } from "../../train/predict.ts";
import type { Answer, Deployment, Dialogue } from "../recipes/recipe.ts";

type Reading = Deployment & { readonly reader: TextReader };

/** How a model is asked whose outputs are of a kind. */
interface ReadingKind extends Pick<Dialogue, "what" | "example"> {
  open(deployment: Reading, compile: CompileOptions): (question: string) => Promise<Answer>;
}

const emptyText = () => new DataError("the text is empty; pass one such as 'It was a pleasure'");

/** Runs the model on rows. */
function rowsThrough({ model, inputs }: Reading, compile: CompileOptions) {
  const ask = predictor(model, { compile, snapshot: true });
  return async (rows: TextRows | QuestionRows) => {
    const taken = Object.entries(rows).filter(([name]) => !isTensorType(inputs) && name in (inputs as object));
    return (await ask((taken.length > 1 ? Object.fromEntries(taken) : rows.x) as never)) as Tensor;
  };
}

/** Runs the model on a text: its output, and a note where the text was cut. Throws DataError for one that is empty. */
function runOn(deployment: Reading, compile: CompileOptions) {
  const { reader } = deployment;
  const run = rowsThrough(deployment, compile);
  return async (text: string) => {
    if (text.trim() === "") throw emptyText();
    const count = reader.tokenizer.encodeWithSpecial(text).length;
    const output = await run(textRows([text], reader));
    const note = count > reader.length ? `the first ${reader.length} of ${count} tokens are read` : undefined;
    return { output, ...(note !== undefined && { note }) };
  };
}

/** Tags the words of a sentence. */
function tagOn(deployment: Reading, compile: CompileOptions) {
  const { reader, classes = [] } = deployment;
  const run = rowsThrough(deployment, compile);
  return async (text: string): Promise<Answer> => {
    const words = wordsOfText(text);
    if (words.length === 0) throw emptyText();
    const { starts, ...rows } = wordRows([words], reader);
    const [places = []] = starts;
    const tags = tagsOf(await run(rows), 0, places).map((tag) => (tag === undefined ? null : (classes[tag] ?? null)));
    const read = places.filter((start) => start >= 0).length;
    const entities = marksSpans(classes)
      ? entitiesOf(tags.map((tag) => tag ?? "O")).map(({ type, start, end }) => ({
          type,
          words: words.slice(start, end),
          start,
        }))
      : undefined;
    const found = entities?.map(({ type, words: own }) => `${type}: ${own.join(" ")}`).join("; ");
    return {
      text: `${words.map((word, i) => `${word}/${tags[i] ?? "?"}`).join(" ")}${found ? `   ${found}` : ""}`,
      fields: { words, tags, ...(entities && { entities }) },
      ...(read < words.length && { note: `${read} of ${words.length} words are read` }),
    };
  };
}

const parting = "||";

/** A question and its text: of JSON, or parted by ||. Throws DataError for anything else. */
function questionOf(given: string): { readonly question: string; readonly context: string } {
  const mend = `pass 'Who wrote it? ${parting} It was written by Ada.', or {"question": "…", "context": "…"}`;
  let parts: readonly unknown[] = given.split(parting);
  if (given.trimStart().startsWith("{")) {
    try {
      const { question, context } = parseJson(given) as Readonly<Record<string, unknown>>;
      parts = [question, context];
    } catch (cause) {
      throw new DataError(`the question is no JSON (${(cause as Error).message}); ${mend}`, { cause });
    }
  }
  const [question, context, ...others] = parts;
  const isText = (text: unknown): text is string => typeof text === "string" && text.trim() !== "";
  if (!isText(question) || !isText(context) || others.length > 0)
    throw new DataError(`expected a question and the text that answers it, with ${parting} between them; ${mend}`);
  return { question: question.trim(), context: context.trim() };
}

/** Finds the answer to a question in its text. */
function answerOn(deployment: Reading, compile: CompileOptions) {
  const { reader } = deployment;
  const run = rowsThrough(deployment, compile);
  return async (given: string): Promise<Answer> => {
    const asked = questionOf(given);
    const windows = questionWindows(asked, reader);
    const scores = await run(questionRows(windows, reader));
    const { text, start, end, probability } = bestAnswer(scores, 0, windows, asked.context);
    return {
      text: `${text} (${percent(probability)})`,
      fields: { answer: text, start, end, probability },
      ...(windows.length > 1 && { note: `the text is read in ${windows.length} windows` }),
    };
  };
}

const kinds: Readonly<Record<NonNullable<TextReader["gives"]>, ReadingKind>> = {
  scores: { what: "a text", example: "It was a pleasure", open: runOn },
  vector: {
    what: "a text",
    example: "How do I change my password?",
    open(deployment, compile) {
      const run = runOn(deployment, compile);
      return async (text) => {
        const { output, ...rest } = await run(text);
        const vector = output.toNumbers();
        const shown = vector.slice(0, 4).map((value) => value.toFixed(3));
        return { text: `a vector of ${vector.length} numbers: ${shown.join(", ")}, …`, fields: { vector }, ...rest };
      };
    },
  },
  tags: { what: "a sentence", example: "Ada Lovelace lived in London.", open: tagOn },
  answer: {
    what: `a question and the text that answers it, with ${parting} between them`,
    example: `Who wrote it? ${parting} It was written by Ada.`,
    open: answerOn,
  },
};

/** How a deployment is asked by texts; `undefined` for one that reads none. */
export function readingOf(deployment: Deployment): Dialogue | undefined {
  const { reader } = deployment;
  if (!reader) return undefined;
  const { what, example, open } = kinds[reader.gives ?? "scores"];
  return { what, example, open: async (compile) => open({ ...deployment, reader }, compile) };
}
