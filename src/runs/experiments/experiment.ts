/** Experiments: networks that are trained alike on the same data and differ in what is compared, and what becomes of each. */

import { atPlace, NonFiniteError } from "../../core/errors.ts";
import { count, listOf, objectOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { size } from "../../core/shape.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import type { TypeTree } from "../../nn/inputs.ts";
import type { Loss } from "../../nn/losses/loss.ts";
import type { TensorModule } from "../../nn/module.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import type { EpochResult } from "../../train/engine/running-sums.ts";
import { evaluate } from "../../train/evaluate.ts";
import { fit } from "../../train/fit.ts";
import type { Metric } from "../../train/metrics/metric.ts";
import { optimizerOf } from "../../train/optimizers/index.ts";
import type { Schedule } from "../../train/schedules.ts";
import { gradientNorms } from "../../train/transforms/index.ts";
import type { OnDownload } from "../recipes/recipe.ts";
import type { RecipeSettings } from "../recipes/settings.ts";

/** One of the networks that an experiment compares. */
export interface Variant {
  /** The line that it is part of in figures: `residual`. */
  readonly series: string;
  /** Its place on the axis of the experiment: 16. */
  readonly at: number;
  /** A new network, without weights. */
  build(): TensorModule;
}

/** Settings that an experiment has defaults for: those of recipes, and how often each network is trained. */
export interface ExperimentSettings extends RecipeSettings {
  /** How often each network is trained, from seeds that count up from the first. */
  readonly repeats: number;
  /** Threads of one operator; default: all cores. Small networks are faster on one. */
  readonly threads?: number;
}

/** What the networks of an experiment are trained on and with. */
export interface ExperimentTask {
  /** The networks to compare. */
  readonly variants: readonly Variant[];
  /** The order of the data depends on the seed. */
  train(seed: number): Dataset<Batch>;
  /** Measured once for each trained network. */
  readonly test: Dataset<Batch>;
  /** What is minimized. */
  readonly loss: Loss;
  /** Measured beside the loss. */
  readonly metrics: readonly Metric[];
  /** Default: the settings' rate, constant. */
  readonly schedule?: Schedule;
  /** Types of the inputs for a batch of 1. */
  readonly inputs: TypeTree;
  /** How many samples there are, to be shown. */
  readonly samples?: { readonly train: number; readonly test: number };
}

/** What became of one network from one seed. */
export interface Outcome {
  /** The variant's series. */
  readonly series: string;
  /** The variant's place on the axis. */
  readonly at: number;
  /** What it was trained from. */
  readonly seed: number;
  /** To be trained. */
  readonly parameters: number;
  /** Of training, without the test. */
  readonly seconds: number;
  /** Results of each epoch on the training data, while it was trained. */
  readonly history: readonly EpochResult[];
  /** Results on the test data; empty when training failed. */
  readonly test: EpochResult;
  /** Norm of each weight's gradient in the first batch of each epoch, by path from the first layer to the last. */
  readonly gradients: readonly Readonly<Record<string, number>>[];
  /** Why training ended early, such as a loss that is no number. */
  readonly failure?: string | undefined;
}

/** Figures by the names of their files, each as SVG text. */
export type Figures = Readonly<Record<string, string>>;

/**
 * Networks that are trained alike and differ in one thing, each from several seeds. Make one with `defineExperiment`.
 */
export interface Experiment {
  /** Tells it from a recipe; `defineExperiment` sets it. */
  readonly isExperiment: true;
  /** By which it is run. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** Settings where none are given. */
  readonly defaults: ExperimentSettings;
  /** What `at` of its variants counts: `hidden layers`. */
  readonly axis: string;
  /** As of a recipe. */
  load(settings: RecipeSettings, limit?: number, onDownload?: OnDownload): Promise<ExperimentTask>;
  /** Figures of what the trials came to. */
  figures(outcomes: readonly Outcome[]): Figures;
  /** What to try after it. */
  readonly next?: readonly string[];
}

/** An experiment; its module exports it as default, as recipes are. Run it by `runExperiment`. */
export const defineExperiment = (experiment: Omit<Experiment, "isExperiment">): Experiment => ({
  ...experiment,
  isExperiment: true,
});

/** Options of `runTrial`. */
export interface TrialOptions {
  /** How it is trained: epochs, the rate where the task has no schedule, the optimizer's name. */
  readonly settings: Pick<RecipeSettings, "epochs" | "learningRate" | "optimizer">;
  /** Start of initial values, of dropout and of the order of the data. */
  readonly seed: number;
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions;
  /** Called as training goes, behind those of the trial's own; default none. */
  readonly callbacks?: readonly Callback[];
}

const checkTrial = optionsOf<TrialOptions>("runTrial", {
  settings: required(objectOf("{ epochs, learningRate, optimizer }")),
  seed: required(count(0)),
  compile: checkCompile.type,
  callbacks: listOf(objectOf<Callback>("a callback"), "callbacks"),
});

/** Trains and tests one network. A loss or gradient that is no number ends the trial, and is its outcome. */
export async function runTrial(
  { train, test, loss, metrics, schedule, inputs }: ExperimentTask,
  { series, at, build }: Variant,
  options: TrialOptions,
): Promise<Outcome> {
  const { settings, seed, compile, callbacks = [] } = checkTrial(options);
  const model = build();
  model.trace(inputs);
  const weights = [...model.parameters()].filter(([, { isBuffer }]) => !isBuffer);
  const outcome = { series, at, seed, parameters: weights.reduce((sum, [, { shape }]) => sum + size(shape), 0) };
  // Of matrices and kernels: what a normalization or a bias sees says less of how gradients fare on their way.
  const watched = weights.filter(([, { shape }]) => shape.length > 1).map(([path]) => path);
  const gradients: Record<string, number>[] = [];
  const history: EpochResult[] = [];
  const began = performance.now();
  try {
    await fit(model, train(seed), {
      loss,
      optimizer: optimizerOf(settings.optimizer, { learningRate: schedule ?? settings.learningRate }),
      epochs: settings.epochs,
      metrics,
      callbacks: [
        {
          name: "gradients",
          onBatch({ batchInEpoch }, { reports }) {
            if (batchInEpoch !== 1) return;
            const norms = reports["gradientNorms"] ?? {};
            gradients.push(Object.fromEntries(watched.map((path) => [path, norms[path] ?? Number.NaN])));
          },
          onEpoch: (_, results) => void history.push(results),
        },
        ...callbacks,
      ],
      training: { seed, transforms: [gradientNorms()], ...(compile && { compile }) },
    });
  } catch (error) {
    const seconds = (performance.now() - began) / 1000;
    if (error instanceof NonFiniteError)
      return { ...outcome, seconds, history, test: {}, gradients, failure: error.message };
    throw atPlace(`${series}, ${at}`, error);
  }
  const seconds = (performance.now() - began) / 1000;
  const { results } = await evaluate(model, test, { loss, metrics, ...(compile && { compile }) });
  return { ...outcome, seconds, history, test: results, gradients };
}

/** A measure of outcomes over the seeds of one variant. */
export interface Average {
  /** The variant's series. */
  readonly series: string;
  /** The variant's place on the axis. */
  readonly at: number;
  /** Mean of the measure over the seeds. */
  readonly mean: number;
  /** Standard deviation of the sample; NaN of fewer than two. */
  readonly deviation: number;
}

/** Mean and deviation of a measure of each variant, in the order of the outcomes; failed trials have no part in it. */
export function averages(outcomes: readonly Outcome[], measure: (outcome: Outcome) => number): Average[] {
  const groups = new Map<string, { series: string; at: number; values: number[] }>();
  for (const outcome of outcomes) {
    const { series, at, failure } = outcome;
    const group = groups.get(`${series}/${at}`) ?? { series, at, values: [] };
    groups.set(`${series}/${at}`, group);
    if (failure === undefined) group.values.push(measure(outcome));
  }
  return Array.from(groups.values(), ({ series, at, values }) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { series, at, mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : Number.NaN };
  });
}
