/** Samples of what a person names: an input of a run or of a model in a file. */
import { existsSync } from "node:fs";
import { isFloat } from "../../core/dtype.ts";
import { DataError, FileError, OptionError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import type { Tensor } from "../../core/tensor.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { loadModel } from "../../formats/files/load-model.node.ts";
import { ImportedModule } from "../../formats/imported-module.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { isTensorType, type TypeTree } from "../../nn/index.ts";
import { preparation } from "../open/input.ts";
import type { OpenRun } from "../open/open-run.node.ts";
import { readInput } from "../open/predict-input.node.ts";
import { textsOfArgument } from "../open/text-input.node.ts";
import type { Deployment, InputFormat, RecipeNetwork } from "../recipes/recipe.ts";
import { askedSample } from "./asked-sample.ts";
import { pretrainedSample, readsTexts } from "./pretrained-sample.node.ts";
import type { AnySample } from "./sample.ts";
import { imageSample, numbersSample, rowSample, type ScoredModel, soundSample, wordsSample } from "./samples.ts";
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
 * @param row which of several samples
 */
export async function sampleOfRun(run: OpenRun, argument: string, row: number | undefined): Promise<NamedSample> {
  const { deployment, network, compile } = run;
  const { reader, writer, dialogue } = deployment;
  const scored = scoredOf(deployment, network);
  if (writer) {
    const { name, text } = await textOf(argument, "text", row);
    return { name, sample: await promptSample(network.model, text, writer), notes: [] };
  }
  if (reader) {
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
  return sampleOf({ network, scored, compile }, argument, row);
}

const kindsText = "images, tables, texts, sounds or numbers that predict reads";

const scoredOf = ({ classes, labels }: Deployment, { model }: RecipeNetwork): ScoredModel => ({
  model,
  classes,
  labels,
});

async function sampleOf(
  { network, scored, compile }: Source,
  argument: string,
  row: number | undefined,
): Promise<NamedSample> {
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
    const [, channels, height = 1, width = 1] = x.shape;
    const isImage = x.shape.length === 4 && height > 1 && width > 1 && (channels === 1 || channels === 3);
    return isImage || network.format?.image ? imageSample(scored, x, imageOf(raw, x)) : numbersSample(scored, x, raw);
  };
  return { name, sample: await sample(), notes };
}

/** The pixels as they were given where they lie as the model's do. */
const imageOf = (raw: Tensor, x: Tensor): Tensor => (raw.shape.length === 4 ? raw : x);

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

/**
 * The sample of an input of a model in a file: an image where it takes such, else numbers or token ids in JSON; of a folder with a tokenizer a text. Throws OptionError for a
 * model of several inputs, or of unknown shapes.
 */
export async function sampleOfFile(path: string, argument: string, row: number | undefined): Promise<NamedSample> {
  if (readsTexts(path)) {
    const { name, text } = await textOf(argument, "text", row);
    return { name, sample: await pretrainedSample(path, text), notes: [] };
  }
  const model = await loadModel(path);
  const inputs = model.inputTypes;
  if (!inputs)
    throw new OptionError(
      `${path} does not say the shape of its input; explain it from code: explain.integratedGradients(model, x)`,
    );
  const type = onlyType(path, inputs);
  const [, channels = 0, height = 1, width = 1] = type.shape;
  const isImage = isFloat(type.dtype) && type.shape.length === 4 && (channels === 1 || channels === 3);
  const format: InputFormat = isImage ? { image: { height, width, channels: channels as 1 | 3, turns: false } } : {};
  const classes = model instanceof ImportedModule ? classesOf(model.metadata) : undefined;
  const network = { model, inputs: type, format };
  const named = await sampleOf({ network, scored: { model, classes }, compile: {} }, argument, row);
  const scaled = "pixels are divided by 255; where the model takes others, pass them as JSON of code of your own";
  return isImage ? { ...named, notes: [...named.notes, scaled] } : named;
}

function onlyType(path: string, inputs: TypeTree) {
  if (isTensorType(inputs)) return inputs;
  const named = Object.entries(inputs as Readonly<Record<string, TypeTree>>);
  const [only] = named;
  if (named.length === 1 && only && isTensorType(only[1])) return only[1];
  throw new OptionError(
    `${path} takes ${named.map(([name]) => name).join(", ")}, and one input is given; explain it from code: explain.tokenAttributions(model, { ${named.map(([name]) => name).join(", ")} })`,
  );
}
