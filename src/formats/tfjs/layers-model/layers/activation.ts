/** Keras's activations that are layers. */
import * as z from "zod";
import { ShapeError } from "../../../../core/errors.ts";
import { Value } from "../../../../graph/ir.ts";
import { type Context, activation as layer, Module, zerosInit } from "../../../../nn/index.ts";
import {
  add,
  cast,
  elu,
  exp,
  leakyRelu,
  mul,
  prelu,
  reduceLogSumExp,
  softmax,
  sub,
  thresholdedRelu,
} from "../../../../ops/index.ts";
import { count } from "../../../config-fields.ts";
import { alongAxes, elementwise } from "../../channels.ts";
import { cutRelu } from "../activations.ts";
import { keepsMask, type LayerCall } from "../calls.ts";
import { activation, integer, number } from "../config.ts";
import { CallLayer, defineLayer, type LayerClasses, plainLayer } from "../layer.ts";

/** An elementwise function as a layer. */
const pointwise = (f: (x: Value) => Value): Module => layer((x) => elementwise((value: Value) => f(value), x));

/** x above 0, a learned multiple of it below; weight [...shape of a sample], 1 along shared axes (He et al. 2015). */
class PRelu extends Module {
  override readonly kind = "activation";
  readonly #shared: readonly number[];
  constructor(shared: readonly number[]) {
    super();
    this.#shared = shared;
  }
  protected call(x: Value, context: Context): Value {
    const shape = x.shape.slice(1).map((extent, i) => (this.#shared.includes(i + 1) ? 1 : extent));
    const slope = context.parameter(this, "weight", { shape, initializer: zerosInit });
    return elementwise((value: Value, own: Value) => prelu(value, own), x, slope);
  }
}

const slope = number();
const kept = { masks: keepsMask };

/** Elements that a mask leaves out get next to nothing of the softmax. */
class Softmax extends CallLayer {
  override readonly kind = "activation";
  readonly #axes: readonly number[];
  constructor(axes: readonly number[]) {
    super();
    this.#axes = axes;
  }
  protected call({ inputs: [x], named: { mask } }: LayerCall): Value {
    if (!x) throw new ShapeError("it takes no tensor; connect a layer");
    // 1e9 is far beyond what differs in a float32.
    const scores = mask instanceof Value ? add(x, mul(sub(1, cast(mask, x.dtype)), -1e9)) : x;
    const [first = -1, ...others] = this.#axes;
    if (others.length === 0) return alongAxes([scores], (at, value: Value) => softmax(value, at(first)));
    return exp(sub(scores, reduceLogSumExp(scores, this.#axes, { keepDims: true })));
  }
}

const axisError = "an axis, or a list of axes";
const axes = z.union([integer().transform((axis) => [axis]), z.array(integer()).min(1)], { error: axisError });

export const activationClasses: LayerClasses = {
  Activation: plainLayer(
    z.object({ activation }),
    ({ activation: own }, { keras }) => {
      const apply = own(keras);
      return layer((x) => alongAxes([x], (at, value: Value) => apply(value, at(-1))));
    },
    kept,
  ),
  ReLU: plainLayer(
    z.object({ max_value: number().nullish(), negative_slope: slope.nullish(), threshold: number().nullish() }),
    ({ max_value, negative_slope, threshold }) =>
      pointwise((x) => cutRelu(x, { max_value, negative_slope: negative_slope ?? 0, threshold: threshold ?? 0 })),
    kept,
  ),
  // Keras 3 calls it negative_slope.
  LeakyReLU: plainLayer(
    z.object({ alpha: slope.nullish(), negative_slope: slope.nullish() }),
    ({ alpha, negative_slope }) => pointwise((x) => leakyRelu(x, alpha ?? negative_slope ?? 0.3)),
    kept,
  ),
  PReLU: defineLayer(
    z.object({ shared_axes: z.union([count().transform((axis) => [axis]), z.array(count())]).nullish() }),
    ({ shared_axes }) => ({
      module: new PRelu(shared_axes ?? []),
      weights: { weight: { name: "alpha" } },
      masks: keepsMask,
    }),
  ),
  ELU: plainLayer(z.object({ alpha: slope.default(1) }), ({ alpha }) => pointwise((x) => elu(x, alpha)), kept),
  ThresholdedReLU: plainLayer(
    z.object({ theta: number().default(1) }),
    ({ theta }) => pointwise((x) => thresholdedRelu(x, theta)),
    kept,
  ),
  Softmax: plainLayer(z.object({ axis: axes.default([-1]) }), ({ axis }) => new Softmax(axis), {
    ...kept,
    parameters: ["inputs", "mask"],
  }),
};
