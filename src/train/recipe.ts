/** Recipes: a model, its data and its settings as one runnable, typed module. */
import type { Tensor } from "../core/tensor.ts";
import type { Batch, Dataset } from "../data/dataset.ts";
import type { TensorType } from "../graph/ir.ts";
import type { Loss } from "../nn/losses.ts";
import type { Module } from "../nn/module.ts";
import type { Callback } from "./callbacks.ts";
import type { Metric } from "./metrics.ts";
import type { OptimizerName } from "./optimizers.ts";
import type { Schedule } from "./schedules.ts";
import type { TrainingOptions } from "./trainer.ts";

/** What a command line may change about a run. */
export interface RecipeSettings {
  /** Passes over the training data. */
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly optimizer: OptimizerName;
  /** Start of all randomness. */
  readonly seed: number;
}

/** How a file or a JSON value becomes an input of the model. */
export interface InputFormat {
  /** One input: batch of 1. */
  readonly type: TensorType;
  /** Set when inputs are pictures: size and channels to decode to. Pixels arrive as bytes. */
  readonly image?: { readonly height: number; readonly width: number; readonly channels: 1 | 3 };
  /** From raw numbers [N, …] (bytes of a picture, or JSON) to what the model takes. */
  readonly prepare: (raw: Tensor) => Tensor;
}

/** A part of a run with the same trainable parameters. */
export interface Stage {
  readonly name: string;
  readonly epochs: number;
  /** Called once before the stage, e.g. to freeze layers. */
  readonly before?: (model: Module) => void;
}

/** Everything that a run trains on and with. */
export interface Task {
  readonly model: Module;
  readonly train: Dataset<Batch>;
  /** Measured after every epoch. */
  readonly validation?: Dataset<Batch>;
  /** Measured once, at the end. */
  readonly test: Dataset<Batch>;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
  /** Names of the classes, for the confusion matrix and predictions. */
  readonly classes?: readonly string[];
  /** How many samples there are, to tell. */
  readonly samples?: { readonly train: number; readonly test: number };
  readonly input: InputFormat;
  /** Default: one stage of the settings' epochs. */
  readonly stages?: readonly Stage[];
  /** Default: the settings' rate, constant. */
  readonly schedule?: Schedule;
  readonly callbacks?: readonly Callback[];
  readonly training?: TrainingOptions;
}

/** Called as bytes of a data set arrive; not when it is on disk. */
export type OnDownload = (progress: {
  readonly name: string;
  readonly received: number;
  readonly total: number;
}) => void;

/** A model, and the type of one input of it. */
export interface RecipeNetwork {
  readonly model: Module;
  readonly input: TensorType;
}

export interface Recipe {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly defaults: RecipeSettings;
  /** The network alone, without its data, for inspection; default: taken from what `load` gives. */
  network?(settings: RecipeSettings): RecipeNetwork;
  /**
   * Loads the data and builds the model. `limit`, when given, keeps only so many training and test samples; `onDownload`
   * is to be passed on to what loads the data.
   */
  load(settings: RecipeSettings, limit?: number, onDownload?: OnDownload): Promise<Task>;
  /** What to try after it. */
  readonly next?: readonly string[];
}

/** A recipe; its module exports it as default. */
export const defineRecipe = (recipe: Recipe): Recipe => recipe;

/** The first `limit` elements of a dataset, or all of them. */
export const limited = <T>(data: Dataset<T>, limit: number | undefined): Dataset<T> =>
  limit === undefined || limit >= (data.length ?? Number.POSITIVE_INFINITY) ? data : data.take(limit);
