/** Activation maximization: an input that a class, a unit or a channel responds to, found by gradient ascent. */
import { reachableGradients } from "../../autodiff/gradients.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { count, fraction, listOf, nonNegative, pairType, positive, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { leavesOf } from "../../core/tree.ts";
import { Value } from "../../graph/ir.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import { type Context, Module } from "../../nn/index.ts";
import * as ops from "../../ops/index.ts";
import { predictor } from "../../train/predict.ts";
import { noGradient, orOtherWays } from "../explained.ts";
import { layerValue, layerValues } from "../layers.ts";

/** What is to respond: a class of the output, or a unit of a layer. */
export interface ResponseOf {
  /** The layer, by its path, `layers.2`; default the output, scores [1, classes]. */
  readonly layer?: string | undefined;
  /** The class; of a layer the channel of [1, C, H, W], of which the mean over places is taken, or the last axis's feature of anything else. */
  readonly unit: number;
}

/** How the ascent goes. */
export interface Ascent {
  /** Steps; default 128. */
  readonly steps?: number;
  /** How far a step moves, as the root mean square over elements; default 0.05. */
  readonly stepSize?: number;
}

/** How the input is kept from becoming noise. */
export interface Regularization {
  /** Pixels by which the image is shifted at random before each step, at most; default 2, where it is an image. */
  readonly jitter?: number;
  /** Standard deviation of the blur after each fourth step, in pixels, which falls to 0 at the last; default 0.5, where it is an image; 0 for none. */
  readonly blur?: number;
  /** Share of its value that each element loses in a step; default 0.01. */
  readonly decay?: number;
}

/** Options of `activationMaximization`. */
export interface MaximizationOptions {
  /** The shape of the input, [1, …]. */
  readonly shape: Shape;
  /** What is to respond. */
  readonly response: ResponseOf;
  /** How the ascent goes. */
  readonly ascent?: Ascent;
  /** Bounds of elements, such as those of the training data, [low, high]; default none. */
  readonly range?: readonly [number, number] | undefined;
  /** How the input is kept from becoming noise. */
  readonly regularization?: Regularization;
  /** Of the start and of the shifts: the same key gives the same input; default keyOf(0). */
  readonly key?: Key;
  /** Device, threads; default the processor. */
  readonly compile?: CompileOptions | undefined;
}

/** An input that something responds to. */
export interface Maximized {
  /** float32 [1, …] */
  readonly values: Tensor<"float32">;
  /** The response to it. */
  readonly response: number;
  /** The response to the noise that it started from. */
  readonly start: number;
  /** What the reader should know of this result, a sentence each. */
  readonly notes: readonly string[];
}

const checkOptions = optionsOf<MaximizationOptions>("activationMaximization", {
  shape: required(listOf(count(), "whole numbers from 1, such as [1, 3, 64, 64]")),
  response: required(optionsOf<ResponseOf>("response", { layer: string, unit: required(count(0)) }).type),
  ascent: optionsOf<Ascent>("ascent", { steps: count(), stepSize: positive }).type,
  range: pairType("[low, high]"),
  regularization: optionsOf<Regularization>("regularization", { jitter: count(0), blur: nonNegative, decay: fraction })
    .type,
  key: keyType,
  compile: checkCompile.type,
});

type Found = Readonly<Record<"response" | "gradient", Value>>;

/** The response, [1], and its gradient. */
class Response extends Module<Value, Found> {
  readonly model: Module<Value, unknown>;
  readonly #of: ResponseOf;

  constructor(model: Module<Value, unknown>, of: ResponseOf) {
    super();
    this.model = model;
    this.#of = of;
  }

  protected call(x: Value, context: Context): Found {
    const outputs = leavesOf(this.model.apply(x, context)).flatMap(({ leaf }) => (leaf instanceof Value ? [leaf] : []));
    const [output] = outputs;
    if (!output) throw new ShapeError("activationMaximization: the model gives no tensor");
    const response = this.#unitOf(this.#valueOf(x, output));
    const [gradient] = orOtherWays(() => reachableGradients([response], [ops.ones([1], response.dtype)], [x]));
    if (!gradient) throw noGradient();
    return { response, gradient };
  }

  #valueOf(x: Value, output: Value): Value {
    const { layer } = this.#of;
    if (layer !== undefined) return layerValue("activationMaximization", layerValues(x, output), layer);
    if (output.rank === 2) return output;
    throw new ShapeError(
      `activationMaximization: the output ${output} is no scores, float32[1, classes]; name a layer: { layer: "layers.2", unit: 0 }`,
    );
  }

  /** The mean of a unit over places, [1]. */
  #unitOf(value: Value): Value {
    const { unit } = this.#of;
    const axis = value.rank === 4 ? 1 : value.rank - 1;
    const units = value.shape[axis] ?? 1;
    if (unit >= units)
      throw new OptionError(`activationMaximization: there is no unit ${unit} in ${value}; pass 0 to ${units - 1}`);
    return ops.reshape(ops.reduceMean(ops.slice(value, { axis, start: unit, end: unit + 1 })), [1]);
  }
}

/** An image shifted around its borders: element (r, c) comes from (r - down, c - right). */
function shifted(from: Float32Array, [height, width]: Shape, down: number, right: number): Float32Array {
  const into = new Float32Array(from.length);
  const [rows, columns] = [height as number, width as number];
  const wrap = (at: number, extent: number) => ((at % extent) + extent) % extent;
  for (let i = 0; i < from.length; i++) {
    const [plane, row, column] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows, i % columns];
    into[i] = from[(plane * rows + wrap(row - down, rows)) * columns + wrap(column - right, columns)] as number;
  }
  return into;
}

/** An image blurred by a normal kernel of a deviation in pixels, along both axes; borders repeat. */
function blurred(from: Float32Array, [height, width]: Shape, deviation: number): Float32Array {
  const reach = Math.ceil(3 * deviation);
  if (reach === 0) return from;
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)));
  const all = weights.reduce((sum, own) => sum + own, 0);
  const along = (own: Float32Array, extent: number, stride: number) =>
    own.map((_, i) => {
      const at = Math.floor(i / stride) % extent;
      let sum = 0;
      for (const [k, weight] of weights.entries()) {
        const other = Math.min(Math.max(at + k - reach, 0), extent - 1);
        sum += (weight / all) * (own[i + (other - at) * stride] as number);
      }
      return sum;
    });
  return along(along(from, height as number, width as number), width as number, 1);
}

/** Root mean square of elements. */
const levelOf = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, own) => sum + (own * own) / values.length, 0));

/**
 * An input that a class, or a unit or channel of a layer, responds to: gradient ascent from faint noise, each step of one length (Erhan et al. 2009;
 * of images shifted at random and blurred now and then, as Olah et al. 2017 tell: without that it is noise that drives the unit). What it shows is
 * what the network wants to see and what the regularization likes; no such input need occur. Throws OptionError for a layer or unit that there is
 * not, ShapeError for an input that the model does not take or scores that are none, and GradientError where none arrives.
 * @example
 * const { values } = await explain.activationMaximization(model, { shape: [1, 3, 64, 64], response: { layer: "layers.2", unit: 7 } });
 */
export async function activationMaximization(
  model: Module<Value, unknown>,
  options: MaximizationOptions,
): Promise<Maximized> {
  const { shape, response, ascent, range, regularization, key = keyOf(0), compile } = checkOptions(options);
  const { steps = 128, stepSize = 0.05 } = ascent ?? {};
  const isImage = shape.length === 4;
  const { jitter = isImage ? 2 : 0, blur = isImage ? 0.5 : 0, decay = 0.01 } = regularization ?? {};
  if (shape[0] !== 1)
    throw new OptionError(`activationMaximization: shape is [${shape}]; pass that of one sample, [1, …]`);
  if (!isImage && (jitter > 0 || blur > 0))
    throw new OptionError(
      `activationMaximization: an input [${shape}] is no image, which alone is shifted and blurred; leave jitter and blur out`,
    );
  if (range && !(range[0] < range[1]))
    throw new OptionError(`activationMaximization: range is [${range}]; pass [low, high], low below high`);
  const extents = shape.slice(2);
  const random = new Random(foldIn(key, "activationMaximization"));
  const bound = (own: number) => (range ? Math.min(Math.max(own, range[0]), range[1]) : own);
  const middle = range ? (range[0] + range[1]) / 2 : 0;
  let x: Float32Array = random.normals(size(shape)).map((z) => bound(middle + 0.01 * z));
  const ask = predictor(new Response(model, response), { compile });
  const asked = async (own: Float32Array) => {
    const found = await ask(new Tensor("float32", shape, own as Float32Array<ArrayBuffer>));
    return { response: Number(found.response.data[0]), gradient: found.gradient.data as Float32Array };
  };
  try {
    const { response: start } = await asked(x);
    for (let step = 0; step < steps; step++) {
      const [down, right] = [0, 1].map(() => random.integer(2 * jitter + 1) - jitter) as [number, number];
      const moved = jitter > 0 ? shifted(x, extents, down, right) : x;
      const { gradient } = await asked(moved);
      const back = jitter > 0 ? shifted(gradient, extents, -down, -right) : gradient;
      const level = levelOf(back);
      const scale = level > 0 ? stepSize / level : 0;
      x = x.map((own, i) => bound(middle + (1 - decay) * (own - middle) + scale * (back[i] as number)));
      if (blur > 0 && step % 4 === 3) x = blurred(x, extents, blur * (1 - (step + 1) / steps));
    }
    const { response: end } = await asked(x);
    const notes =
      end > start
        ? []
        : [
            `the response did not rise above ${start.toPrecision(3)}: the unit may be silent near noise, such as behind a ReLU; try another key, or the layer before its activation`,
          ];
    return { values: new Tensor("float32", shape, x as Float32Array<ArrayBuffer>), response: end, start, notes };
  } finally {
    await ask.release();
  }
}
