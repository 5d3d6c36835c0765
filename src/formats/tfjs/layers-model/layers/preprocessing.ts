/** Keras's layers that prepare data and compute as a part of the model: scales, crops, sizes, bins, categories. */
import * as z from "zod";
import { ShapeError, UnsupportedError } from "../../../../core/errors.ts";
import { normalizeAxes, type Shape, showShape, size } from "../../../../core/shape.ts";
import { Tensor } from "../../../../core/tensor.ts";
import type { Value } from "../../../../graph/ir.ts";
import { type Context, activation as layer, Module, onesInit, zerosInit } from "../../../../nn/index.ts";
import {
  add,
  cast,
  constant,
  div,
  equal,
  greaterOrEqual,
  maximum,
  mul,
  oneHot,
  pad,
  reduceMax,
  reduceSum,
  reshape,
  slice,
  sqrt,
  sub,
  unsqueeze,
} from "../../../../ops/index.ts";
import { count } from "../../../config-fields.ts";
import { keepsMask } from "../calls.ts";
import { integer, type Layout, layout, number, toggle } from "../config.ts";
import { defineLayer, type LayerClasses, plainLayer } from "../layer.ts";
import { type Interpolation, interpolationOf, requireExtents, resizedAxes } from "./resizing.ts";

/** A number, or numbers in lists of any depth, as a flat list. */
const numbers: z.ZodType<readonly number[]> = z.unknown().transform((value, context) => {
  const flat = [value].flat(16);
  if (flat.every((item) => typeof item === "number")) return flat;
  context.issues.push({ code: "custom", input: value, message: "a number, or a list of numbers" });
  return z.NEVER;
});

const normalizationFields = z.object({
  axis: z
    .union([integer().transform((axis) => [axis]), z.array(integer()), z.null().transform(() => [])])
    .default([-1]),
  mean: numbers.nullish(),
  variance: numbers.nullish(),
  invert: toggle(false),
});
type NormalizationFields = z.output<typeof normalizationFields>;

/** The least deviation that is divided by: Keras's epsilon. */
const leastDeviation = 1e-7;

/** (x - mean) / deviation along some axes, of statistics that were taken of data before training. */
class Normalization extends Module {
  override readonly kind = "normalization";
  readonly #fields: NormalizationFields;
  constructor(fields: NormalizationFields) {
    super();
    this.#fields = fields;
  }
  protected call(x: Value, context: Context): Value {
    const { axis, invert } = this.#fields;
    const axes = normalizeAxes(axis, x.rank).filter((own) => own !== 0);
    const shape = x.shape.filter((_, own) => axes.includes(own));
    const spread = x.shape.map((extent, own) => (axes.includes(own) ? extent : 1));
    const [mean, variance] = this.#statistics(shape, context).map((value) =>
      value.rank === 0 || size(value.shape) === 1 ? reshape(value, []) : reshape(value, spread),
    ) as [Value, Value];
    const deviation = maximum(sqrt(variance), leastDeviation);
    return invert ? add(mul(x, deviation), mean) : div(sub(x, mean), deviation);
  }
  #statistics(shape: Shape, context: Context): readonly [Value, Value] {
    const { mean, variance } = this.#fields;
    if (mean && variance) return [given(mean, shape), given(variance, shape)];
    const buffers = [
      context.buffer(this, "mean", { shape, initializer: zerosInit }),
      context.buffer(this, "variance", { shape, initializer: onesInit }),
    ] as const;
    // How much data they are of.
    context.buffer(this, "count", { shape: [], initializer: zerosInit });
    return buffers;
  }
}

/** Statistics of the config: one for all, or one for each element of the axes. */
function given(values: readonly number[], shape: Shape): Value {
  if (values.length !== 1 && values.length !== size(shape))
    throw new ShapeError(`its mean or variance has ${values.length} numbers, its input needs ${showShape(shape)}`);
  return constant(new Tensor("float32", values.length === 1 ? [] : shape, Float32Array.from(values)));
}

/** Images [N, H, W, C], or one [H, W, C], with the channels first. */
function onImages(x: Value, own: Layout, f: (x: Value) => Value): Value {
  if (x.rank !== 3 && x.rank !== 4)
    throw new ShapeError(`input ${showShape(x.shape)} is no batch of images; pass [batch, height, width, channels]`);
  const batch = x.rank === 3 ? unsqueeze(x, [0]) : x;
  const y = own.back(f(own.into(batch)));
  return x.rank === 3 ? reshape(y, y.shape.slice(1)) : y;
}

interface SizeFields {
  readonly height: number;
  readonly width: number;
  readonly data_format: Layout;
}

class Resizing extends Module {
  override readonly kind = "reshape";
  readonly #resize: (x: Value) => Value;
  constructor(resized: (x: Value) => Value) {
    super();
    this.#resize = resized;
  }
  protected call(x: Value): Value {
    return this.#resize(x);
  }
}

/** The middle of an image [N, C, H, W] in a given size, which may not be larger. */
function cropped(x: Value, shape: Shape): Value {
  const ranges = shape.map((extent, i) => {
    const start = Math.floor(((x.shape[i + 2] ?? 0) - extent) / 2);
    return { axis: i + 2, start, end: start + extent };
  });
  return slice(x, ...ranges);
}

/** The middle of an image; one that is smaller is first resized so that it covers the crop, its form kept. */
function centerCrop(x: Value, { height, width }: SizeFields): Value {
  const [h = 1, w = 1] = x.shape.slice(2);
  if (h >= height && w >= width) return cropped(x, [height, width]);
  return covered(x, [height, width], "linear");
}

/** An image resized so that it covers a size with its form kept, and cropped to it. */
function covered(x: Value, [height = 1, width = 1]: Shape, mode: Interpolation): Value {
  const [h = 1, w = 1] = x.shape.slice(2);
  // The largest part of the image that has the form of the target.
  const fit = (extent: number, wanted: number) => Math.max(1, Math.min(extent, Math.floor(wanted)));
  const part = [fit(h, (w * height) / width), fit(w, (h * width) / height)];
  return resizedAxes(cropped(x, part), [height, width], mode);
}

/** An image padded on both sides to a form, and resized. */
function boxed(x: Value, [height = 1, width = 1]: Shape, mode: Interpolation, fill: number): Value {
  const [h = 1, w = 1] = x.shape.slice(2);
  const whole = [Math.max(h, Math.floor((w * height) / width)), Math.max(w, Math.floor((h * width) / height))];
  const around = [h, w].map((extent, i) => {
    const side = Math.floor(((whole[i] ?? extent) - extent) / 2);
    return [side, side] as const;
  });
  const wide = pad(sub(cast(x, "float32"), fill), [[0, 0], [0, 0], ...around]);
  return resizedAxes(add(wide, fill), [height, width], mode);
}

const imageSize = { height: count(), width: count(), data_format: layout };

/** How categories are given. Throws UnsupportedError for weights of theirs, which are learned of data. */
const outputMode = z.string({ error: "the name of an output mode" }).transform((mode) => {
  // Older names beside the present ones.
  if (mode === "int" || mode === "one_hot" || mode === "count") return mode;
  if (mode === "multi_hot" || mode === "binary") return "multi_hot";
  throw new UnsupportedError(`its output mode is ${mode}, expected int, one_hot, multi_hot or count`);
});

/** Categories as they are, as one element of many each, or as what there is of each in a sample. */
function encoded(indices: Value, mode: z.output<typeof outputMode>, depth: number): Value {
  if (mode === "int") return indices;
  const hot = oneHot(cast(indices, "int64"), depth);
  if (mode === "one_hot") return indices.shape.at(-1) === 1 && indices.rank > 1 ? squeezed(hot) : hot;
  // Of a sample [N, T] the categories of its last axis together.
  const own = indices.rank < 2 ? hot : mode === "count" ? reduceSum(hot, [-2]) : reduceMax(hot, [-2]);
  return own;
}

const squeezed = (hot: Value): Value => reshape(hot, [...hot.shape.slice(0, -2), hot.shape.at(-1) ?? 1]);

/** How many boundaries an element is not below. */
const binned = (x: Value, boundaries: readonly number[]): Value => {
  const limits = constant(new Tensor("float32", [boundaries.length], Float32Array.from(boundaries)));
  const passed = greaterOrEqual(unsqueeze(cast(x, "float32"), [x.rank]), limits);
  return reduceSum(cast(passed, "int32"), [x.rank]);
};

/** The index of each element in a vocabulary, behind those of what is masked and of what it does not have. */
function lookedUp(x: Value, { vocabulary, maskToken }: Vocabulary): Value {
  const integers = (values: readonly number[], shape: Shape) =>
    constant(new Tensor("int64", shape, BigInt64Array.from(values, BigInt)));
  const own = cast(x, "int64");
  const same = cast(equal(unsqueeze(own, [x.rank]), integers(vocabulary, [vocabulary.length])), "int32"); // [..., V]
  const places = Int32Array.from(vocabulary, (_, i) => i + 1);
  const found = reduceSum(mul(same, constant(new Tensor("int32", [vocabulary.length], places))), [x.rank]);
  if (maskToken === undefined) return found;
  const isMasked = cast(equal(own, integers([maskToken], [])), "int32");
  return mul(add(found, 1), sub(1, isMasked));
}

interface Vocabulary {
  readonly vocabulary: readonly number[];
  readonly maskToken: number | undefined;
}

const whole = z.int({ error: "whole numbers" });

export const preprocessingClasses: LayerClasses = {
  Rescaling: plainLayer(
    z.object({ scale: numbers, offset: numbers.default([0]) }),
    ({ scale, offset }) => {
      const row = (values: readonly number[]) =>
        values.length === 1 ? (values[0] as number) : given(values, [values.length]);
      return layer((x) => add(mul(asFloat(x), row(scale)), row(offset)));
    },
    { masks: keepsMask },
  ),
  Normalization: defineLayer(normalizationFields, (fields) => ({
    module: new Normalization(fields),
    weights: { mean: { name: "mean" }, variance: { name: "variance" }, count: { name: "count" } },
  })),
  CenterCrop: plainLayer(z.object(imageSize), (fields) => {
    requireExtents([fields.height, fields.width]);
    return new Resizing((x) => onImages(x, fields.data_format, (first) => centerCrop(first, fields)));
  }),
  Resizing: plainLayer(
    z.object({
      ...imageSize,
      interpolation: z.string().default("bilinear"),
      crop_to_aspect_ratio: toggle(false),
      pad_to_aspect_ratio: toggle(false),
      fill_mode: z.string().default("constant"),
      fill_value: number().default(0),
      antialias: toggle(false),
    }),
    ({ height, width, data_format, interpolation, ...rest }) => {
      const mode = interpolationOf(interpolation);
      requireExtents([height, width]);
      if (rest.antialias) throw new UnsupportedError("it smooths before it makes images smaller (antialias)");
      const to = [height, width];
      return new Resizing((x) =>
        onImages(x, data_format, (first) => {
          if (rest.crop_to_aspect_ratio) return covered(first, to, mode);
          return rest.pad_to_aspect_ratio ? boxed(first, to, mode, rest.fill_value) : resizedAxes(first, to, mode);
        }),
      );
    },
  ),
  Discretization: plainLayer(
    z.object({ bin_boundaries: z.array(number()).nullish(), output_mode: outputMode.prefault("int") }),
    ({ bin_boundaries: boundaries, output_mode }) => {
      if (!boundaries) throw new UnsupportedError("its config has no bin_boundaries");
      return layer((x) => encoded(binned(x, boundaries), output_mode, boundaries.length + 1));
    },
  ),
  CategoryEncoding: plainLayer(
    z.object({ num_tokens: count(), output_mode: outputMode.prefault("multi_hot") }),
    ({ num_tokens, output_mode }) => layer((x) => encoded(cast(x, "int64"), output_mode, num_tokens)),
  ),
  IntegerLookup: plainLayer(
    z.object({
      vocabulary: z.array(whole).nullish(),
      num_oov_indices: count(0).default(1),
      mask_token: whole.nullish(),
      oov_token: whole.nullish(),
      invert: toggle(false),
      output_mode: outputMode.prefault("int"),
    }),
    ({ vocabulary: listed, num_oov_indices: oov, mask_token, oov_token, invert, output_mode }) => {
      if (!listed) throw new UnsupportedError("its vocabulary is not in the config");
      if (invert || oov !== 1)
        throw new UnsupportedError("it gives words for indices, or has not one index for what it does not know");
      const special = [...(mask_token == null ? [] : [mask_token]), oov_token ?? -1];
      // The list may begin with what stands for masks and for what it does not have.
      const vocabulary = special.every((token, i) => listed[i] === token) ? listed.slice(special.length) : listed;
      const own = { vocabulary, maskToken: mask_token ?? undefined };
      return layer((x) => encoded(lookedUp(x, own), output_mode, vocabulary.length + special.length));
    },
  ),
};

/** Whole numbers, as of images of bytes, as floats. */
const asFloat = (x: Value): Value => (x.dtype === "float64" || x.dtype === "float16" ? x : cast(x, "float32"));
