/** A model that reads texts, asked by them. */
import { DataError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type TextReader, textRows } from "../../finetune/tasks/text-rows.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { isTensorType } from "../../nn/index.ts";
import { predictor } from "../../train/predict.ts";
import type { Answer, Deployment, Dialogue } from "../recipes/recipe.ts";

type Reading = Deployment & { readonly reader: TextReader };

/** How a model is asked whose outputs are of a kind. */
interface ReadingKind extends Pick<Dialogue, "what" | "example"> {
  open(deployment: Reading, compile: CompileOptions): (question: string) => Promise<Answer>;
}

/** Runs the model on a text: its output, and a note where the text was cut. Throws DataError for one that is empty. */
function runOn({ model, inputs, reader }: Reading, compile: CompileOptions) {
  const ask = predictor(model, { compile, snapshot: true });
  return async (text: string) => {
    if (text.trim() === "") throw new DataError("the text is empty; pass one such as 'It was a pleasure'");
    const count = reader.tokenizer.encodeWithSpecial(text).length;
    const { x, mask } = textRows([text], reader);
    const takesMask = !isTensorType(inputs) && "mask" in (inputs as object);
    const output = (await ask((takesMask ? { x, mask } : x) as never)) as Tensor;
    const note = count > reader.length ? `the first ${reader.length} of ${count} tokens are read` : undefined;
    return { output, ...(note !== undefined && { note }) };
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
};

/** How a deployment is asked by texts; `undefined` for one that reads none. */
export function readingOf(deployment: Deployment): Dialogue | undefined {
  const { reader } = deployment;
  if (!reader) return undefined;
  const { what, example, open } = kinds[reader.gives ?? "scores"];
  return { what, example, open: async (compile) => open({ ...deployment, reader }, compile) };
}
