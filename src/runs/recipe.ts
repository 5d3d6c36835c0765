/** Recipes: a model, its data and its settings as one runnable, typed module. */
import type { Tensor } from "../core/tensor.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import type { Tokenizer } from "../data/text/tokenizer.ts";
import type { CompileOptions } from "../jit/compile.ts";
import type { TypeTree } from "../nn/inputs.ts";
import type { AnyModule } from "../nn/module.ts";
import type { Callback } from "../train/callbacks/callback.ts";
import type { LossSpec, Objective } from "../train/engine/objective.ts";
import type { AlternatingStep } from "../train/engine/objectives.ts";
import type { Metric } from "../train/metrics/metric.ts";
import type { OptimizerName, optimizers } from "../train/optimizers/index.ts";
import type { Schedule } from "../train/schedules.ts";
import type { TrainingOptions } from "../train/engine/trainer.ts";

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

export type OptionValue = string | number | boolean;

/** A choice that a recipe leaves to who runs it, beside the settings: `--cell gru`. */
export interface RecipeOption {
  /** One sentence for the help. */
  readonly description: string;
  /** Of the kind that the option takes; a switch is off by default. */
  readonly default: string | number | false;
  /** What a text may be; default anything. */
  readonly choices?: readonly string[];
}

export type RecipeOptions = Readonly<Record<string, RecipeOption>>;

/** The values of a recipe's options. */
export type OptionsOf<O extends RecipeOptions> = {
  readonly [K in keyof O]: O[K] extends { readonly choices: readonly (infer C)[] }
    ? C
    : O[K]["default"] extends number
      ? number
      : O[K]["default"] extends string
        ? string
        : O[K]["default"] extends false
          ? boolean
          : OptionValue;
};

/** How a file or a JSON value becomes an input of the model. */
export interface InputFormat {
  /** Types of the inputs for a batch of 1. */
  readonly types: TypeTree;
  /** Set when inputs are pictures: size and channels to decode to. Pixels arrive as bytes. */
  readonly image?: { readonly height: number; readonly width: number; readonly channels: 1 | 3 };
  /** From raw numbers [N, …] (bytes of a picture, or JSON) to what the model takes. */
  readonly prepare: (raw: Tensor) => Tensor;
}

/** What a model says to a question. */
export type Answer = {
  /** What a person should know of the question, such as words that the model does not know. */
  readonly note?: string;
} /** Logits of the task's classes, or numbers, [1, …]: told as of pictures. */ & (
  | { readonly output: Tensor }
  | {
      readonly text: string;
      /** Texts of several lines that show on a terminal, each in the place of the one before, how the answer came about. */
      readonly frames?: readonly string[];
      /** The same for programs. */
      readonly fields: Readonly<Record<string, unknown>>;
      readonly drawings?: Drawings;
    }
);

/** How a model is asked what neither a picture nor numbers can ask: a sentence, a recording, the number of a user. */
export interface Dialogue {
  /** What is asked, for the help: `a sentence in English`. */
  readonly what: string;
  /** A question to try. */
  readonly example: string;
  /** Prepares to answer; the answer to a bad question is a DataError or FileError that tells the mend. */
  open(compile: CompileOptions): Promise<(question: string) => Promise<Answer>>;
}

/** How a language model of token ids [N, T] → logits [N, T, tokens] writes text. */
export interface Writer {
  readonly tokenizer: Tokenizer;
  /** The most tokens that the model can read. */
  readonly positions: number;
  /** A beginning to try. */
  readonly prompt: string;
}

/** A part of a run with the same trainable parameters. */
export interface Stage {
  readonly name: string;
  readonly epochs: number;
  /** Called once before the stage, e.g. to freeze layers. */
  readonly before?: (model: AnyModule) => void;
}

/** Everything that a run trains on and with. */
export interface Task {
  readonly model: AnyModule;
  readonly train: Dataset<Batch>;
  /** Measured after every epoch. */
  readonly validation?: Dataset<Batch>;
  /** Measured once, at the end. */
  readonly test: Dataset<Batch>;
  /** What is minimized: a loss of the model's outputs, an objective of your own, or steps in turn, each with its optimizer. */
  readonly loss?: LossSpec;
  readonly objective?: Objective<never>;
  readonly steps?: Readonly<Record<string, AlternatingStep<never>>>;
  readonly metrics?: readonly Metric[];
  /** What was left out of the data or cut, to tell. */
  readonly notes?: readonly string[];
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
  /** Options of optimizers by name, beside the rate: what this model is usually trained with. */
  readonly optimizers?: { readonly [K in OptimizerName]?: Parameters<(typeof optimizers)[K]>[0] };
  /** What is predicted with and exported, where it is not the model itself: the generator of a GAN. */
  readonly deployed?: { readonly model: AnyModule; readonly input: InputFormat };
  /** How the trained model is asked; default: by pictures or numbers, as `input` tells. */
  readonly dialogue?: Dialogue;
  /** How the trained model writes text; default: it does not. */
  readonly writer?: Writer;
  /** Further results of the test, of what no metric can add up from batches; `results` are the loss and the metrics. */
  measure?(
    compile: CompileOptions,
    results: Readonly<Record<string, number>>,
  ): Promise<Readonly<Record<string, number>>>;
  /** What a person would want to see of the trained model, such as a grid of samples. */
  draw?(compile: CompileOptions): Promise<Drawings>;
}

/** Files by name: PNG bytes, or text such as SVG. */
export type Drawings = Readonly<Record<string, Uint8Array | string>>;

/** Called as bytes of a data set arrive; not when it is on disk. */
export type OnDownload = (progress: {
  readonly name: string;
  readonly received: number;
  readonly total: number;
}) => void;

/** A model, and the types of its inputs for a batch of 1. */
export interface RecipeNetwork {
  readonly model: AnyModule;
  readonly types: TypeTree;
}

export interface Recipe<O extends RecipeOptions = RecipeOptions> {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** What it is trained and tested on, in a few words, with sizes. */
  readonly data?: string;
  readonly defaults: RecipeSettings;
  /** Choices of its own, which `network` and `load` find beside the settings. */
  readonly options?: O;
  /** The network alone, without its data, for inspection; default: taken from what `load` gives. */
  network?(settings: RecipeSettings & OptionsOf<O>): RecipeNetwork;
  /**
   * Loads the data and builds the model. `limit`, when given, keeps only so many training and test samples; `onDownload`
   * is to be passed on to what loads the data.
   */
  load(settings: RecipeSettings & OptionsOf<O>, limit?: number, onDownload?: OnDownload): Promise<Task>;
  /** What to try after it. */
  readonly next?: readonly string[];
}

/** A recipe; its module exports it as default. */
export const defineRecipe = <const O extends RecipeOptions = Record<never, never>>(recipe: Recipe<O>): Recipe =>
  // The command line gives the options that are declared, of the kinds that they are declared with.
  recipe as unknown as Recipe;

/** A recipe's options as they are when nothing is said. */
export const defaultOptions = ({ options = {} }: Pick<Recipe, "options">): Readonly<Record<string, OptionValue>> =>
  Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default]));

/** The first `limit` elements of a dataset, or all of them. */
export const limited = <T>(data: Dataset<T>, limit: number | undefined): Dataset<T> =>
  limit === undefined || limit >= (data.length ?? Number.POSITIVE_INFINITY) ? data : data.take(limit);
