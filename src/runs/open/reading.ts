/** A model that reads texts, asked by them. */
import { DataError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
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
  const takesMask = !isTensorType(inputs) && "mask" in (inputs as object);
  return async ({ x, mask }: TextRows) => (await ask((takesMask ? { x, mask } : x) as never)) as Tensor;
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
};

/** How a deployment is asked by texts; `undefined` for one that reads none. */
export function readingOf(deployment: Deployment): Dialogue | undefined {
  const { reader } = deployment;
  if (!reader) return undefined;
  const { what, example, open } = kinds[reader.gives ?? "scores"];
  return { what, example, open: async (compile) => open({ ...deployment, reader }, compile) };
}
