/** What a model predicts of a few samples that stay the same while it learns. */
import { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { gatherRows, mapRecord, rowOf } from "../../data/pipeline/rows.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { takenOf } from "../../nn/inputs.ts";
import type { Module } from "../../nn/module.ts";
import { type Predictor, predictor } from "../../train/predict.ts";
import type { Task } from "../recipes/recipe.ts";
import { kindOf, probabilitiesOf } from "../report/outputs.ts";
import { shownInput } from "../report/shown-input.ts";
import type { WatchedInputs, WatchedPrediction, WatchedSample } from "./sample-records.ts";

/** Samples that are watched, classes that are kept of each, and numbers that are shown of an input that is neither image nor text nor row. */
const [mostSamples, mostClasses, mostNumbers] = [8, 5, 16];

/** The samples, and which part of the data they are of. */
export interface WatchedBatch {
  readonly from: WatchedInputs["from"];
  readonly batch: Batch;
}

/**
 * Eight samples of the first batch of the validation data, of as many classes as there are; of the training data where there are no validation data,
 * and training is not private. Nothing where there are none.
 */
export async function watchedBatch({ validation, train }: Task, isPrivate: boolean): Promise<WatchedBatch | undefined> {
  const data = validation ?? (isPrivate ? undefined : train);
  if (!data) return undefined;
  for await (const batch of data.epoch(0))
    return {
      from: validation ? "validation" : "training",
      batch: mapRecord(batch, (own) => gatherRows(own, placesOf(batch))),
    };
  return undefined;
}

/** The first sample of each class, then the others in their order. */
function placesOf(batch: Batch): readonly number[] {
  const { y } = batch;
  const [rows = 0] = Object.values(batch)[0]?.shape ?? [];
  const labels = y?.shape.length === 1 ? y.toNumbers() : [];
  const all = Array.from({ length: rows }, (_, place) => place);
  const isFirst = (place: number) => labels.indexOf(labels[place] ?? Number.NaN) === place;
  return [...all.filter(isFirst), ...all.filter((place) => !isFirst(place))].slice(0, mostSamples);
}

/** A number as people read it. */
const numberText = (value: number): string => String(Number(value.toPrecision(6)));

/** Predicts the samples of a batch again and again. */
export class WatchedPredictions {
  readonly #task: Task;
  readonly #batch: Batch;
  readonly #ask: Predictor;
  /** The samples as a person can look at them, once they were predicted. */
  samples: readonly WatchedSample[] = [];

  constructor(task: Task, batch: Batch, compile: CompileOptions) {
    this.#task = task;
    this.#batch = batch;
    this.#ask = predictor(task.model as Module, { compile }) as Predictor;
  }

  /** What is predicted now; nothing of a model that gives neither scores of classes nor a number. */
  async measure(): Promise<readonly WatchedPrediction[] | undefined> {
    const { model, classes, metrics = [] } = this.#task;
    const { y } = this.#batch;
    if (!y) return undefined;
    const output: unknown = await this.#ask(takenOf(model.inputs, this.#batch) as Tensor);
    const hasAccuracy = metrics.some(({ name }) => name === "accuracy");
    const kind = kindOf({ ...(classes && { classes }) }, output, y, hasAccuracy);
    if (!(output instanceof Tensor) || kind === undefined) return undefined;
    if (this.samples.length === 0) this.samples = this.#shown();
    if (kind === "numbers") return output.toNumbers().map((number) => ({ number }));
    return probabilitiesOf(output).map((row) => ({
      classes: row
        .map((probability, place) => ({ name: classes?.[place] ?? String(place), probability }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, mostClasses),
    }));
  }

  #shown(): readonly WatchedSample[] {
    const { classes, format = {}, reader } = this.#task;
    const { x, y } = this.#batch;
    return (y?.toNumbers() ?? []).map((actual, place): WatchedSample => {
      const known = classes?.[actual] ?? numberText(actual);
      if (!x) return { actual: known };
      const input = rowOf(x, place);
      const seen = shownInput(input, format, reader);
      const isShort = seen.image === undefined && seen.cells === undefined && input.data.length <= mostNumbers;
      const cells = isShort
        ? input.toNumbers().map((value, i) => ({ name: `x${i}`, value: numberText(value) }))
        : undefined;
      return { actual: known, ...seen, ...(cells && { cells }) };
    });
  }

  /** Lets go of compiled graphs. */
  release(): Promise<void> {
    return this.#ask.release();
  }
}
