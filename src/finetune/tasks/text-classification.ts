/** Classes of texts, or numbers, by a pretrained model of tokens with a new head. */
import { keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { fromTensors, type TextsWithLabels } from "../../data/index.ts";
import { type AnyModule, crossEntropy, dense, type Module, meanSquaredError } from "../../nn/index.ts";
import { accuracy, confusionMatrix, meanAbsoluteErrorMetric } from "../../train/index.ts";
import { featureLayer } from "../heads/feature-layer.ts";
import type { Pooling } from "../heads/pooling.ts";
import { withHead } from "../heads/with-head.ts";
import { partBatches, partsOf } from "./task.ts";
import { lengthOf, paddingOf, type TextTask, type TextTaskOptions, textRows, tokenInputs } from "./text-rows.ts";

/** How texts are read, and where the head stands. */
export interface TextClassificationOptions extends TextTaskOptions {
  /** How the states of tokens become one; default their mean. */
  readonly pooling?: Pooling | undefined;
}

/** A task of labelled texts. Throws DataError for too few, OptionError for a layer that there is not. */
export function textClassification(
  base: AnyModule,
  { texts, labels, classes }: TextsWithLabels,
  options: TextClassificationOptions,
): TextTask {
  const { tokenizer, at = featureLayer(base), pooling = "mean", seed } = options;
  const parts = partsOf(texts.length, options, (place) => texts[place]);
  const { length, cut } = lengthOf(texts, tokenizer, options.length);
  const reader = { tokenizer, length, padding: paddingOf(tokenizer) };
  const { takesMask, inputs } = tokenInputs(base, length);
  const isNumber = classes.length === 0;
  const dataset = (places: readonly number[]) => {
    const { x, mask } = textRows(
      places.map((place) => texts[place] as string),
      reader,
    );
    const own = places.map((place) => labels[place] as number);
    const y = isNumber
      ? new Tensor("float32", [own.length, 1], Float32Array.from(own))
      : new Tensor("int32", [own.length], Int32Array.from(own));
    return fromTensors<{ x: Tensor; y: Tensor; mask?: Tensor }>(takesMask ? { x, y, mask } : { x, y });
  };
  const head = dense(isNumber ? 1 : classes.length);
  const model = withHead(base as Module<never, unknown>, head, { ...(at !== undefined && { at }), pooling });
  model.trace(inputs);
  head.initialize(keyOf(seed));
  return {
    model,
    inputs,
    fresh: ["head"],
    reader,
    ...partBatches(dataset as never, parts, options),
    loss: (isNumber ? meanSquaredError() : crossEntropy()) as never,
    metrics: isNumber ? [meanAbsoluteErrorMetric()] : [accuracy(), confusionMatrix(classes.length)],
    ...(!isNumber && { classes }),
    samples: { train: parts.train.length, test: parts.test.length },
    notes: [
      `features: ${at ?? "what the model gives"}, ${pooling === "mean" ? "the mean over tokens" : pooling}`,
      ...(cut > 0 ? [`cut to ${length} tokens: ${cut}`] : []),
    ],
    preview: parts.train.slice(0, 3).map((place) => {
      const text = texts[place] as string;
      const label = isNumber ? String(labels[place]) : (classes[labels[place] as number] as string);
      return `${label}: ${tokenizer.decode(tokenizer.encodeWithSpecial(text).slice(0, length))}`;
    }),
  };
}
