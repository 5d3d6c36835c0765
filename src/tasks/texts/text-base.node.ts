/** A pretrained model of tokens as what own texts are learned on: its vectors of texts, with a new head. */
import { OptionError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { fromTensors, type Labelled } from "../../data/pipeline/dataset.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { type TextVectors, textVectors } from "../../finetune/heads/text-vectors.ts";
import { withHead } from "../../finetune/heads/with-head.ts";
import { type BaseOptions, openBase, poolingBeside, tokenizerBeside } from "../../finetune/tasks/base.node.ts";
import {
  lengthOf,
  paddingOf,
  type TextReader,
  textRows,
  tokenInputs,
  writtenLength,
} from "../../finetune/tasks/text-rows.ts";
import { nodesOf, type TensorType, type Value } from "../../graph/ir.ts";
import { type Module, sequential, type TensorModule } from "../../nn/index.ts";
import { asItIs, headOf } from "../shared/base-head.ts";
import type { SampleSplit } from "../shared/feature-rows.ts";
import type { LabelledTexts, PartedTexts } from "./part-texts.node.ts";

/** A pretrained model of texts, and how it reads those that it is to learn of. */
export interface TextBase {
  readonly reader: TextReader;
  /** Types of its inputs for one text: token ids and, where its vectors depend on that, which of them take part. */
  readonly inputs: { readonly x: TensorType; readonly mask?: TensorType };
  /** What is to be known of it. */
  readonly notes: readonly string[];
  /** The model with a new head on its vectors of texts: from tokens [N, length] to scores [N, outputs]. */
  classifier(outputs: number): TensorModule;
  /** Its vectors alone, [N, features]. */
  readonly features: TensorModule;
}

/** How a base of texts is opened. */
export interface TextBaseOptions extends BaseOptions {
  /** Tokens of a text at most; default 256, or what the model reads. */
  readonly length?: number | undefined;
}

/** Tokens of a text at most where nothing is said: twice as many take four times as long. */
const usualLength = 256;

/** Whether vectors depend on which tokens take part; those that a model gives itself do not. */
function readsMask(vectors: TextVectors, type: TensorType): boolean {
  const { inputs, output } = vectors.trace({ x: type, mask: type });
  const [, mask] = inputs;
  return nodesOf([output]).some((node) => node.inputs.includes(mask));
}

/**
 * Opens a pretrained model of texts for those of a task: a folder with its config, weights and tokenizer, a run, or `owner/name` on the hub.
 * A text becomes a vector as `openEmbedder` makes it: the mean of its tokens' last hidden states, or what the files of Sentence
 * Transformers beside it say. Throws what `openBase` throws, FileError without a tokenizer, OptionError for a model of something else and
 * for a length that it does not read.
 */
export async function openTextBase(
  name: string,
  { name: column, train, test }: PartedTexts,
  options: TextBaseOptions = {},
): Promise<TextBase> {
  const opened = await openBase(name, options);
  const { model, positions } = opened;
  const tokenizer = await tokenizerBeside(opened);
  const written = writtenLength(model);
  const reads = written ?? positions;
  if (options.length !== undefined && reads !== undefined && options.length > reads)
    throw new OptionError(
      `texts of ${options.length} tokens are too long: the model reads ${reads}; pass a length up to that`,
    );
  const { length, cut } = lengthOf(
    [...train.texts, ...test.texts],
    tokenizer,
    options.length ?? Math.min(reads ?? usualLength, usualLength),
  );
  const { takesMask, inputs } = tokenInputs(model, written ?? length);
  model.trace(inputs as never);
  const pooling = (await poolingBeside(opened)) ?? "mean";
  const vectors = textVectors(model, { pooling });
  const { layer } = vectors;
  const isMasked = readsMask(vectors, inputs.x);
  const on = (head: Module): TensorModule =>
    isMasked
      ? withHead(vectors, head)
      : sequential<Value, Value>([
          asItIs(),
          withHead(model as Module<never, unknown>, head, layer === undefined ? {} : { at: layer }),
        ]);
  return {
    reader: { tokenizer, length: written ?? length, padding: paddingOf(tokenizer), column },
    inputs: isMasked ? { x: inputs.x, mask: inputs.x } : { x: inputs.x },
    notes: [
      `a new head takes the base's vectors of texts: ${isMasked ? `the ${pooling} of ${layer === undefined ? "what it gives" : `what ${layer} gives`} for their tokens` : "as it gives them"}`,
      ...(takesMask || !isMasked
        ? []
        : ["the base takes no mask: what fills short texts up is left out of a mean alone"]),
      ...(cut > 0 ? [`${plural(cut, "text")} cut to ${length} tokens (--length says otherwise)`] : []),
    ],
    classifier: (outputs) => on(headOf(outputs)),
    features: on(asItIs()),
  };
}

/** Texts as rows of a base's tokens, in parts: those of the first fold are to choose by. */
export function textRowParts(
  { target, train, folds, test }: PartedTexts,
  { reader, inputs }: Pick<TextBase, "reader" | "inputs">,
): SampleSplit {
  const rowsOf = ({ texts, y }: LabelledTexts, places: readonly number[]) => {
    const own = places.map((place) => texts[place] as string);
    const { x, mask } = textRows(own, reader);
    return fromTensors<Labelled>({ x, ...(inputs.mask && { mask }), y: gatherRows(y, places) });
  };
  const placesOf = (isHeld: boolean) => folds.flatMap((fold, place) => ((fold === 0) === isHeld ? [place] : []));
  return {
    target,
    parts: {
      train: rowsOf(train, placesOf(false)),
      validation: rowsOf(train, placesOf(true)),
      test: rowsOf(test, [...test.texts.keys()]),
    },
  };
}
