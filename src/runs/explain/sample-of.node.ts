/** Samples of what a person names: an input of a run or of a model in a file. */
import { existsSync } from "node:fs";
import { isFloat } from "../../core/dtype.ts";
import { DataError, FileError, OptionError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import type { Tensor } from "../../core/tensor.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { loadModel } from "../../formats/files/load-model.node.ts";
import { ImportedModule } from "../../formats/imported-module.ts";
import type { TensorType } from "../../graph/ir.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { type AnyModule, isTensorType, type TypeTree } from "../../nn/index.ts";
import { preparation } from "../open/input.ts";
import type { OpenRun } from "../open/open-run.node.ts";
import { readInput } from "../open/predict-input.node.ts";
import { textsOfArgument } from "../open/text-input.node.ts";
import type { Deployment, InputFormat, RecipeNetwork } from "../recipes/recipe.ts";
import { askedSample } from "./asked-sample.ts";
import { meanRow, readBackground } from "./background.node.ts";
import { type NamedInput, namedSample, readNamedInputs } from "./named-inputs.node.ts";
import { pretrainedSample, readsTexts } from "./pretrained-sample.node.ts";
import type { AnySample, Sample } from "./sample.ts";
import { floatSample, imageSample, rowSample, type ScoredModel, soundSample, wordsSample } from "./samples.ts";
import { idsSample, promptSample, readSample } from "./token-samples.ts";

/** An input as a sample, and what a person should know of it. */
export interface NamedSample {
  /** How to name it in the answer. */
  readonly name: string;
  readonly sample: AnySample;
  readonly notes: readonly string[];
}

/** What an input is read for. */
interface Source {
  readonly network: RecipeNetwork & { readonly format?: InputFormat };
  readonly scored: ScoredModel;
  readonly compile: CompileOptions;
}

/** What a person says of an input beside what it is. */
export interface AskedHow {
  /** Which of several samples. */
  readonly row?: number | undefined;
  /** Of a model of several inputs, the one that is explained. */
  readonly input?: string | undefined;
  /** A file or a folder of samples that are compared with. */
  readonly background?: string | undefined;
}

/** Throws OptionError where samples to compare with are passed and cannot be. */
function requireNoBackground(what: string, { background }: AskedHow): void {
  if (background !== undefined)
    throw new OptionError(
      `--background is for images, sounds and numbers, and this is ${what}, which has its own comparison; leave it out`,
    );
}

function requireNoInput({ input }: AskedHow): void {
  if (input !== undefined) throw new OptionError(`--input is ${input}, and the model takes one input; leave it out`);
}

const oneOnly = (name: string, count: number, row: number | undefined): number => {
  if (row === undefined && count === 1) return 0;
  if (row === undefined)
    throw new DataError(`${name} holds ${count} samples, and one is explained at a time; name it: --row 0`);
  if (row < count) return row;
  throw new OptionError(`--row is ${row}, and ${name} holds ${count} samples; pass 0 to ${count - 1}`);
};

/** A text of an argument. */
async function textOf(argument: string, column: string, row: number | undefined) {
  const { name, texts } = await textsOfArgument(argument, column);
  if (texts[0] === argument && existsSync(argument))
    throw new FileError(
      `${argument} is a file of another kind, and the run reads texts; pass a text, or a file of text (.txt)`,
    );
  const at = oneOnly(name, texts.length, row);
  return { name: texts.length === 1 ? name : `${name}[${at}]`, text: texts[at] as string };
}

/**
 * The sample of an input of a run, of any kind that `predict` reads. Throws OptionError for runs that are asked otherwise, and what reading
 * throws.
 */
export async function sampleOfRun(run: OpenRun, argument: string, how: AskedHow): Promise<NamedSample> {
  const { row } = how;
  requireNoInput(how);
  const { deployment, network, compile } = run;
  const { reader, writer, dialogue } = deployment;
  const scored = scoredOf(deployment, network);
  if (writer) {
    requireNoBackground("a prompt", how);
    const { name, text } = await textOf(argument, "text", row);
    return { name, sample: await promptSample(network.model, text, writer), notes: [] };
  }
  if (reader) {
    requireNoBackground("a text", how);
    if ((reader.gives ?? "scores") !== "scores")
      throw new OptionError(
        `the run gives ${reader.gives === "vector" ? "vectors of texts" : reader.gives === "tags" ? "tags of words" : "answers in texts"}, no scores of a text; explain runs that classify texts, predict a number or write text`,
      );
    const { name, text } = await textOf(argument, reader.column ?? "text", row);
    const tokens = reader.tokenizer.encodeWithSpecial(text).length;
    const notes = tokens > reader.length ? [`the first ${reader.length} of ${tokens} tokens are read`] : [];
    return { name, sample: await readSample(scored, text, reader), notes };
  }
  if (dialogue) {
    requireNoBackground("a question", how);
    if (existsSync(argument))
      throw new OptionError(
        `the run reads ${argument} by itself, and shows no input that could be explained; explain runs of ${kindsText}`,
      );
    return { name: argument, sample: await askedSample(run, argument), notes: [] };
  }
  if (deployment.deployed)
    throw new OptionError(
      `the model that ${run.record.recipe.name} deploys generates, and gives no scores that could be explained; explain runs that classify, predict a number or write text`,
    );
  return sampleOf({ network, scored, compile }, argument, how);
}

const kindsText = "images, tables, texts, sounds or numbers that predict reads";

const scoredOf = ({ classes, labels }: Deployment, { model }: RecipeNetwork): ScoredModel => ({
  model,
  classes,
  labels,
});

async function sampleOf({ network, scored, compile }: Source, argument: string, how: AskedHow): Promise<NamedSample> {
  const { row } = how;
  const { text: features, table, sound } = network.format ?? {};
  const given = features ? await textOf(argument, features.name, row) : undefined;
  const read = await readInput(given?.text ?? argument, network);
  const at = given ? 0 : oneOnly(read.name, read.samples.shape[0] ?? 1, row);
  const raw = gatherRows(read.samples, [at]);
  const x = await preparation(network, compile)(raw);
  const notes = [
    ...(read.inverted ? ["dark on light: inverted first"] : []),
    ...(read.note === undefined ? [] : [read.note]),
  ];
  const name = given?.name ?? ((read.samples.shape[0] ?? 1) === 1 ? read.name : `${read.name}[${at}]`);
  const sample = () => {
    if (features && given) return wordsSample(scored, x, { text: given.text, features });
    if (table) return rowSample(scored, x, table);
    if (sound) return soundSample(scored, x);
    if (!isFloat(x.dtype)) return idsSample(scored, x);
    return network.format?.image ? imageSample(scored, x, raw) : floatSample(scored, x, raw);
  };
  const made = await sample();
  if (how.background === undefined) return { name, sample: made, notes };
  // Of others the elements are no floats of the data, but how far each part is there.
  if (made.x !== x) requireNoBackground(made.what, how);
  return { name, sample: beside(made, await readBackground(how.background, network, compile)), notes };
}

/** A sample with others that it is compared with; where one has to stand for them, as in the checks, their mean. */
const beside = (sample: Sample, background: Tensor): Sample => ({
  ...sample,
  background,
  baseline: meanRow(background),
  baselineText: "the background's average",
  usual: { method: "expected-gradients", why: "It compares with the samples that were passed." },
});

/** The names of classes that our own files have in their metadata. */
function classesOf(metadata: Readonly<Record<string, string>>): readonly string[] | undefined {
  const text = metadata["classes"];
  if (text === undefined) return undefined;
  try {
    const names = parseJson(text);
    return Array.isArray(names) && names.every((name) => typeof name === "string") ? names : undefined;
  } catch {
    return undefined;
  }
}

/** The inputs that a model declares, by name. Throws OptionError for a model that declares none. */
function declaredInputs(path: string, model: AnyModule): readonly NamedInput[] {
  if (model instanceof ImportedModule)
    return model.declared.inputs.flatMap(({ name, type, extents, isOptional }) =>
      type && !isOptional ? [{ name, dtype: type.dtype, rank: extents?.length }] : [],
    );
  const types = model.inputTypes;
  if (!types || isTensorType(types))
    throw new OptionError(
      `${path} does not say the shape of its input; explain it from code: explain.integratedGradients(model, x)`,
    );
  return Object.entries(types as Readonly<Record<string, TypeTree>>).flatMap(([name, type]) =>
    isTensorType(type) ? [{ name, dtype: type.dtype, rank: type.shape.length }] : [],
  );
}

/**
 * The sample of an input of a model in a file: an image where it takes such, else numbers or token ids in JSON; of several inputs, or of one whose shape the file leaves open, JSON
 * with numbers by name; of a folder with a tokenizer a text. Throws OptionError for a model that does not say what it takes.
 */
export async function sampleOfFile(path: string, argument: string, how: AskedHow): Promise<NamedSample> {
  const { row } = how;
  if (readsTexts(path)) {
    requireNoInput(how);
    requireNoBackground("a text", how);
    const { name, text } = await textOf(argument, "text", row);
    return { name, sample: await pretrainedSample(path, text), notes: [] };
  }
  const model = await loadModel(path);
  const classes = model instanceof ImportedModule ? classesOf(model.metadata) : undefined;
  const type = onlyType(model.inputTypes);
  if (!type) {
    requireNoBackground("of several inputs, or of open shapes", how);
    if (row !== undefined) throw new OptionError("--row is of an input of several samples; pass one sample by name");
    const inputs = await readNamedInputs(argument, declaredInputs(path, model));
    return {
      name: nameOfArgument(argument),
      sample: await namedSample({ model, classes }, inputs, how.input),
      notes: [],
    };
  }
  requireNoInput(how);
  const [, channels = 0, height = 1, width = 1] = type.shape;
  const isImage = isFloat(type.dtype) && type.shape.length === 4 && (channels === 1 || channels === 3);
  const format: InputFormat = isImage ? { image: { height, width, channels: channels as 1 | 3, turns: false } } : {};
  const network = { model, inputs: type, format };
  const named = await sampleOf({ network, scored: { model, classes }, compile: {} }, argument, how);
  const scaled = "pixels are divided by 255; where the model takes others, pass them as JSON of code of your own";
  return isImage ? { ...named, notes: [...named.notes, scaled] } : named;
}

/** The type of the only input; nothing of several, or where it is not known. */
function onlyType(inputs: TypeTree | undefined): TensorType | undefined {
  if (inputs === undefined || isTensorType(inputs)) return inputs;
  const [only, ...others] = Object.values(inputs as Readonly<Record<string, TypeTree>>);
  return others.length === 0 && only && isTensorType(only) ? only : undefined;
}

const nameOfArgument = (argument: string): string => (argument.length > 32 ? `${argument.slice(0, 29)}…` : argument);
