/** Samples of each kind of input: images, spectrograms and waves, rows of tables, numbers, texts by their words. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { type Shape, showShape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { rowCells } from "../../data/tables/rows/row-cells.ts";
import type { RowEncoding } from "../../data/tables/rows/row-encoding.ts";
import { featurePlaces } from "../../data/text/feature-places.ts";
import type { TextFeatures } from "../../data/text/text-features.ts";
import { tokenPresence, type ValuedText } from "../../explain/index.ts";
import { visible } from "../../explain/pictures/heat-image.ts";
import type { Value } from "../../graph/ir.ts";
import type { AnyModule, Module } from "../../nn/index.ts";
import { predict } from "../../train/predict.ts";
import { columnPresence } from "./column-presence.ts";
import type { Sample } from "./sample.ts";

/** A model of one tensor, with the names of its scores. */
export interface ScoredModel {
  readonly model: AnyModule;
  readonly classes?: readonly string[] | undefined;
  readonly labels?: readonly string[] | undefined;
}

type Scores = Pick<Sample, "scores" | "scoresOf" | "names">;

/** What the scores of a model are of. Throws OptionError for outputs that are no scores. */
export async function scoresOf({ classes, labels, ...scored }: ScoredModel, inputs: unknown): Promise<Scores> {
  const output = (await predict(scored.model, inputs as never)) as unknown;
  if (!(output instanceof Tensor) || output.shape.length !== 2)
    throw new OptionError(
      `the model gives ${output instanceof Tensor ? `${output.dtype}${showShape(output.shape)}` : "several tensors"}, no scores [1, classes] and no number [1, 1]; explain runs that classify, predict a number or write text`,
    );
  const scores = output.toNumbers();
  if (scores.length === 1) return { scores, scoresOf: "number" };
  if (labels?.length === scores.length) return { scores, scoresOf: "labels", names: labels };
  return { scores, scoresOf: "classes", ...(classes?.length === scores.length && { names: classes }) };
}

/** The extents of the squares that images are parted into for methods that ask for each: an eighth of a side. */
const squareOf = (extent: number): number => Math.ceil(extent / 8);

/** The square that each element of a sample of two spatial axes lies in. */
function squares(shape: Shape): Tensor {
  const [height = 1, width = 1] = shape.slice(-2);
  const [high, wide] = [squareOf(height), squareOf(width)];
  const columns = Math.ceil(width / wide);
  const numbers = Int32Array.from({ length: size(shape) }, (_, i) => {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    return Math.floor(row / high) * columns + Math.floor(column / wide);
  });
  return new Tensor("int32", shape, numbers);
}

/** Sums over the channels, [height, width]; of maps of one channel as they are. */
function overChannels(values: Tensor<"float32">, [height = 1, width = 1]: Shape): Tensor<"float32"> {
  const area = height * width;
  const sums = new Float32Array(area);
  for (const [i, value] of values.data.entries()) sums[i % area] = (sums[i % area] as number) + value;
  return new Tensor("float32", [height, width], sums);
}

/** @param raw what was given: shown where it is pixels [1, channels, height, width], else what the model takes of it */
export async function imageSample(scored: ScoredModel, x: Tensor, raw: Tensor): Promise<Sample> {
  const [, , height = 1, width = 1] = x.shape;
  const shown = raw.shape.length === 4 ? raw : x;
  const image = visible(new Tensor(shown.dtype, shown.shape.slice(1), shown.data.slice() as never));
  return {
    what: "an image",
    model: scored.model as unknown as Module<Value, unknown>,
    x,
    baselineText: "an image of zeros as the model takes it",
    groups: squares(x.shape),
    window: [squareOf(height), squareOf(width)],
    isImage: true,
    ...(await scoresOf(scored, x)),
    usual: {
      method: "integrated-gradients",
      why: "It is the usual method of images: each pixel has a share of the score.",
    },
    picture: (values) => ({ kind: "map", image, values: overChannels(values, [height, width]) }),
  };
}

/** Parts of a wave that are covered at once. */
const waveParts = 64;

/** A spectrogram [1, frames, bands], or the samples of a clip [1, samples]. */
export async function soundSample(scored: ScoredModel, x: Tensor): Promise<Sample> {
  const shared = {
    model: scored.model as unknown as Module<Value, unknown>,
    x,
    isImage: false,
    ...(await scoresOf(scored, x)),
  };
  const usual = { method: "integrated-gradients" } as const;
  if (x.shape.length === 3) {
    const [, frames = 1, bands = 1] = x.shape;
    return {
      ...shared,
      what: "a sound",
      baselineText: "the mean loudness everywhere",
      groups: squares(x.shape),
      window: [squareOf(frames), squareOf(bands)],
      usual: {
        ...usual,
        why: "It is the usual method of sounds: each place of the spectrogram has a share of the score.",
      },
      picture: (values) => ({
        kind: "map",
        image: visible(spectrogram(x, frames, bands)),
        values: spectrogram(values, frames, bands).reshape([bands, frames]) as Tensor<"float32">,
      }),
    };
  }
  const count = x.data.length;
  const length = Math.ceil(count / waveParts);
  return {
    ...shared,
    what: "a sound",
    baselineText: "silence",
    groups: new Tensor(
      "int32",
      x.shape,
      Int32Array.from({ length: count }, (_, i) => Math.floor(i / length)),
    ),
    window: [...x.shape.slice(1, -1), Math.min(length, x.shape.at(-1) ?? 1)],
    usual: { ...usual, why: "It is the usual method of sounds: each part of the clip has a share of the score." },
    picture: (values) => ({
      kind: "bars",
      inOrder: true,
      bars: Array.from({ length: Math.ceil(count / length) }, (_, i) => ({
        name: `part ${i + 1}`,
        shown: "",
        value: values.data.subarray(i * length, (i + 1) * length).reduce((sum, own) => sum + own, 0),
      })),
    }),
  };
}

/** Frames [frames, bands] as an image [1, bands, frames]: time goes to the right, and high notes are at the top. */
function spectrogram(x: Tensor, frames: number, bands: number): Tensor<"float32"> {
  const numbers = x.toNumbers();
  const turned = Float32Array.from({ length: frames * bands }, (_, i) => {
    const [row, column] = [Math.floor(i / frames), i % frames];
    return numbers[column * bands + (bands - 1 - row)] as number;
  });
  return new Tensor("float32", [1, bands, frames], turned);
}

/** A row of a table, [1, numbers] as it is encoded. */
export async function rowSample(scored: ScoredModel, x: Tensor, encoding: RowEncoding): Promise<Sample> {
  const cells = rowCells(encoding, x.toNumbers());
  const presence = columnPresence(scored.model, Float32Array.from(x.data as Float32Array), encoding);
  return {
    what: "a row of a table",
    ...presence,
    baselineText: "a typical row: medians and the most frequent categories of the training part",
    isImage: false,
    ...(await scoresOf(scored, x)),
    usual: {
      method: "kernel-shap",
      why: "It is the usual method of tables: it needs no gradient, which categories do not have.",
    },
    picture: ({ data }) => ({
      kind: "bars",
      bars: cells.map(({ name, value }, i) => ({ name, shown: value, value: data[i] as number })),
    }),
  };
}

/** Numbers without names. @param raw as they were given */
export async function numbersSample(scored: ScoredModel, x: Tensor, raw: Tensor): Promise<Sample> {
  if (x.data.length === 0) throw new ShapeError("there are no numbers to explain; pass those that the model takes");
  const numbers = raw.toNumbers();
  const places = x.shape.slice(1).length > 1 ? placesOf(x.shape.slice(1)) : numbers.map((_, i) => `number ${i + 1}`);
  return {
    what: "numbers",
    model: scored.model as unknown as Module<Value, unknown>,
    x,
    baselineText: "zeros as the model takes them",
    isImage: false,
    ...(await scoresOf(scored, x)),
    usual: { method: "integrated-gradients", why: "It is the usual method of numbers: each has a share of the score." },
    picture: ({ data }) => ({
      kind: "bars",
      inOrder: numbers.length <= 12,
      bars: Array.from(data, (value, i) => ({
        name: places[i] as string,
        shown: String(Number((numbers[i] as number).toPrecision(4))),
        value,
      })),
    }),
  };
}

/** Whether floats [1, channels, height, width] lie as those of an image do. */
function isImageShape({ shape }: Tensor): boolean {
  const [, channels, height = 1, width = 1] = shape;
  return shape.length === 4 && height > 1 && width > 1 && (channels === 1 || channels === 3);
}

/** Floats of which nothing else is known: an image where they lie so, else numbers. @param raw as they were given */
export const floatSample = (scored: ScoredModel, x: Tensor, raw: Tensor): Promise<Sample> =>
  isImageShape(x) ? imageSample(scored, x, raw) : numbersSample(scored, x, raw);

/** `[2, 0]` and so on, the places of elements. */
function placesOf(shape: Shape): readonly string[] {
  return Array.from({ length: size(shape) }, (_, i) => {
    let left = i;
    const place = [...shape].reverse().map((extent) => {
      const at = left % extent;
      left = Math.floor(left / extent);
      return at;
    });
    return showShape(place.reverse());
  });
}

/** A text by what occurs in it, ids [1, T (1 + runs)]: each feature shares its value among the words that make it up. */
export async function wordsSample(
  scored: ScoredModel,
  x: Tensor,
  { text, features }: { readonly text: string; readonly features: TextFeatures },
): Promise<Sample> {
  const { tokens, places } = featurePlaces(text, x.toNumbers(), features);
  return {
    what: "a text",
    ...tokenPresence(scored.model as Module<never, unknown>, x),
    baselineText: "a text without known words",
    isImage: false,
    ...(await scoresOf(scored, x)),
    usual: {
      method: "integrated-gradients",
      why: "It is the usual method of texts: each word has a share of the score, with its pairs and its runs of characters.",
    },
    picture: ({ data }) => {
      const values = new Float64Array(tokens.length);
      for (const [i, value] of data.entries()) {
        const own = places[i] ?? [];
        for (const place of own) values[place] = (values[place] as number) + value / own.length;
      }
      return { kind: "words", words: wordsIn(text, tokens, values) };
    },
  };
}

/** A row of ids of what occurs in a text, without the text: the words and pairs by themselves, and all runs of characters together. */
export async function featuresSample(scored: ScoredModel, x: Tensor, features: TextFeatures): Promise<Sample> {
  const border = x.data.length / (1 + features.runs);
  const ids = x.toNumbers();
  return {
    what: "a text",
    ...tokenPresence(scored.model as Module<never, unknown>, x),
    baselineText: "a text without known words",
    isImage: false,
    ...(await scoresOf(scored, x)),
    usual: { method: "integrated-gradients", why: "It is the usual method of texts." },
    picture: ({ data }) => {
      const words = ids.slice(0, border).flatMap((id, i) => {
        const name = features.words[id - 1];
        return name === undefined ? [] : [{ name, shown: "", value: data[i] as number }];
      });
      const runs = data.subarray(border).reduce((sum, value) => sum + value, 0);
      const ofRuns = features.runs === 0 ? [] : [{ name: "runs of characters", shown: "", value: runs }];
      return { kind: "bars", bars: [...words, ...ofRuns] };
    },
  };
}

/** The tokens of a text where they stand in it, with what lies between them. */
export function wordsIn(text: string, tokens: readonly string[], values: ArrayLike<number>): readonly ValuedText[] {
  const plain = text.normalize("NFC").replaceAll("’", "'");
  const lower = plain.toLowerCase();
  const words: ValuedText[] = [];
  let at = 0;
  for (const [i, token] of tokens.entries()) {
    const value = values[i] as number;
    // In a few scripts lower case is longer.
    const found = lower.length === plain.length ? lower.indexOf(token, at) : -1;
    if (found < 0) words.push({ text: `${token} `, value });
    else {
      if (found > at) words.push({ text: plain.slice(at, found) });
      at = found + token.length;
      words.push({ text: plain.slice(found, at), value });
    }
  }
  return at < plain.length && lower.length === plain.length ? [...words, { text: plain.slice(at) }] : words;
}
