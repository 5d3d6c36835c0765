/** Keras's activations that are layers, and what changes elements as they do: rescaling. */
import { z } from "zod";
import type { Value } from "../../../../graph/ir.ts";
import { type Context, activation as layer, Module, zerosInit } from "../../../../nn/index.ts";
import {
  add,
  clip,
  elu,
  greaterOrEqual,
  leakyRelu,
  mul,
  prelu,
  relu,
  softmax,
  sub,
  where,
} from "../../../../ops/index.ts";
import { count } from "../../../families/config-fields.ts";
import { alongAxes, elementwise } from "../../channels.ts";
import { activation, integer, number } from "../config.ts";
import { defineLayer, type LayerClasses, plainLayer } from "../layer.ts";

/** An elementwise function as a layer. */
const pointwise = (f: (x: Value) => Value): Module => layer((x) => elementwise((value: Value) => f(value), x));

interface ReluOptions {
  readonly max_value?: number | null | undefined;
  readonly negative_slope: number;
  readonly threshold: number;
}

/** max_value from there on, x from the threshold on, negative_slope (x - threshold) below it. */
function cutRelu(x: Value, { max_value, negative_slope: slope, threshold }: ReluOptions): Value {
  if (slope === 0 && threshold === 0) return max_value == null ? relu(x) : clip(x, 0, max_value);
  const y = where(greaterOrEqual(x, threshold), x, mul(sub(x, threshold), slope));
  return max_value == null ? y : clip(y, undefined, max_value);
}

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

export const activationClasses: LayerClasses = {
  Activation: plainLayer(z.object({ activation }), ({ activation: apply }) =>
    layer((x) => alongAxes([x], (at, value: Value) => apply(value, at(-1)))),
  ),
  ReLU: plainLayer(
    z.object({ max_value: number().nullish(), negative_slope: slope.default(0), threshold: number().default(0) }),
    (options) => pointwise((x) => cutRelu(x, options)),
  ),
  // Keras 3 calls it negative_slope.
  LeakyReLU: plainLayer(
    z.object({ alpha: slope.nullish(), negative_slope: slope.nullish() }),
    ({ alpha, negative_slope }) => pointwise((x) => leakyRelu(x, alpha ?? negative_slope ?? 0.3)),
  ),
  PReLU: defineLayer(
    z.object({ shared_axes: z.union([count().transform((axis) => [axis]), z.array(count())]).nullish() }),
    ({ shared_axes }) => ({ module: new PRelu(shared_axes ?? []), weights: { weight: { name: "alpha" } } }),
  ),
  ELU: plainLayer(z.object({ alpha: slope.default(1) }), ({ alpha }) => pointwise((x) => elu(x, alpha))),
  ThresholdedReLU: plainLayer(z.object({ theta: number().default(1) }), ({ theta }) =>
    pointwise((x) => cutRelu(x, { negative_slope: 0, threshold: theta })),
  ),
  Softmax: plainLayer(z.object({ axis: integer().default(-1) }), ({ axis }) =>
    layer((x) => alongAxes([x], (at, value: Value) => softmax(value, at(axis)))),
  ),
  Rescaling: plainLayer(z.object({ scale: number(), offset: number().default(0) }), ({ scale, offset }) =>
    pointwise((x) => add(mul(x, scale), offset)),
  ),
};
