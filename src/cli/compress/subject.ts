/** What is compressed: the model of a run with its data, or of a file with data beside it. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DataError, OptionError } from "../../core/errors.ts";
import { type Batch, type Dataset, fromTensors } from "../../data/pipeline/dataset.ts";
import { loadModel } from "../../formats/files/load-model.node.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { crossEntropy } from "../../nn/index.ts";
import { measuredOf } from "../../runs/training/evaluation.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { decodeSafetensors } from "../../storage/safetensors.ts";
import { advantageOf, comparedMetrics, comparedResult } from "../../train/baselines/compared-metric.ts";
import type { LossSpec } from "../../train/engine/objective.ts";
import type { EvaluateOptions } from "../../train/evaluate.ts";
import { accuracy } from "../../train/metrics/classification.ts";
import type { OptionValues } from "../command.ts";
import { openNamed, type openOptions } from "../open-run.ts";
import type { Output } from "../output.ts";

/** A model with what compression needs beside it. */
export interface Subject {
  readonly model: AnyModule;
  /** Types of its inputs, where they are known. */
  readonly inputs: TypeTree | undefined;
  /** To calibrate with; `undefined` of a file without data. */
  readonly train: Dataset<Batch> | undefined;
  /** To choose by: apart from the test. */
  readonly validation: Dataset<Batch> | undefined;
  /** Why a figure of this data says less than it seems to; `undefined` where it does not. */
  readonly caution: string | undefined;
  /** To measure on. */
  readonly test: Dataset<Batch> | undefined;
  /** What is measured; `undefined` where it is not of outputs alone. */
  readonly measured: EvaluateOptions<Batch> | undefined;
  /** What is minimized, where it is a loss of outputs. */
  readonly loss: LossSpec | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** Where the file goes by default, without its ending. */
  readonly out: string;
}

/** Opens what a person named. @param data of a model file: a safetensors file with its inputs, and labels `y` */
export async function openSubject(
  named: string,
  { data, ...open }: OptionValues<typeof openOptions> & { readonly data?: string | undefined },
  output: Output,
): Promise<Subject> {
  const isFile = existsSync(named) && statSync(named).isFile();
  if (isFile) return fileSubject(named, data);
  if (data !== undefined)
    throw new OptionError(`--data is for a model file; the run ${named} has data of its own: leave it out`);
  const run = await openNamed(named, open, output);
  const task = await run.task();
  const { model, inputs } = task.deployed ?? task;
  const isOwn = task.deployed === undefined && task.objective === undefined && task.steps === undefined;
  return {
    model,
    inputs,
    train: task.train,
    validation: task.validation ?? task.trial?.().validation,
    caution:
      task.validation === undefined && task.trial !== undefined
        ? "the run held nothing back: what is chosen by is a tenth of what it was trained on"
        : undefined,
    test: task.test,
    measured: isOwn && task.loss !== undefined ? measuredOf(task) : undefined,
    loss: isOwn ? task.loss : undefined,
    metadata: {
      recipe: run.record.recipe.name,
      ...(task.classes && { classes: JSON.stringify(task.classes) }),
    },
    out: join(run.folder, "model"),
  };
}

async function fileSubject(path: string, data: string | undefined): Promise<Subject> {
  const model = await loadModel(path);
  const given = data === undefined ? undefined : await batchesOf(data);
  return {
    model,
    inputs: given?.types ?? model.inputTypes,
    train: given?.batches,
    // What the ranges come from chooses nothing.
    validation: undefined,
    test: given?.batches,
    caution: given && "ranges, rounding and figures are of the same data: measure on other data before you trust them",
    measured: given?.isLabelled ? { loss: crossEntropy(), metrics: [accuracy()] } : undefined,
    loss: given?.isLabelled ? crossEntropy() : undefined,
    metadata: {},
    out: join(dirname(path), basename(path).replace(/\.[^.]*$/, "")),
  };
}

/** Samples of a batch that is made of a file. */
const batchSize = 32;

/** The rows of a safetensors file in batches, with the types of a batch of 1. */
async function batchesOf(path: string) {
  const { tensors } = decodeSafetensors(await readBytes(path, "data"));
  const { y, ...inputs } = tensors;
  const names = Object.keys(inputs);
  const [first] = names;
  if (first === undefined)
    throw new DataError(
      `${path} holds no tensor that a model could take; save its inputs by their names, and labels as y`,
    );
  const type = (name: string) => {
    const { dtype, shape } = inputs[name] as (typeof tensors)[string];
    return { dtype, shape: [1, ...shape.slice(1)] };
  };
  const types: TypeTree =
    names.length === 1 ? type(first) : Object.fromEntries(names.map((name) => [name, type(name)]));
  const isLabelled = y?.shape.length === 1 && (y.dtype === "int32" || y.dtype === "int64");
  return {
    batches: fromTensors(tensors as never).batch(batchSize, { dropLast: false }) as Dataset<Batch>,
    types,
    isLabelled,
  };
}

/** The result by which a task is judged, and its value where more is better. */
export function judgedBy(results: Readonly<Record<string, number>>): { readonly name: string; readonly score: number } {
  const metric = comparedMetrics.find((own) => results[comparedResult(own)] !== undefined);
  if (!metric) return { name: "loss", score: -(results["loss"] ?? Number.NaN) };
  const name = comparedResult(metric);
  const value = results[name] as number;
  return { name, score: advantageOf(metric, value, 0) };
}
