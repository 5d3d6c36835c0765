/** Keras's normalizations: over batches, layers, groups, by norms, and of a layer's weights. */
import * as z from "zod";
import { ShapeError, UnsupportedError } from "../../../../core/errors.ts";
import { normalizeAxes, normalizeAxis, type Shape, showShape } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import * as nn from "../../../../nn/index.ts";
import {
  add,
  div,
  expand,
  groupNorm,
  maximum,
  mul,
  ones,
  reduceMean,
  reduceSum,
  reshape,
  sqrt,
  square,
  swapAxes,
  transpose,
  variance,
  zeros,
} from "../../../../ops/index.ts";
import { flag, positive } from "../../../config-fields.ts";
import { channelsFirst, channelsLast } from "../../channels.ts";
import { name, object } from "../../fields.ts";
import { keepsMask, type PlacedLayer } from "../calls.ts";
import { integer, number, toggle } from "../config.ts";
import { connectValues } from "../keras-model.ts";
import { defineLayer, type LayerClass, type LayerClasses, plainLayer } from "../layer.ts";

/** f of x with one of its axes, in Keras any but that of the batch, in the place of the channels. */
function alongAxis(x: Value, own: number, f: (x: Value) => Value): Value {
  const axis = normalizeAxis(own, x.rank);
  if (axis === x.rank - 1) return channelsLast(f(channelsFirst(x)));
  return swapAxes(f(swapAxes(x, 1, axis)), 1, axis);
}

/** Normalizes what lies along each element of one axis. */
class BatchNorm extends nn.BatchNorm {
  readonly #axis: number;
  constructor(axis: number, options: nn.BatchNormOptions) {
    super(options);
    this.#axis = axis;
  }
  protected override call(x: Value, context: nn.Context): Value {
    return alongAxis(x, this.#axis, (first) => super.call(first, context));
  }
}

/** Normalizes over any axes together, the last one by default. */
class LayerNorm extends nn.LayerNorm {
  readonly #axes: readonly number[];
  constructor(axes: readonly number[], options: nn.LayerNormOptions) {
    super({ ...options, axes: axes.length });
    this.#axes = axes;
  }
  protected override call(x: Value, context: nn.Context): Value {
    const axes = normalizeAxes(this.#axes, x.rank);
    const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes);
    const back = order.map((_, axis) => order.indexOf(axis));
    return transpose(super.call(transpose(x, order), context), back);
  }
}

/** The extents of some axes, the others 1, so that what has them broadcasts over x. */
const extentsAlong = (x: Value, axes: readonly number[]): Shape =>
  x.shape.map((extent, axis) => (axes.includes(axis) ? extent : 1));

interface ScaleOptions {
  readonly axes: readonly number[];
  readonly epsilon: number;
  readonly weight: boolean;
  /** What x is divided by the root of, over the axes. */
  readonly power: (x: Value, axes: readonly number[]) => Value;
}

/** x / √(power + ε) · weight over some axes, without a mean that is taken off. */
class ScaleNorm extends nn.Module {
  override readonly kind = "normalization";
  readonly #options: ScaleOptions;
  constructor(options: ScaleOptions) {
    super();
    this.#options = options;
  }
  protected call(x: Value, context: nn.Context): Value {
    const { epsilon, power, weight } = this.#options;
    const axes = normalizeAxes(this.#options.axes, x.rank);
    const y = div(x, sqrt(add(power(x, axes), epsilon)));
    if (!weight) return y;
    const shape = axes.map((axis) => x.shape[axis] ?? 1);
    const scale = context.parameter(this, "weight", { shape, initializer: nn.onesInit });
    const sorted = axes.toSorted((a, b) => a - b);
    const inOrder = transpose(
      scale,
      sorted.map((axis) => axes.indexOf(axis)),
    );
    return mul(y, reshape(inOrder, extentsAlong(x, axes)));
  }
}

class RmsNorm extends ScaleNorm {}
class UnitNorm extends ScaleNorm {}

interface GroupOptions {
  readonly groups: number;
  readonly axis: number;
  readonly epsilon: number;
  readonly scale: boolean;
  readonly center: boolean;
}

/** Normalizes groups of the channels of each sample (Wu and He 2018). */
class GroupNorm extends nn.Module {
  override readonly kind = "normalization";
  readonly #options: GroupOptions;
  constructor(options: GroupOptions) {
    super();
    this.#options = options;
  }
  protected call(x: Value, context: nn.Context): Value {
    const { groups, axis, epsilon, scale, center } = this.#options;
    return alongAxis(x, axis, (first) => {
      const channels = first.shape[1] ?? 1;
      const count = groups === -1 ? channels : groups;
      if (channels % count !== 0)
        throw new ShapeError(`input ${showShape(x.shape)} has ${channels} channels, which are no ${count} groups`);
      const shape = [channels];
      const weight = scale
        ? context.parameter(this, "weight", { shape, initializer: nn.onesInit })
        : expand(ones([]), shape);
      const bias = center
        ? context.parameter(this, "bias", { shape, initializer: nn.zerosInit })
        : expand(zeros([]), shape);
      const spatial = first.rank === 2 ? reshape(first, [...first.shape, 1]) : first;
      return reshape(groupNorm(spatial, weight, bias, { groups: count, epsilon }), first.shape);
    });
  }
}

/** A layer whose weight Keras divides by its largest singular value in training; outside of it the weight is as it is. */
class SpectralNorm extends nn.Module {
  readonly layer: nn.AnyModule;
  readonly #placed: PlacedLayer;
  readonly #vector: Shape;
  constructor(placed: PlacedLayer, vector: Shape) {
    super();
    this.layer = placed.module;
    this.#placed = placed;
    this.#vector = vector;
  }
  protected call(x: Value, context: nn.Context): Value {
    context.buffer(this, "vector", { shape: this.#vector, initializer: nn.zerosInit });
    return connectValues(this.#placed, [x], context)[0];
  }
}

/** The standard of both is a thousandth, a hundred times PyTorch's. */
const affineFields = { epsilon: positive().default(1e-3), scale: toggle(true), center: toggle(true) };
const affineWeights = { weight: { name: "gamma" }, bias: { name: "beta" } };

const axisError = "an axis";
const axis = z.union([integer(axisError), z.tuple([integer(axisError)]).transform(([own]) => own)], {
  error: axisError,
});
const axesError = "an axis, or a list of axes";
const axes = z.union([integer().transform((own) => [own]), z.array(integer()).min(1)], { error: axesError });

const squares = (x: Value, along: readonly number[]) => reduceMean(square(x), along, { keepDims: true });
const deviations = (x: Value, along: readonly number[]) => variance(x, along, { keepDims: true });
const length = (x: Value, along: readonly number[]) => maximum(reduceSum(square(x), along, { keepDims: true }), 1e-12);

const batchNormalization: LayerClass = defineLayer(
  z.object({
    ...affineFields,
    axis: axis.default(-1),
    momentum: number().default(0.99),
    renorm: flag().nullish(),
  }),
  // Keras's momentum is the share that the running statistics keep.
  ({ axis: own, momentum, renorm, ...options }) => {
    if (renorm) throw new UnsupportedError("it renormalizes batches (renorm)");
    return {
      module: new BatchNorm(own, { ...options, momentum: 1 - momentum }),
      weights: { ...affineWeights, running_mean: { name: "moving_mean" }, running_var: { name: "moving_variance" } },
      masks: keepsMask,
    };
  },
);

export const normalizationClasses: LayerClasses = {
  BatchNormalization: batchNormalization,
  // Their names in TensorFlow 1 and of its distributed form: outside of training all are one.
  BatchNormalizationV1: batchNormalization,
  BatchNormalizationV2: batchNormalization,
  SyncBatchNormalization: batchNormalization,
  LayerNormalization: defineLayer(
    z.object({ ...affineFields, axis: axes.default([-1]), rms_scaling: toggle(false) }),
    ({ axis: own, rms_scaling, epsilon, ...options }) => ({
      module: rms_scaling
        ? new RmsNorm({ axes: own, epsilon, weight: options.scale, power: deviations })
        : new LayerNorm(own, { ...options, epsilon }),
      weights: affineWeights,
      masks: keepsMask,
    }),
  ),
  RMSNormalization: defineLayer(
    z.object({ axis: axes.default([-1]), epsilon: positive().default(1e-6) }),
    ({ axis: own, epsilon }) => ({
      module: new RmsNorm({ axes: own, epsilon, weight: true, power: squares }),
      weights: { weight: { name: "scale" } },
      masks: keepsMask,
    }),
  ),
  UnitNormalization: plainLayer(
    z.object({ axis: axes.default([-1]) }),
    ({ axis: own }) => new UnitNorm({ axes: own, epsilon: 0, weight: false, power: length }),
    { masks: keepsMask },
  ),
  GroupNormalization: defineLayer(
    z.object({ ...affineFields, groups: integer().default(32), axis: axis.default(-1) }),
    (options) => {
      if (options.groups < 1 && options.groups !== -1)
        throw new UnsupportedError(`it has ${options.groups} groups, expected 1 at least, or -1`);
      return { module: new GroupNorm(options), weights: affineWeights, masks: keepsMask };
    },
  ),
  SpectralNormalization: defineLayer(
    z.object({ layer: z.object({ class_name: name(), config: object("the layer's settings") }) }),
    ({ layer: { class_name: className, config } }, { build, stored }) => {
      const own = typeof config["name"] === "string" ? config["name"] : className.toLowerCase();
      const vector = ["vector_u", "sn_u"].map(stored).find(Boolean);
      if (!vector) throw new UnsupportedError("the file has no vector_u for it");
      return {
        module: new SpectralNorm(build({ name: own, className, config }, "layer"), vector),
        weights: { vector: { name: ["vector_u", "sn_u"] } },
        note: "normalizes its weight in training, which is left out here",
        masks: keepsMask,
      };
    },
  ),
};
