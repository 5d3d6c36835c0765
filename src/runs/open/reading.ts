/** A model that reads texts, asked by them. */
import { DataError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import { textRows } from "../../finetune/tasks/text-rows.ts";
import { isTensorType } from "../../nn/index.ts";
import { predictor } from "../../train/predict.ts";
import type { Deployment, Dialogue } from "../recipes/recipe.ts";

/** How a deployment is asked by texts; `undefined` for one that reads none. */
export function readingOf({ model, inputs, reader }: Deployment): Dialogue | undefined {
  if (!reader) return undefined;
  return {
    what: "a text",
    example: "It was a pleasure",
    async open(compile) {
      const ask = predictor(model, { compile, snapshot: true });
      return async (question) => {
        if (question.trim() === "") throw new DataError("the text is empty; pass one such as 'It was a pleasure'");
        const count = reader.tokenizer.encodeWithSpecial(question).length;
        const { x, mask } = textRows([question], reader);
        const takesMask = !isTensorType(inputs) && "mask" in (inputs as object);
        const output = (await ask((takesMask ? { x, mask } : x) as never)) as Tensor;
        const note = count > reader.length ? `the first ${reader.length} of ${count} tokens are read` : undefined;
        return { output, ...(note !== undefined && { note }) };
      };
    },
  };
}
