/** Vectors of texts, images and sounds: by a run, or by a pretrained model as it is. */
import { existsSync } from "node:fs";
import { DataError, OptionError } from "../../core/errors.ts";
import { flag, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { featureLayer } from "../../finetune/heads/feature-layer.ts";
import { textVectors } from "../../finetune/heads/text-vectors.ts";
import { withHead } from "../../finetune/heads/with-head.ts";
import {
  type Base,
  openBase,
  pixelScalingBeside,
  poolingBeside,
  tokenizerBeside,
} from "../../finetune/tasks/base.node.ts";
import { vectorsOf } from "../../finetune/tasks/embedding.ts";
import { imageSizeOf, preparedBy } from "../../finetune/tasks/image-classification.ts";
import { lengthOf, paddingOf, type TextReader, tokenInputs } from "../../finetune/tasks/text-rows.ts";
import { isHubName } from "../../formats/files/hub-cache.node.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { type AnyModule, lambda, type Module, takenNames, takenOf, unitLength } from "../../nn/index.ts";
import { predictor } from "../../train/predict.ts";
import { isRun } from "../folder/run-folder.node.ts";
import type { Deployment, OnDownload, RecipeNetwork } from "../recipes/recipe.ts";
import { preparation } from "./input.ts";
import { type OpenRunOptions, openRun } from "./open-run.node.ts";
import { readInput } from "./predict-input.node.ts";

/** What is used of a model to embed, and how. */
export interface EmbedderOptions {
  /** Of a run: use the weights of the best epoch instead of the last; default false. */
  readonly best?: boolean | undefined;
  /** Of a run: take weights that are NaN or infinite too; default false. */
  readonly nonFinite?: boolean | undefined;
  /** The layer whose output is taken; default the vectors that a run was trained for, else the features below its scores. */
  readonly at?: string | undefined;
}

const checkOptions = optionsOf<EmbedderOptions>("openEmbedder", { best: flag, nonFinite: flag, at: string });

/** Texts, images or sounds as vectors of length 1. `openEmbedder` makes one. */
export interface Embedder {
  /** What it embeds: texts, or files of images or of sounds. */
  readonly reads: "texts" | "images" | "sounds";
  /** Where the vectors come from, in a few words. */
  readonly source: string;
  /** Vectors [N, W] of texts or of paths, and what a person should know of them. Throws DataError for an empty text. */
  embed(inputs: readonly string[]): Promise<{ readonly vectors: Tensor<"float32">; readonly notes: readonly string[] }>;
  /** Lets go of what was compiled. */
  release(): Promise<void>;
}

/** A model of texts that gives their vectors, and how it reads them. */
export interface VectorModel {
  readonly model: AnyModule;
  /** Tokens of a row at most. */
  readonly reader: TextReader;
  /** Where the vectors come from, in a few words. */
  readonly source: string;
}

/** Rows that are computed at once. */
const rows = 16;
/** Tokens of a text that are read at most, where a model reads more. */
const usualLength = 512;

/**
 * Opens a run, or a pretrained model, to embed by: a run of the task embedding gives the vectors that it learned, any other the features
 * that its scores are made of, divided by their length; a pretrained model of texts its last hidden states, pooled as its files say or
 * averaged. Throws OptionError for a model of something else, FileError for what is not there.
 * @example
 * const embedder = await openEmbedder("runs/finetune");
 * const { vectors } = await embedder.embed(["How do I pay?", "Where is the bill?"]); // [2, W]
 */
export async function openEmbedder(name: string, options: EmbedderOptions = {}): Promise<Embedder> {
  return embedderOf(name, checkOptions(options), {});
}

/** As `openEmbedder`, with a run's recipe and news of downloads. */
export async function embedderOf(
  name: string,
  { best, nonFinite, at }: EmbedderOptions,
  { recipe, onDownload }: Pick<OpenRunOptions, "recipe"> & { readonly onDownload?: OnDownload },
): Promise<Embedder> {
  if (!isRun(name) && (existsSync(name) || isHubName(name))) {
    if (best || recipe !== undefined)
      throw new OptionError(`${name} is a pretrained model, no run; leave --${best ? "best" : "recipe"} out`);
    return ofBase(name, at, onDownload);
  }
  const run = await openRun(name, { best, nonFinite, recipe, onDownload });
  const { network, compile, deployment } = run;
  const { reader } = deployment;
  if (reader?.gives === "vector" && at === undefined)
    return ofTexts(network.model, async () => reader, { compile, source: "what the run learned to give" });
  if (!reader && !network.format?.image && !network.format?.sound)
    throw new OptionError(
      `${name} reads no texts, images or sounds; embed by a run of sardonyx finetune, or take layers in code: activations(model, x, layers)`,
    );
  if (reader?.gives === "tags" || reader?.gives === "answer")
    throw new OptionError(
      `${name} gives ${reader.gives === "tags" ? "tags of words" : "answers"}, no vector of a text; pass a run that classifies or embeds texts`,
    );
  const { model, layer } = features(network, at, name);
  const source = `the features of ${layer}, of length 1`;
  if (reader) return ofTexts(model, async () => reader, { compile, source });
  return ofFiles({ ...network, model }, { compile, source });
}

/** A model up to its features, which are pooled and divided by their length. */
function features({ model, inputs }: RecipeNetwork, given: string | undefined, name: string) {
  model.trace(inputs);
  const layer = given ?? featureLayer(model);
  if (layer === undefined)
    throw new OptionError(`${name}: the model shows no layer of scores, so its features are not known; name it: --at`);
  const head = lambda(unitLength) as unknown as Module;
  const cut = withHead(model as Module<never, unknown>, head, { at: layer });
  cut.trace(inputs);
  return { model: cut as AnyModule, layer };
}

async function ofBase(name: string, at: string | undefined, onDownload?: OnDownload): Promise<Embedder> {
  const base = await openBase(name, { onProgress: onDownload });
  const compile: CompileOptions = {};
  if (isOfImages(base.model)) {
    const image = imageSizeOf(base.model);
    const scaling = await pixelScalingBeside(base);
    const inputs = base.model.inputTypes as RecipeNetwork["inputs"];
    const format = { image, prepare: (raw: Parameters<typeof preparedBy>[2]) => preparedBy(scaling, image, raw) };
    const { model, layer } = features({ model: base.model, inputs }, at, name);
    return ofFiles({ model, inputs, format }, { compile, source: `the features of ${layer}, of length 1` });
  }
  const { model, reader, source } = await vectorModelOf(base, at);
  const { tokenizer, length: most } = reader;
  const readerFor = async (texts: readonly string[]): Promise<TextReader> => ({
    ...reader,
    length: lengthOf(texts, tokenizer, most).length,
  });
  return ofTexts(model, readerFor, { compile, source });
}

/** A pretrained model of texts as one that gives their vectors, by the tokenizer beside it. Throws as `openEmbedder`. */
export async function vectorModelOf(base: Base, at?: string): Promise<VectorModel> {
  const tokenizer = await tokenizerBeside(base);
  base.model.trace(tokenInputs(base.model, 8).inputs as never);
  const pooling = at === undefined ? await poolingBeside(base) : undefined;
  return {
    model: textVectors(base.model, { ...(at !== undefined && { at }), ...(pooling && { pooling }) }),
    reader: {
      tokenizer,
      length: Math.min(base.positions ?? usualLength, usualLength),
      padding: paddingOf(tokenizer),
    },
    source: `the ${pooling ?? "mean"} of the last hidden states, of length 1`,
  };
}

function isOfImages(model: AnyModule): boolean {
  try {
    imageSizeOf(model);
    return true;
  } catch {
    return false;
  }
}

/** How vectors are computed, and what they are. */
interface Made {
  readonly compile: CompileOptions;
  readonly source: string;
}

function ofTexts(
  model: AnyModule,
  readerFor: (texts: readonly string[]) => Promise<TextReader>,
  { compile, source }: Made,
): Embedder {
  const run = predictor(model, { compile, snapshot: true });
  return {
    reads: "texts",
    source,
    async embed(texts) {
      const empty = texts.findIndex((text) => text.trim() === "");
      if (empty >= 0) throw new DataError(`text ${empty + 1} of ${texts.length} is empty; leave it out`);
      const reader = await readerFor(texts);
      const { cut } = lengthOf(texts, reader.tokenizer, reader.length);
      const taken = takenNames(model.inputs, ["x", "mask"]);
      const vectors = await vectorsOf(
        async (own) =>
          (await run(takenOf(model.inputs, taken.includes("mask") ? own : { x: own.x }) as never)) as Tensor,
        texts,
        reader,
        rows,
      );
      return { vectors, notes: cut > 0 ? [`cut to ${reader.length} tokens: ${cut} of ${texts.length} texts`] : [] };
    },
    release: () => run.release(),
  };
}

function ofFiles(network: NonNullable<Deployment["deployed"]>, { compile, source }: Made): Embedder {
  const run = predictor(network.model, { compile, snapshot: true });
  const prepare = preparation(network, compile);
  return {
    reads: network.format?.sound ? "sounds" : "images",
    source,
    async embed(paths) {
      const found: Tensor[] = [];
      const notes: string[] = [];
      for (const path of paths) {
        const { samples, note } = await readInput(path, network);
        if (note !== undefined) notes.push(`${path}: ${note}`);
        found.push((await run((await prepare(samples)) as never)) as Tensor);
      }
      const width = found[0]?.shape[1] ?? 0;
      const data = new Float32Array(found.length * width);
      for (const [i, own] of found.entries()) data.set(own.data as Float32Array, i * width);
      return { vectors: new Tensor("float32", [found.length, width], data), notes };
    },
    release: () => run.release(),
  };
}
