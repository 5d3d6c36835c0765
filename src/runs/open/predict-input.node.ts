/** Inputs of a prediction as tensors: images, sounds, texts, JSON files, JSON on the command line. */

import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { atPlace, DataError, FileError, OptionError, ShapeError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { type Shape, sameShape, showShape, size } from "../../core/shape.ts";
import { type Nested, Tensor, tensor } from "../../core/tensor.ts";
import { imageExtensions, readImage } from "../../data/images/image.node.ts";
import { lightOnDark } from "../../data/images/light-on-dark.ts";
import { clipReader } from "../../data/sound/clip.node.ts";
import { soundPreparation } from "../../data/sound/sound-format.ts";
import { tableEndings } from "../../data/tables/table-file.node.ts";
import { lengthOfText, type TextFeatures, textFeatureRows, textIds } from "../../data/text/text-features.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { endingOf } from "../../storage/ending.ts";
import type { InputFormat, RecipeNetwork } from "../recipes/recipe.ts";
import { inputTypeOf } from "./input.ts";
import { rowsOfFile, rowsOfJson } from "./table-input.node.ts";
import { textsOfArgument } from "./text-input.node.ts";

/** What inputs are read for. */
export type InputTarget = Pick<RecipeNetwork, "inputs"> & { readonly format?: InputFormat };

/** One argument of `predict`. */
export interface PredictInput {
  /** How to name it in the answer. */
  readonly name: string;
  /** Raw numbers [N, …], before the recipe's `prepare`. */
  readonly samples: Tensor;
  /** Whether an image was dark on light and was inverted. */
  readonly inverted: boolean;
  /** What was done to make it fit, such as resampling; nothing where it fits. */
  readonly note?: string;
}

/** Reads an argument: a file that exists, JSON, or of models of texts a text. Throws SardonyxError naming it. */
export async function readInput(argument: string, target: InputTarget): Promise<PredictInput> {
  const { table, text } = target.format ?? {};
  if (text) return fromTexts(argument, text);
  if (/^\s*[[{]/.test(argument)) {
    const name = argument.length > 32 ? `${argument.slice(0, 29)}…` : argument;
    return { name, samples: await fromJson(argument, { where: name, folder: "." }, target), inverted: false };
  }
  const extension = endingOf(argument);
  if (!existsSync(argument))
    throw new FileError(
      `there is no file ${argument}; pass an image, a sound, a JSON file, or numbers such as '[1, 2]'`,
    );
  if (table && tableEndings.includes(extension))
    return { name: basename(argument), samples: await rowsOfFile(argument, table), inverted: false };
  if (extension === ".json") {
    const text = new TextDecoder().decode(await readBytes(argument, "input"));
    return {
      name: basename(argument),
      samples: await fromJson(text, { where: argument, folder: dirname(argument) }, target),
      inverted: false,
    };
  }
  if (extension === ".wav") return fromSound(argument, target);
  if (!imageExtensions.includes(extension))
    throw new FileError(
      `${argument} is neither an image (${imageExtensions.join(", ")}), a sound (.wav) nor .json; convert it`,
    );
  return fromImage(argument, target);
}

async function fromTexts(argument: string, features: TextFeatures): Promise<PredictInput> {
  const { name, texts } = await textsOfArgument(argument, features.name);
  const read = textIds(features)(texts);
  const length = read.reduce((most, own) => Math.max(most, lengthOfText(own, features)), 1);
  const unknown = read.length === 1 ? (read[0]?.unknown ?? []) : [];
  const shown = `${unknown.slice(0, 8).join(", ")}${unknown.length > 8 ? ", …" : ""}`;
  return {
    name,
    samples: textFeatureRows(read, length, features.runs),
    inverted: false,
    ...(unknown.length > 0 && { note: `not known: ${shown}` }),
  };
}

async function fromImage(path: string, { inputs, format: { image } = {} }: InputTarget): Promise<PredictInput> {
  if (!image)
    throw new OptionError(
      `${path}: this run's model takes ${showShape(inputTypeOf(inputs).shape.slice(1))} numbers, no images; pass JSON`,
    );
  const { height, width, channels, turns = true } = image;
  const pixels = await readImage(path, { size: [height, width], channels });
  // A scan or photo is usually the other way round than what was learned.
  const turned = channels === 1 && turns ? lightOnDark(pixels) : { image: pixels, inverted: false };
  return { name: basename(path), samples: turned.image.reshape([1, ...pixels.shape]), inverted: turned.inverted };
}

async function fromSound(path: string, { inputs, format: { sound } = {} }: InputTarget): Promise<PredictInput> {
  const { shape } = inputTypeOf(inputs);
  if (!sound)
    throw new OptionError(
      `${path}: this run's model takes ${showShape(shape.slice(1))} numbers, no sounds; pass JSON, or the folder of a run of sounds`,
    );
  const { samples, changes } = await clipReader(sound.rate, sound.samples)(path);
  const data = soundPreparation(sound)(samples);
  return {
    name: basename(path),
    samples: new Tensor("float32", [1, ...shape.slice(1)], data),
    inverted: false,
    ...(changes.length > 0 && { note: changes.join(", ") }),
  };
}

/** One sample, a batch of them, or a sample's numbers in one row. */
async function fromJson(
  text: string,
  place: { readonly where: string; readonly folder: string },
  { inputs, format: { image, table } = {} }: InputTarget,
): Promise<Tensor> {
  if (table) return rowsOfJson(text, place, table);
  const { where } = place;
  const sample = inputTypeOf(inputs).shape.slice(1);
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch (cause) {
    throw new FileError(`${where}: is not JSON (${(cause as Error).message}); write numbers such as [5.1, 3.5]`, {
      cause,
    });
  }
  if (!isNested(parsed))
    throw new DataError(`${where}: holds something other than numbers in lists; leave out the rest`);
  let values: Tensor;
  try {
    values = tensor(parsed);
  } catch (error) {
    throw atPlace(where, error);
  }
  const shape = batchShape(values.shape, sample);
  if (!shape)
    throw new ShapeError(
      `${where}: holds ${showShape(values.shape)} numbers, the model takes ${showShape(sample)}, or several of those in a list`,
    );
  if (!image) return values.reshape(shape);
  const byte = values.data.findIndex(
    (value) => !(Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255),
  );
  if (byte >= 0)
    throw new DataError(
      `${where}: element ${byte} is ${values.data[byte]}, expected a pixel from 0 (black) to 255 (white), whole`,
    );
  return new Tensor("uint8", shape, Uint8Array.from(values.data as Float32Array));
}

const isNested = (item: unknown): item is Nested =>
  Array.isArray(item) ? item.every(isNested) : typeof item === "number" && Number.isFinite(item);

function batchShape(shape: Shape, sample: Shape): Shape | undefined {
  if (sameShape(shape, sample)) return [1, ...sample];
  if (sameShape(shape.slice(1), sample) && shape.length > 0 && shape[0] !== 0) return shape;
  // An image may be given without its channel axis, or as one row of pixels.
  if (shape.length > 0 && size(shape) === size(sample) && size(shape) > 0) return [1, ...sample];
  return undefined;
}
