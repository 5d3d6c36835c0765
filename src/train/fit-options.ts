/** Options of a run. */
import { count, listOf, objectOf } from "../core/option-types.ts";
import { type OptionTypes, optionsOf, required } from "../core/options.ts";
import { type Batch, type Dataset, datasetType } from "../data/pipeline/dataset.ts";
import { type CompileOptions, checkCompile } from "../jit/compile.ts";
import type { Callback } from "./callbacks/callback.ts";
import { type TrainedOptions, trainedTypes } from "./engine/objectives.ts";
import type { Trained } from "./engine/trainer.ts";
import { type TrainingOptions, trainingTypes } from "./engine/training-options.ts";
import type { Progress } from "./fit.ts";
import type { Measure } from "./metrics/measure.ts";

/** How long is trained, and what goes on beside. */
export interface LoopOptions<B extends Batch = Batch> {
  /** Passes over the data. */
  readonly epochs: number;
  /** What is called as the run goes, in this order; default none. */
  readonly callbacks?: readonly Callback[];
  /** Evaluated after every epoch, whose results then have `validation_loss` and the metrics alike; default none. */
  readonly validation?: Dataset<B> | undefined;
  /** Further results of `validation`, which no metric can add up from batches; default none. */
  readonly measures?: readonly Measure[];
  /** How steps are made: seed, accumulation, clipping, groups; and where to go on from. */
  readonly training?: TrainingOptions & {
    /** Where an earlier run stopped. */
    readonly resume?: Progress | undefined;
  };
}

/** What is minimized by what (`loss`, `metrics`, `optimizer`; `objective` in place of the loss; or `steps`), and how long. */
export type FitOptions<B extends Batch = Batch> = Trained<B> & LoopOptions<B>;

/** Whatever the batches are. */
type CheckedOptions = TrainedOptions &
  Omit<LoopOptions, "validation"> & { readonly validation?: Dataset<unknown> | undefined };

const fitTypes: OptionTypes<CheckedOptions> = {
  ...trainedTypes,
  epochs: required(count(0)),
  callbacks: listOf(objectOf<Callback>("a callback such as earlyStopping()"), "callbacks"),
  validation: datasetType,
  measures: listOf(objectOf<Measure>("a measure: { name, direction, measure }"), "measures"),
  training: optionsOf<NonNullable<LoopOptions["training"]>>("training", {
    ...trainingTypes,
    resume: objectOf("the progress of an earlier run"),
  }).type,
};

export const checkFit = optionsOf("fit", fitTypes);

type EvaluatedOptions = Partial<CheckedOptions> & { readonly compile?: CompileOptions | undefined };

/** As `fit`, whose options `evaluate` takes too. */
export const checkEvaluate = optionsOf<EvaluatedOptions>("evaluate", {
  ...fitTypes,
  epochs: fitTypes.epochs.required,
  compile: checkCompile.type,
});
