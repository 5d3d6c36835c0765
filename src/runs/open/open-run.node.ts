/** A finished or interrupted run opened again: its model with the weights that it reached, and what it is asked with. */

import { DataError, FileError, OptionError, SardonyxError } from "../../core/errors.ts";
import { flag, functionOf, matching, oneOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { command } from "../../core/printable.ts";
import type { Tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import { merge } from "../../finetune/adapters/merge.ts";
import type { EncodedOnnx } from "../../formats/files/export-onnx.ts";
import { encodeSavedModel } from "../../formats/files/saved-model.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { takenOf } from "../../nn/index.ts";
import { type DeviceChoice, deviceChoices } from "../../runtime/session.ts";
import { encodeSafetensors } from "../../storage/safetensors.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { loadParameters, memoryPrefix, requireFinite } from "../../train/load-parameters.ts";
import { type Predictor, predictor } from "../../train/predict.ts";
import { compileOptions, readCheckpoint } from "../folder/checkpoint-file.node.ts";
import { deploymentOfFiles, readDeployment } from "../folder/deployment.node.ts";
import { findRun, type RunRecord, readRecord, runFiles } from "../folder/run-folder.node.ts";
import type { Answer, Deployment, OnDownload, Recipe, RecipeNetwork, Task } from "../recipes/recipe.ts";
import { builtInRecipes, loadRecipe } from "../recipes/recipes.node.ts";
import { recipeSettings } from "../recipes/settings.ts";
import { type EvaluationReport, evaluateTask } from "../training/evaluation.ts";
import { beginStage, parseStage, stageCallbackName } from "../training/stage.node.ts";
import { type GeneratedPiece, type GenerationOptions, generateText, generationSchema } from "./generation.ts";
import { preparation } from "./input.ts";
import { readingOf } from "./reading.ts";

/** How a run is opened. */
export interface OpenRunOptions {
  /** Use the weights of the best epoch instead of the last; default false. */
  readonly best?: boolean | undefined;
  /**
   * The recipe of the run, or its path, when it is your own: its code is run, for its test and for what it answers itself. Without it
   * such a run is opened from its files alone.
   */
  readonly recipe?: Recipe | string | undefined;
  /** Take weights that are NaN or infinite too, which are refused otherwise; default false. */
  readonly nonFinite?: boolean | undefined;
  /** Where to compute, wherever the run was trained; default `"cpu"`, which is there wherever a run is opened. */
  readonly device?: DeviceChoice | undefined;
  /** As bytes of a data set arrive, where the test needs them. */
  readonly onDownload?: OnDownload | undefined;
}

const checkOptions = optionsOf<OpenRunOptions>("openRun", {
  best: flag,
  nonFinite: flag,
  device: oneOf(...deviceChoices),
  recipe: matching("a recipe, or its path", (value) => typeof value === "string" || isPlainObject(value)),
  onDownload: functionOf("(progress) => …"),
});
const checkGeneration = optionsOf<GenerationOptions>("generate", generationSchema.shape);

/** A run that is opened: its model with the weights that it reached, and what it is asked with. `openRun` gives one. */
export class OpenRun {
  readonly folder: string;
  readonly record: RunRecord;
  readonly compile: CompileOptions;
  /** What the run is predicted with, and how. */
  readonly deployment: Deployment;
  readonly #options: OpenRunOptions;
  readonly #recipe: Recipe | undefined;
  #predictor: Predictor<never, unknown> | undefined;
  #prepare: ((raw: Tensor) => Promise<Tensor>) | undefined;
  #ask: Promise<(question: string) => Promise<Answer>> | undefined;

  constructor(
    folder: string,
    record: RunRecord,
    opened: { readonly deployment: Deployment; readonly recipe: Recipe | undefined; readonly options: OpenRunOptions },
  ) {
    this.folder = folder;
    this.record = record;
    this.compile = { ...compileOptions(record.settings), device: opened.options.device ?? "cpu" };
    const dialogue = opened.deployment.dialogue ?? readingOf(opened.deployment);
    this.deployment = { ...opened.deployment, ...(dialogue && { dialogue }) };
    this.#recipe = opened.recipe;
    this.#options = opened.options;
  }

  /** The model that is predicted with, with the types of its inputs and how they are prepared. */
  get network(): NonNullable<Deployment["deployed"]> {
    return this.deployment.deployed ?? this.deployment;
  }

  /** From raw inputs [N, …], the bytes of images or numbers, to the model's output [N, …]. */
  async predict(raw: Tensor): Promise<Tensor> {
    this.#prepare ??= preparation(this.network, this.compile);
    this.#predictor ??= predictor(this.network.model, { compile: this.compile, snapshot: true }) as Predictor<
      never,
      unknown
    >;
    return (await this.#predictor((await this.#prepare(raw)) as never)) as Tensor;
  }

  /** The answer to a question, of a run whose recipe says how it is asked. Throws OptionError for one that does not. */
  async ask(question: string): Promise<Answer> {
    const { dialogue } = this.deployment;
    if (!dialogue)
      throw new OptionError(`${shownPath(this.folder)} is not asked questions; predict from images or numbers`);
    this.#ask ??= dialogue.open(this.compile);
    return (await this.#ask)(question);
  }

  /**
   * Pieces of text that the run's language model writes after a prompt, by default one that the recipe names. Throws OptionError for a
   * run that holds no language model.
   */
  generate(prompt?: string, options: GenerationOptions = {}): AsyncGenerator<GeneratedPiece> {
    const { writer } = this.deployment;
    if (!writer)
      throw new OptionError(
        `${shownPath(this.folder)} holds no language model; ask it by: ${command`sardonyx predict ${shownPath(this.folder)}`}`,
      );
    const { model } = this.network;
    return generateText(model, writer, prompt ?? writer.prompt, checkGeneration(options), this.compile);
  }

  /** Loads the run's data and measures the model on the test. Throws DataError or FileError that says what is missing. */
  async evaluate(): Promise<EvaluationReport> {
    return evaluateTask(await this.task(), this.compile);
  }

  /** The task of the run, with its data, and its weights. Throws as `evaluate` does. */
  async task(): Promise<Task> {
    const recipe = this.#recipe;
    const { path, name } = this.record.recipe;
    if (!recipe)
      throw new OptionError(
        `${shownPath(this.folder)} is a run of your own recipe ${path ?? name}, whose code loads the data of the test; name it to run it: ${command`--recipe ${path ?? "PATH"}`}`,
      );
    const { settings } = this.record;
    const task = await recipe
      .load(recipeSettings(settings), settings.limit, this.#options.onDownload)
      .catch((error: unknown) => {
        if (!(error instanceof SardonyxError)) throw error;
        const Kind = error instanceof DataError ? DataError : FileError;
        throw new Kind(
          `the test of ${shownPath(this.folder)} needs the run's data: ${error.message}; predict, generate and export do without`,
          { cause: error },
        );
      });
    await putWeights(this.folder, this.record, task, this.#options.best ?? false);
    return task;
  }

  /** The model as the bytes of an ONNX file, and why it takes a batch of 1 only, if it does. */
  onnx(): EncodedOnnx {
    return this.#encoded(this.network);
  }

  /**
   * As `onnx`, with the adapters in the weights. The run's pretrained model and its data are loaded for that, and the outputs compared on a
   * batch. Throws OptionError for a run that was trained without adapters.
   */
  async mergedOnnx(): Promise<EncodedOnnx> {
    return this.#encoded(await this.#merged());
  }

  #encoded({ model, inputs }: RecipeNetwork): EncodedOnnx {
    const { classes } = this.deployment;
    const metadata = { recipe: this.record.recipe.name, ...(classes && { classes: JSON.stringify(classes) }) };
    return encodeSavedModel(model, { inputs, metadata });
  }

  /** The trained model with its adapters in the weights. Throws OptionError for a run without adapters. */
  async #merged(): Promise<RecipeNetwork> {
    const { adapters, test, ...task } = await this.task();
    if (!adapters)
      throw new OptionError(
        `${shownPath(this.folder)} was trained without adapters, and has nothing to merge; leave it out`,
      );
    for await (const batch of test.epoch(0)) {
      const network = task.deployed ?? task;
      const { y: _, weight: __, ...inputs } = batch;
      await merge(adapters, { probe: takenOf(task.model.inputs, inputs) as never });
      return network;
    }
    throw new DataError("the test of the run has no batch to compare the merged model on");
  }

  /** The parameters and buffers of the model that was trained, as the bytes of a safetensors file. */
  async safetensors(): Promise<{ readonly bytes: Uint8Array; readonly tensors: number }> {
    const { trainer } = await readCheckpoint(this.folder, this.#options.best ? runFiles.best : runFiles.checkpoint);
    const own = Object.entries(trainer.tensors).filter(([path]) => !path.startsWith(memoryPrefix));
    const bytes = encodeSafetensors(Object.fromEntries(own), { format: "pt", recipe: this.record.recipe.name });
    return { bytes, tensors: own.length };
  }

  /** Lets go of what was compiled. */
  async release(): Promise<void> {
    await this.#predictor?.release();
  }
}

/**
 * Opens a run: a folder, or its name below `runs/`. It needs neither the run's data nor, of your own recipes, its code. Throws
 * FileError for what is no run or is damaged, NonFiniteError for weights that are not finite.
 * @example
 * const run = await openRun("runs/lenet-mnist");
 * const logits = await run.predict(image);
 */
export async function openRun(run: string, options: OpenRunOptions = {}): Promise<OpenRun> {
  const { best = false, nonFinite = false } = checkOptions(options);
  const folder = findRun(run);
  const record = await readRecord(folder);
  const recipe = await recipeOf(folder, record, options.recipe);
  const opened = recipe && (await openByRecipe(folder, record, recipe, options));
  const deployment = opened ?? (await deploymentOfFiles(folder, best));
  if (opened) await putWeights(folder, record, opened, best);
  if (!nonFinite)
    requireFinite(
      (deployment.deployed ?? deployment).model,
      "what it predicts would mean nothing; train again with a lower learning rate, or open the run as it is with nonFinite (--non-finite)",
    );
  return new OpenRun(folder, record, { deployment, recipe, options });
}

/** The recipe of a run: a built-in one by its name, your own where it is given. */
async function recipeOf(
  folder: string,
  { recipe: { name, path } }: RunRecord,
  given: Recipe | string | undefined,
): Promise<Recipe | undefined> {
  if (given !== undefined) {
    const recipe = typeof given === "string" ? (await loadRecipe(given)).recipe : given;
    if (recipe.name !== name)
      throw new OptionError(
        `${shownPath(folder)} is a run of ${name}, not of ${recipe.name}; pass the recipe of the run`,
      );
    return recipe;
  }
  return path === undefined && builtInRecipes().includes(name) ? (await loadRecipe(name)).recipe : undefined;
}

/** The deployment that a recipe makes of what the run kept; by its data where the recipe keeps nothing. */
async function openByRecipe(
  folder: string,
  { settings }: RunRecord,
  recipe: Recipe,
  { onDownload }: OpenRunOptions,
): Promise<Deployment | undefined> {
  if (!recipe.open) return recipe.load(recipeSettings(settings), settings.limit, onDownload);
  if (!recipe.facts) return recipe.open(recipeSettings(settings), undefined);
  const parsed = recipe.facts.safeParse((await readDeployment(folder)).facts);
  if (!parsed.success)
    throw new FileError(
      `${shownPath(folder)}: what ${runFiles.deployment} keeps of the data is damaged (${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}); restore it or train again`,
    );
  return recipe.open(recipeSettings(settings), parsed.data);
}

/** Takes a model to the stage of a checkpoint, and its weights into it. */
async function putWeights(
  folder: string,
  { settings }: RunRecord,
  { model, inputs, stages, ...task }: Deployment & Pick<Partial<Task>, "callbacks">,
  best: boolean,
): Promise<void> {
  const progress = await readCheckpoint(folder, best ? runFiles.best : runFiles.checkpoint);
  // Up to the stage that the checkpoint is of: a stage may have added layers.
  const { index } = parseStage(progress.callbacks[stageCallbackName]);
  for (const stage of (stages ?? [{}]).slice(0, index + 1)) beginStage({ model, inputs }, settings.seed, stage);
  // They hold what the run was trained with, such as its words.
  for (const callback of task.callbacks ?? []) callback.restore?.(progress.callbacks[callback.name]);
  loadParameters(model, progress.trainer.tensors);
}
