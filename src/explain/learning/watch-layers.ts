/** Keeps statistics of a model's layers as it learns. */
import { DataError, unknownName } from "../../core/errors.ts";
import { count, functionOf, pathPatternsType, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { checkCompile } from "../../jit/compile.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import type { Run } from "../../train/fit.ts";
import { type LayerMoment, layerHistorySchema } from "./layer-history.ts";
import { LayerObserver } from "./layer-observer.ts";
import { modeType, type ObserveOptions } from "./layer-statistics.ts";

/** Options of `watchLayers`. */
export interface WatchLayersOptions extends Omit<ObserveOptions, "key"> {
  /** Measure after every so many epochs, and after the last; default 1. Before the first epoch it measures too. */
  readonly every?: number;
  /** Of steps in turn, the one whose loss counts; default the first. */
  readonly step?: string;
  /** Called with each measurement, such as to write it down. */
  readonly onMeasured?: (moment: LayerMoment) => void | Promise<void>;
}

const checkOptions = optionsOf<WatchLayersOptions>("watchLayers", {
  every: count(),
  step: string,
  onMeasured: functionOf("(moment) => …"),
  layers: pathPatternsType,
  mode: modeType,
  compile: checkCompile.type,
});

/** The callback, with what it measured. */
export interface WatchedLayers extends Callback {
  /** The measurements so far, those of a resumed run too. */
  readonly history: readonly LayerMoment[];
}

/**
 * A callback of `fit` that keeps `layerStatistics` over time: before the first epoch, after every `every`-th and after the last, on the first
 * batch of the data, with the loss that is trained. A measurement costs about one training step on that batch without its update, and the first
 * one the compilation of another graph; between them there is nothing to do. The history goes into checkpoints. Throws OptionError for a step or
 * a layer that there is not, DataError for data without a batch.
 * @example
 * const watch = explain.watchLayers(train.batch(256));
 * await fit(model, train.batch(32), { loss, optimizer: adam(), epochs: 10, callbacks: [watch] });
 * console.log(watch.history.at(-1)?.layers[0]?.weights?.ratio);
 */
export function watchLayers<B extends Batch>(data: Dataset<B>, options: WatchLayersOptions = {}): WatchedLayers {
  const { every = 1, step, onMeasured, ...observed } = checkOptions(options);
  let history: readonly LayerMoment[] = [];
  let observer: LayerObserver | undefined;
  let batch: B | undefined;
  const measure = async ({ model, trainer, epoch }: Run) => {
    batch ??= await firstOf(data);
    observer ??= new LayerObserver(model, objectiveOf(trainer, step), observed);
    if (trainer.batches === 0) {
      // The parameters are those that the trainer makes before its first batch.
      await observer.prepare(batch);
      model.initialize(trainer.key);
    }
    const moment = { epoch, batch: trainer.batches, ...(await observer.measure(batch)) };
    history = [...history, moment];
    await onMeasured?.(moment);
  };
  return {
    name: "watchLayers",
    leads: true,
    get history() {
      return history;
    },
    async onStart(run) {
      if (run.trainer.batches === 0 && history.length === 0) await measure(run);
    },
    async onEpoch(run) {
      if (run.epoch % every === 0 || run.epoch === run.epochs) await measure(run);
    },
    async onEnd() {
      await observer?.release();
      observer = undefined;
    },
    state: () => history,
    restore(saved) {
      history = layerHistorySchema.parse(saved ?? []);
    },
  };
}

async function firstOf<B extends Batch>(data: Dataset<B>): Promise<B> {
  for await (const batch of data.epoch(0)) return batch;
  throw new DataError("watchLayers: the dataset gave no batch to measure on; check its files and filters");
}

/** What a step minimizes. Throws OptionError for one that there is not. */
function objectiveOf({ steps }: Run["trainer"], name: string | undefined) {
  const found = name === undefined ? steps[0] : steps.find((own) => own.name === name);
  if (found) return found.objective;
  const names = steps.map((own) => own.name).filter(Boolean);
  throw unknownName("step", name ?? "", names);
}
