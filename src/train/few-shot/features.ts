/** Features of a dataset: what a frozen model, or a layer of it, gives for each sample. */
import { DataError, OptionError } from "../../core/errors.ts";
import { append } from "../../core/lists.ts";
import { string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import { takenOf } from "../../nn/inputs.ts";
import type { AnyModule, Module } from "../../nn/module.ts";
import { layerPredictor, predictor } from "../predict.ts";

/** Options of `featuresOf`. */
export interface FeaturesOptions {
  /** The layer whose output is taken, by its path; default the model's own output. */
  readonly layer?: string;
  /** Of a model with several outputs, the name of the one to take; default its only one. */
  readonly output?: string;
  /** Name of the labels in a batch; default `y`. */
  readonly label?: string;
  /** Device, threads, profiling; default as for `predictor`. */
  readonly compile?: CompileOptions;
}

const checkOptions = optionsOf<FeaturesOptions>("featuresOf", {
  layer: string,
  output: string,
  label: string,
  compile: checkCompile.type,
});

/** Features of samples, and their labels. */
export interface Features {
  /** [samples, features], float32. */
  readonly features: Tensor<"float32">;
  /** [samples], int32; empty where the batches have none. */
  readonly labels: Tensor<"int32">;
}

/**
 * Runs a model over the first epoch of a dataset of batches and collects what it gives, or what a layer of it gives, as one vector for each
 * sample; outputs of more axes are flattened. The model stays as it is.
 *
 * Throws OptionError for a layer or an output that it does not have, DataError for an empty dataset and for outputs that have another
 * number of samples than labels.
 * @example
 * const { features, labels } = await featuresOf(model, images.batch(64), { layer: "pool" });
 * const probe = linearProbe(features, labels);
 */
export async function featuresOf(
  model: AnyModule,
  data: Dataset<Batch>,
  options: FeaturesOptions = {},
): Promise<Features> {
  const { layer, output, label = "y", compile } = checkOptions(options);
  const own = model as Module<unknown, unknown>;
  const ask = layer === undefined ? predictor(own, { compile }) : layerPredictor(own, [layer], compile);
  const features: Float32Array[] = [];
  const labels: number[] = [];
  let [samples, width] = [0, 0];
  try {
    for await (const { [label]: target, ...inputs } of data.epoch(0)) {
      const given = takenOf(model.inputs, inputs);
      const found = chosen(await ask(given as never), layer === undefined ? output : (output ?? layer));
      const [rows = 0, ...rest] = found.shape;
      const size = rest.reduce((product, extent) => product * extent, 1);
      if (features.length > 0 && size !== width)
        throw new DataError(
          `featuresOf: samples of one batch have ${size} features, those before ${width}; take a layer whose output has one size`,
        );
      width = size;
      samples += rows;
      features.push(Float32Array.from(found.toNumbers()));
      if (target !== undefined) append(labels, target.toNumbers());
      if (target !== undefined && labels.length !== samples)
        throw new DataError(
          `featuresOf: ${samples} samples have ${labels.length} labels "${label}"; pass one label for each sample`,
        );
    }
  } finally {
    await ask.release();
  }
  if (samples === 0) throw new DataError("featuresOf: the dataset is empty; pass one with batches");
  const values = new Float32Array(samples * width);
  let at = 0;
  for (const part of features) {
    values.set(part, at);
    at += part.length;
  }
  return {
    features: new Tensor("float32", [samples, width], values),
    labels: new Tensor("int32", [labels.length], Int32Array.from(labels)),
  };
}

/** The tensor that is meant of what a model gives. */
function chosen(given: unknown, name: string | undefined): Tensor {
  if (given instanceof Tensor && name === undefined) return given;
  const named = isPlainObject(given) ? given : {};
  const names = Object.keys(named);
  const found = named[name ?? (names.length === 1 ? (names[0] as string) : "")];
  if (found instanceof Tensor) return found;
  const which = name === undefined ? "several outputs" : `no output "${name}"`;
  throw new OptionError(
    `featuresOf: the model has ${which}; ${names.length > 0 ? `pass output: one of ${names.join(", ")}` : "leave output out, or pass layer: the path of one"}`,
  );
}
