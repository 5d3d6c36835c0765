/** Recipes: a model, its data and its settings as one runnable, typed module. */
import type { z } from "zod";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import type { SoundFormat } from "../../data/sound/sound-format.ts";
import type { RowEncoding } from "../../data/tables/rows/row-encoding.ts";
import type { TextFeatures } from "../../data/text/text-features.ts";
import type { Tokenizer } from "../../data/text/tokenizer.ts";
import type { FederationOptions } from "../../federated/rounds.ts";
import type { SimulatedClients } from "../../federated/simulate.ts";
import type { AdapterSet } from "../../finetune/adapters/adapter-set.ts";
import type { TextReader } from "../../finetune/tasks/text-rows.ts";
import type { Value } from "../../graph/ir.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import type { TypeTree } from "../../nn/inputs.ts";
import type { AnyModule } from "../../nn/module.ts";
import type { BaselineResult } from "../../train/baselines/baseline.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import type { LossSpec, Objective } from "../../train/engine/objective.ts";
import type { AlternatingStep } from "../../train/engine/objectives.ts";
import type { TrainingOptions } from "../../train/engine/training-options.ts";
import type { Measure } from "../../train/metrics/measure.ts";
import type { Metric } from "../../train/metrics/metric.ts";
import type { OptimizerName, optimizers } from "../../train/optimizers/index.ts";
import type { Schedule } from "../../train/schedules.ts";
import type { SearchSpace } from "../search/space.ts";
import type { OptionValue, RecipeDefaults, RecipeSettings } from "./settings.ts";

/** A choice that a recipe leaves to who runs it, beside the settings: `--cell gru`. */
export interface RecipeOption {
  /** One sentence for the help. */
  readonly description: string;
  /** Of the kind that the option takes; a switch is off by default. */
  readonly default: string | number | false;
  /** What a text may be; default anything. */
  readonly choices?: readonly string[];
}

/** Options of a recipe's own, by name. */
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

/** How a file or a JSON value becomes the input of a model that takes one tensor. */
export interface InputFormat {
  /**
   * Set when inputs are images: the size and channels to decode to. Pixels arrive as bytes. Of grey ones `turns` says whether dark marks on a
   * light ground are inverted, as models of written digits expect; default true.
   */
  readonly image?: {
    readonly height: number;
    readonly width: number;
    readonly channels: 1 | 3;
    readonly turns?: boolean | undefined;
  };
  /** Set when inputs are sounds: the rate and length of clips, and what is made of them. */
  readonly sound?: SoundFormat;
  /** Set when inputs are rows of a table: how their columns become numbers. */
  readonly table?: RowEncoding;
  /** Set when inputs are texts: how they become ids. */
  readonly text?: TextFeatures;
  /**
   * From raw numbers [N, …], the bytes of an image or JSON's numbers as float32, to what the model takes, inside a graph of its own;
   * default: bytes are divided by 255, and numbers are cast to the type that the model takes.
   */
  readonly prepare?: (raw: Value) => Value;
}

/** What a model answers to a question. */
export type Answer = {
  /** What a person should know of the question, such as words that the model does not know. */
  readonly note?: string;
} /** Logits of the task's classes, or numbers, [1, …]: shown as those of images are. */ & (
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

/** How a model is asked what neither an image nor numbers can ask: a sentence, a recording, the number of a user. */
export interface Dialogue {
  /** What is asked, for the help: `a sentence in English`. */
  readonly what: string;
  /** A question to try. */
  readonly example: string;
  /** Prepares to answer; the answer to a bad question is a DataError or FileError that says how to mend it. */
  open(compile: CompileOptions): Promise<(question: string) => Promise<Answer>>;
}

/** How a language model of token ids [N, T] → logits [N, T, tokens] writes text. */
export interface Writer {
  /** Makes tokens of a prompt, and text of tokens. */
  readonly tokenizer: Tokenizer;
  /** The most tokens that the model can read. */
  readonly positions: number;
  /** A beginning to try. */
  readonly prompt: string;
  /** The chat template by which a prompt becomes a message that is answered, up to the token that ends it; default it is continued. */
  readonly chat?: { readonly template: string; readonly bos?: string; readonly eos?: string };
}

/** A part of a run with the same trainable parameters. */
export interface Stage {
  /** What it is called while it runs. */
  readonly name: string;
  /** Passes over the data. */
  readonly epochs: number;
  /** Called once before the stage, e.g. to freeze layers. */
  before?(model: AnyModule): void;
}

/** A model, and the types of its inputs for a batch of 1. */
export interface RecipeNetwork {
  /** The network. */
  readonly model: AnyModule;
  /** Types of its inputs. */
  readonly inputs: TypeTree;
}

/** Everything that prediction, generation and export need of a recipe, made without its data. */
export interface Deployment extends RecipeNetwork {
  /** How a file or JSON becomes the input. */
  readonly format?: InputFormat;
  /** Names of the classes, for the confusion matrix and predictions. */
  readonly classes?: readonly string[];
  /** Names of labels, of which a sample has any number: the model gives the log odds of each. */
  readonly labels?: readonly string[];
  /** What is predicted with and exported, where it is not the model itself: the generator of a GAN. */
  readonly deployed?: RecipeNetwork & { readonly format?: InputFormat };
  /** How the trained model is asked; default: by images or numbers, as `format` says. */
  readonly dialogue?: Dialogue;
  /** How the trained model reads texts, which it is asked then; default: it does not. */
  readonly reader?: TextReader;
  /** How the trained model writes text; default: it does not. */
  readonly writer?: Writer;
  /** Parts of the run; default: one stage of the settings' epochs. */
  readonly stages?: readonly Stage[];
}

/** How a task is learned by clients that keep their data, for `sardonyx federate`. */
export interface FederatedTask {
  /** The clients that its training data are split among. */
  readonly clients: SimulatedClients;
  /** How they learn. */
  readonly options: FederationOptions;
  /** How their steps are made, beside what the strategy does with gradients. */
  readonly training?: TrainingOptions;
}

/** Everything that a run trains on and with. */
export interface Task<F = unknown> extends Deployment {
  /** What was learned of the data, and what a run keeps of it: see Recipe.facts. */
  readonly facts?: F;
  /** What it is trained on, in batches. */
  readonly train: Dataset<Batch>;
  /** Measured after every epoch. */
  readonly validation?: Dataset<Batch>;
  /** Measured once, at the end. */
  readonly test: Dataset<Batch>;
  /**
   * Of a task without `validation`: what it is trained on and validated by while settings are searched, such as nine tenths and one tenth of the
   * training data; default such a task cannot be searched.
   */
  trial?(): Required<Pick<Task, "train" | "validation">>;
  /** What is minimized: a loss of the model's outputs, or … */
  readonly loss?: LossSpec;
  /** … an objective of your own, or … */
  readonly objective?: Objective<never>;
  /** … steps in turn, each with an optimizer of its own. */
  readonly steps?: Readonly<Record<string, AlternatingStep<never>>>;
  /** Measured beside the loss; default nothing. */
  readonly metrics?: readonly Metric[];
  /** Further results of `validation`, which no metric can add up from batches; default none. */
  readonly measures?: readonly Measure[];
  /** What was left out of the data or cut, to be shown. */
  readonly notes?: readonly string[];
  /** How many samples there are, to be shown. */
  readonly samples?: { readonly train: number; readonly test: number };
  /** Default: the settings' rate, constant. */
  readonly schedule?: Schedule;
  /** Called as training goes; default none. */
  readonly callbacks?: readonly Callback[];
  /** How clients learn it that keep their data; default each client has all of `train` as its own. */
  readonly federated?: FederatedTask;
  /** How steps are made: accumulation, clipping, groups. */
  readonly training?: TrainingOptions;
  /** Options of optimizers by name, beside the rate: what this model is usually trained with. */
  readonly optimizers?: { readonly [K in OptimizerName]?: Parameters<(typeof optimizers)[K]>[0] };
  /** Further results of the test, of what no metric can add up from batches; `results` are the loss and the metrics. */
  measure?(
    compile: CompileOptions,
    results: Readonly<Record<string, number>>,
  ): Promise<Readonly<Record<string, number>>>;
  /** What simple ways of doing the same reach on the same test, measured at the end. */
  baselines?(): Promise<readonly BaselineResult[]>;
  /** The adapters beside its layers, which an export may merge into the weights. */
  readonly adapters?: AdapterSet;
  /** Writes more into the folder of the run once it is trained, and gives the names. */
  write?(folder: string): Promise<readonly string[]>;
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

/** A model, its data and its settings, which can be trained by name. Make one with `defineRecipe`. */
export interface Recipe<O extends RecipeOptions = RecipeOptions, F = unknown> {
  /** By which it is run. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** What it is trained and tested on, in a few words, with sizes. */
  readonly data?: string;
  /** Settings where none are given. */
  readonly defaults: RecipeDefaults;
  /** Choices of its own, which `network`, `open` and `load` find beside the settings. */
  readonly options?: O;
  /** What `--trials` may choose, by the names of settings and options; default its rate and batch size. */
  readonly search?: SearchSpace;
  /** What a run keeps of its data, as JSON: a vocabulary, a scaling. Needed by an `open` that takes facts. */
  readonly facts?: z.ZodType<F>;
  /** The network alone, without its data, for inspection; default: that of `open` where there are no facts. */
  network?(settings: RecipeSettings & OptionsOf<O>): RecipeNetwork;
  /** What a trained model is used with, made of the settings and of the facts that `load` gave; nothing where the run's files alone do. */
  open?(settings: RecipeSettings & OptionsOf<O>, facts: F): Deployment | Promise<Deployment | undefined>;
  /**
   * Loads the data and builds the model. `limit`, when given, keeps only so many training and test samples; `onDownload`
   * is to be passed on to what loads the data.
   */
  load(settings: RecipeDefaults & OptionsOf<O>, limit?: number, onDownload?: OnDownload): Promise<Task<F>>;
  /** What to try after it. */
  readonly next?: readonly string[];
}

/**
 * A recipe, typed by its options and facts; its module exports it as default. Name it to `runRecipe`, or train its file
 * by `sardonyx train ./my-recipe.ts`.
 */
export const defineRecipe = <const O extends RecipeOptions = Record<never, never>, F = unknown>(
  recipe: Recipe<O, F>,
): Recipe =>
  // Who runs it gives the options that are declared, of the kinds that they are declared with, and facts that passed their schema.
  recipe as unknown as Recipe;

/** The values of a recipe's options that were given none. */
export const defaultOptions = ({ options = {} }: { readonly options?: RecipeOptions }): Record<string, OptionValue> =>
  Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default]));

/** The network of a recipe alone, `undefined` where it takes data to know it. */
export function networkOf(
  recipe: Recipe,
  settings: RecipeSettings & Record<string, OptionValue>,
): RecipeNetwork | undefined {
  if (recipe.network) return recipe.network(settings);
  if (recipe.facts) return undefined;
  const opened = recipe.open?.(settings, undefined);
  return opened instanceof Promise ? undefined : opened;
}

/** The first `limit` elements of a dataset, all of them without a limit. */
export const limited = <T>(dataset: Dataset<T>, limit: number | undefined): Dataset<T> =>
  limit === undefined || (dataset.length !== undefined && dataset.length <= limit) ? dataset : dataset.take(limit);
