/** Classes of samples that are read when their turn comes, images or sounds, by a pretrained model with a new head. */
import { OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import { type Dataset, fromIndexed, type Labelled } from "../../data/index.ts";
import type { TensorType } from "../../graph/ir.ts";
import { type AnyModule, crossEntropy, dense, isTensorType, type Module, mapTypes } from "../../nn/index.ts";
import { accuracy, confusionMatrix } from "../../train/index.ts";
import { inputTypesOf } from "../adapters/sites.ts";
import { featureLayer } from "../heads/feature-layer.ts";
import { withHead } from "../heads/with-head.ts";
import { type BatchSettings, type FinetuneTask, partBatches, partsOf } from "./task.ts";

/** Labelled samples of one shape, with the names of their classes. */
export interface SamplesWithLabels {
  /** The samples, to be had in any order. */
  readonly all: Dataset<Labelled>;
  /** Names of the classes, in the order of the labels. */
  readonly classes: readonly string[];
}

/** An input of a model. */
export interface NamedInput {
  /** Its name; empty of a model that takes one tensor. */
  readonly name: string;
  /** Its type. */
  readonly type: TensorType;
}

/** The only input of a model, of a shape that fits. Throws OptionError for another, saying what was expected. */
export function onlyInput(base: AnyModule, fits: (type: TensorType) => boolean, expected: string): NamedInput {
  const found: NamedInput[] = [];
  mapTypes(inputTypesOf(base), (type, name) => found.push({ name, type }));
  const [only, ...others] = found;
  if (only && others.length === 0 && fits(only.type)) return only;
  throw new OptionError(
    `the model takes ${found.map(({ name, type }) => `${name || "a tensor"} ${showShape(type.shape)}`).join(", ")}, ${expected}, or choose another task`,
  );
}

/** What a task of such samples is made of. */
export interface SampleTaskOptions extends BatchSettings {
  /** The model's input, and the shape of a batch of 1. */
  readonly input: NamedInput;
  /** The layer whose output the head takes; default what the model's own scores are made of. */
  readonly at?: string | undefined;
  /** From a sample to what the model takes. */
  readonly prepare: (x: Tensor) => Tensor<"float32">;
  /** What is to be known of the samples. */
  readonly notes: readonly string[];
}

/** A task of labelled samples. Throws DataError for too few, OptionError for a stream. */
export function sampleClassification(
  base: AnyModule,
  { all, classes }: SamplesWithLabels,
  options: SampleTaskOptions,
): FinetuneTask {
  const { at = featureLayer(base), input, prepare, notes, seed } = options;
  const parts = partsOf(all.length ?? 0, options);
  const head = dense(classes.length);
  const model = withHead(base as Module<never, unknown>, head, at === undefined ? {} : { at });
  const { name, type } = input;
  const inputs = isTensorType(inputTypesOf(base)) ? type : { [name]: type };
  model.trace(inputs as never);
  head.initialize(keyOf(seed));
  const known = typeof base.inputs === "object" ? name : "x";
  const { at: sampleAt } = all.source;
  if (!sampleAt)
    throw new OptionError(
      "the samples are a stream; pass a dataset whose samples can be had in any order, such as of loadImageFolder or loadSoundFolder",
    );
  const samplesOf = (places: readonly number[]) =>
    fromIndexed(places.length, async (index) => {
      const { x, y } = await sampleAt(places[index] as number, 0);
      return { [known]: prepare(x), y };
    });
  return {
    model: model as unknown as AnyModule,
    inputs,
    fresh: ["head"],
    ...partBatches(samplesOf as never, parts, options),
    loss: crossEntropy() as never,
    metrics: [accuracy(), confusionMatrix(classes.length)],
    classes,
    samples: { train: parts.train.length, test: parts.test.length },
    notes: [...notes, `features: ${at ?? "what the model gives"}`],
    preview: [],
  };
}
