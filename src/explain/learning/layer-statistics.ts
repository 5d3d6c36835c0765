/** Statistics of layers in one batch: their outputs, dead units, gradients beside weights. */
import { oneOf, pathPatternsType } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { PathPatterns } from "../../core/path-pattern.ts";
import { type Key, keyType } from "../../core/random.ts";
import type { Shape } from "../../core/shape.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import type { AnyModule } from "../../nn/module.ts";
import {
  boundSteps,
  type LossChoice,
  type Measured,
  modelOf,
  type ObjectiveChoice,
  type TrainedOptions,
  trainedTypes,
} from "../../train/engine/objectives.ts";
import { LayerObserver } from "./layer-observer.ts";

/** The weights of a layer in a batch. */
export interface WeightStatistics {
  /** How many numbers they are, biases included. */
  readonly parameters: number;
  /** Euclidean norm of all of them. */
  readonly norm: number;
  /** Euclidean norm of the loss's gradient with regard to those that are trained; `undefined` where none is. */
  readonly gradient?: number | undefined;
  /** `gradient` over `norm`; `undefined` without a gradient, and of weights that are all 0. */
  readonly ratio?: number | undefined;
}

/** One output of a layer in a batch. */
export interface LayerStatistics {
  /** The layer's path in the model, or its name in the file; a later run is `path#2`, of several outputs the i-th `path.i`. */
  readonly path: string;
  /** Its class, such as `Dense`, or the operator of a file. */
  readonly type: string;
  /** Of its output, [N, …]. */
  readonly shape: Shape;
  /** Mean of all elements. */
  readonly mean: number;
  /** Their standard deviation. */
  readonly deviation: number;
  /** Share of the elements that are exactly 0. */
  readonly zeros: number;
  /** Share of the units that are 0 for every sample and at every place: channels of images, features of rows and sequences. */
  readonly dead: number;
  /** Of a layer with parameters of its own, at its first run. */
  readonly weights?: WeightStatistics | undefined;
}

/** Statistics of a model's layers in one batch. */
export interface BatchStatistics {
  /** Mean loss of the batch, with penalties. */
  readonly loss: number;
  /** The layers in the order in which they ran. */
  readonly layers: readonly LayerStatistics[];
}

/** How layers are observed. */
export interface ObserveOptions {
  /** Which layers, by their paths; default all that compute. */
  readonly layers?: PathPatterns | undefined;
  /** Whether dropout drops and batch normalization takes the batch's moments, as in a training step; default "training". */
  readonly mode?: "training" | "evaluation" | undefined;
  /** Of what dropout drops; default that of seed 0. */
  readonly key?: Key | undefined;
  /** Device, threads. */
  readonly compile?: CompileOptions | undefined;
}

/** Options of `layerStatistics`: a loss or an objective, as `fit` takes them, and how layers are observed. */
export type LayerStatisticsOptions<B extends Batch = Batch> = (LossChoice | ObjectiveChoice<B>) & ObserveOptions;

/** Values of the option `mode`. */
export const modeType = oneOf("training", "evaluation");

const checkOptions = optionsOf<Pick<TrainedOptions, "loss" | "objective"> & ObserveOptions>("layerStatistics", {
  loss: trainedTypes.loss,
  objective: trainedTypes.objective,
  layers: pathPatternsType,
  mode: modeType,
  key: keyType,
  compile: checkCompile.type,
});

/**
 * Statistics of a model's layers in one batch, as a training step sees them: of each output the mean, the deviation, the share of zeros and of
 * dead units; of each layer's weights their norm and that of their gradient. All is computed in one graph that gives some six numbers a layer.
 * The model is a module, one read from a file, or modules by name with an objective; nothing in it changes. Units that are 0 for a small batch
 * may be rare rather than dead: take some hundred samples. Throws OptionError for a path that there is not, DataError for an empty batch and for
 * parameters without values, and what tracing throws.
 * @example
 * const { layers } = await explain.layerStatistics(model, batch, { loss: crossEntropy() });
 * for (const { path, dead, weights } of layers) console.log(path, dead, weights?.ratio);
 */
export async function layerStatistics<B extends Batch>(
  model: AnyModule | Readonly<Record<string, AnyModule>>,
  batch: B,
  options: LayerStatisticsOptions<B>,
): Promise<BatchStatistics> {
  checkOptions(options as LayerStatisticsOptions);
  const whole = modelOf(model);
  const [step] = boundSteps<B>(whole, options as Measured<B>, "layerStatistics");
  const observer = new LayerObserver(whole, step?.objective as never, options);
  try {
    return await observer.measure(batch);
  } finally {
    await observer.release();
  }
}
