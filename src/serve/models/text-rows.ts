/** Texts as rows of tokens for an engine: few lengths, so that few graphs are compiled and texts of like lengths go together. */
import { DataError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type TextReader, textRows, writtenLength } from "../../finetune/tasks/text-rows.ts";
import { type AnyModule, takenNames } from "../../nn/index.ts";
import type { NamedTensors, TensorService, TensorSpec } from "../served-model.ts";

/** The shortest rows. */
const shortest = 16;

/** A model of texts: what it takes, and how texts become that. */
export interface TextInputs {
  readonly specs: readonly TensorSpec[];
  /** Rows of texts, all of one length. Throws DataError for an empty text. */
  rows(texts: readonly string[]): NamedTensors;
}

/** How a model reads texts: by token ids `x`, and a mask where it takes one, with which rows may have any length up to the reader's. */
export function textInputs(model: AnyModule, reader: TextReader): TextInputs {
  const names = takenNames(model.inputs, ["x", "mask"]);
  // Without a mask what fills a row up is read: its length is part of what the model is asked.
  const isOpen = names.includes("mask") && writtenLength(model) === undefined;
  const specs = names.map((name): TensorSpec => ({ name, dtype: "int32", shape: [-1, isOpen ? -1 : reader.length] }));
  const lengthFor = (texts: readonly string[]) => {
    if (!isOpen) return reader.length;
    const longest = Math.max(...texts.map((text) => reader.tokenizer.encodeWithSpecial(text).length));
    return Math.min(reader.length, Math.max(shortest, 2 ** Math.ceil(Math.log2(longest))));
  };
  return {
    specs,
    rows(texts) {
      const empty = texts.findIndex((text) => text.trim() === "");
      if (empty >= 0) throw new DataError(`text ${empty + 1} of ${texts.length} is empty; leave it out`);
      const rows = textRows(texts, { ...reader, length: lengthFor(texts) });
      return new Map(names.map((name) => [name, name === "mask" ? rows.mask : rows.x]));
    },
  };
}

/** The only output of a model for texts. */
export async function outputOfTexts(
  tensors: TensorService,
  { rows }: TextInputs,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Tensor> {
  const results = await tensors.infer(rows(texts), signal);
  return [...results.values()][0] as Tensor;
}
