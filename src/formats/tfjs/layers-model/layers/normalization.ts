/** Keras's normalizations over batches and over layers. */
import { z } from "zod";
import { normalizeAxes, normalizeAxis } from "../../../../core/shape.ts";
import type { Value } from "../../../../graph/ir.ts";
import * as nn from "../../../../nn/index.ts";
import { swapAxes, transpose } from "../../../../ops/index.ts";
import { positive } from "../../../families/config-fields.ts";
import { channelsFirst, channelsLast } from "../../channels.ts";
import { integer, number, toggle } from "../config.ts";
import { defineLayer, type LayerClasses } from "../layer.ts";

/** Normalizes what lies along each element of one axis, in Keras any but that of the batch. */
class BatchNorm extends nn.BatchNorm {
  readonly #axis: number;
  constructor(axis: number, options: nn.BatchNormOptions) {
    super(options);
    this.#axis = axis;
  }
  protected override call(x: Value, context: nn.Context): Value {
    const axis = normalizeAxis(this.#axis, x.rank);
    if (axis === x.rank - 1) return channelsLast(super.call(channelsFirst(x), context));
    return swapAxes(super.call(swapAxes(x, 1, axis), context), 1, axis);
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

/** The standard of both is a thousandth, a hundred times PyTorch's. */
const affineFields = { epsilon: positive().default(1e-3), scale: toggle(true), center: toggle(true) };
const affineWeights = { weight: { name: "gamma" }, bias: { name: "beta" } };

const axisError = "an axis";
const axis = z.union([integer(axisError), z.tuple([integer(axisError)]).transform(([own]) => own)], {
  error: axisError,
});
const axesError = "an axis, or a list of axes";
const axes = z.union([integer().transform((own) => [own]), z.array(integer()).min(1)], { error: axesError });

export const normalizationClasses: LayerClasses = {
  BatchNormalization: defineLayer(
    z.object({ ...affineFields, axis: axis.default(-1), momentum: number().default(0.99) }),
    // Keras's momentum is the share that the running statistics keep.
    ({ axis: own, momentum, ...options }) => ({
      module: new BatchNorm(own, { ...options, momentum: 1 - momentum }),
      weights: { ...affineWeights, running_mean: { name: "moving_mean" }, running_var: { name: "moving_variance" } },
    }),
  ),
  LayerNormalization: defineLayer(
    z.object({ ...affineFields, axis: axes.default([-1]) }),
    ({ axis: own, ...options }) => ({ module: new LayerNorm(own, options), weights: affineWeights }),
  ),
};
