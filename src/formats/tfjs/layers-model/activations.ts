/** Keras's activations by name. */
import { UnsupportedError } from "../../../core/errors.ts";
import { requireTable } from "../../../core/tables.ts";
import { tensor } from "../../../core/tensor.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  abs,
  add,
  cast,
  celu,
  clip,
  constant,
  cumulativeSum,
  div,
  elu,
  exp,
  gelu,
  greater,
  greaterOrEqual,
  hardSigmoid,
  leakyRelu,
  logSoftmax,
  mish,
  mul,
  neg,
  reduceSum,
  relu,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  split,
  sqrt,
  square,
  sub,
  swapAxes,
  tanh,
  topK,
  where,
} from "../../../ops/index.ts";
import type { KerasVersion } from "./layer.ts";

/** A function of x, along an axis where it is not elementwise. */
export type KerasActivation = (x: Value, axis: number) => Value;

/** max(0, min(1, x/6 + 1/2)), Keras 3's. */
const sixthSigmoid = (x: Value): Value => hardSigmoid(x, 1 / 6);

const outside = (x: Value, limit: number): Value => cast(greater(abs(x), limit), x.dtype);

/**
 * max(0, x - τ), with τ so that it sums to 1 (Martins and Astudillo 2016): of x in descending order the first k count for which
 * 1 + k x_k is more than their sum, and τ is their sum less 1, by k.
 */
function sparsemax(x: Value, axis: number): Value {
  const count = x.shape.at(axis) ?? 1;
  const own = swapAxes(x, axis, -1);
  const sorted = topK(own, count).values;
  requireTable("sparsemax: its axis", count);
  const places = constant(tensor(Array.from({ length: count }, (_, i) => i + 1)));
  const counted = cast(greater(add(mul(sorted, places), 1), cumulativeSum(sorted, x.rank - 1)), x.dtype);
  const sums = reduceSum(mul(sorted, counted), -1, { keepDims: true });
  const threshold = div(sub(sums, 1), reduceSum(counted, -1, { keepDims: true }));
  return swapAxes(relu(sub(own, threshold)), axis, -1);
}

/** By name without underscores and capitals: Python writes hard_sigmoid, TensorFlow.js hardSigmoid. */
const activations: Readonly<Record<string, KerasActivation>> = {
  linear: (x) => x,
  relu: (x) => relu(x),
  relu6: (x) => clip(x, 0, 6),
  leakyrelu: (x) => leakyRelu(x, 0.2),
  elu: (x) => elu(x),
  selu: (x) => selu(x),
  celu: (x) => celu(x),
  gelu: (x) => gelu(x),
  gelunew: (x) => gelu(x, "tanh"),
  // a σ(b) of the two halves
  glu: (x, axis) => {
    const half = (x.shape.at(axis) ?? 0) / 2;
    const [a, b] = split(x, [half, half], axis);
    return mul(a, sigmoid(b));
  },
  sigmoid: (x) => sigmoid(x),
  // max(0, min(1, 0.2 x + 0.5)), as Keras 2 and TensorFlow.js have it.
  hardsigmoid: (x) => hardSigmoid(x),
  hardsilu: (x) => mul(x, sixthSigmoid(x)),
  hardswish: (x) => mul(x, sixthSigmoid(x)),
  hardtanh: (x) => clip(x, -1, 1),
  tanh: (x) => tanh(x),
  softmax: (x, axis) => softmax(x, axis),
  logsoftmax: (x, axis) => logSoftmax(x, axis),
  logsigmoid: (x) => neg(softplus(neg(x))),
  softplus: (x) => softplus(x),
  softsign: (x) => softsign(x),
  swish: (x) => silu(x),
  silu: (x) => silu(x),
  mish: (x) => mish(x),
  exponential: (x) => exp(x),
  tanhshrink: (x) => sub(x, tanh(x)),
  // x beyond 1/2 on either side, 0 between
  hardshrink: (x) => mul(x, outside(x, 0.5)),
  softshrink: (x) => sub(x, clip(x, -0.5, 0.5)),
  // (x + √(x² + 4)) / 2
  squareplus: (x) => div(add(x, sqrt(add(square(x), 4))), 2),
  // 0 up to -1, (x + 1)²/4 up to 1, x from there on
  sparseplus: (x) => where(greater(x, 1), x, div(square(relu(add(x, 1))), 4)),
  sparsemax,
  sparsesigmoid: (x) => clip(mul(add(x, 1), 0.5), 0, 1),
};

/** Those that Keras 3 computes in another way. */
const ofKeras3: Readonly<Record<string, KerasActivation>> = { hardsigmoid: sixthSigmoid };

interface ReluOptions {
  readonly max_value?: number | null | undefined;
  readonly negative_slope: number;
  readonly threshold: number;
}

/** max_value from there on, x from the threshold on, negative_slope (x - threshold) below it. */
export function cutRelu(x: Value, { max_value, negative_slope: slope, threshold }: ReluOptions): Value {
  if (slope === 0 && threshold === 0) return max_value == null ? relu(x) : clip(x, 0, max_value);
  const y = where(greaterOrEqual(x, threshold), x, mul(sub(x, threshold), slope));
  return max_value == null ? y : clip(y, undefined, max_value);
}

/** What a layer that is given as an activation computes. Throws UnsupportedError for one with weights, and for others. */
export function layerActivation(
  className: string,
  config: Readonly<Record<string, unknown>>,
  keras: KerasVersion,
): KerasActivation {
  const number = (...names: readonly string[]) =>
    names.map((name) => config[name]).find((own) => typeof own === "number");
  switch (className) {
    case "ReLU":
      return (x) =>
        cutRelu(x, {
          max_value: number("max_value"),
          negative_slope: number("negative_slope") ?? 0,
          threshold: number("threshold") ?? 0,
        });
    case "LeakyReLU":
      return (x) => leakyRelu(x, number("negative_slope", "alpha") ?? 0.3);
    case "ELU":
      return (x) => elu(x, number("alpha") ?? 1);
    case "Softmax":
      if ((number("axis") ?? -1) === -1) return (x, axis) => softmax(x, axis);
      break;
    case "Activation":
      if (typeof config["activation"] === "string") return kerasActivation(config["activation"], keras);
  }
  throw new UnsupportedError(`its activation is a layer ${className}, which is not supported there`);
}

/** The activation of a name in a version of Keras. Throws UnsupportedError for another. */
export function kerasActivation(name: string, keras: KerasVersion): KerasActivation {
  const key = name.replaceAll("_", "").toLowerCase();
  const own = keras === 3 && Object.hasOwn(ofKeras3, key) ? ofKeras3[key] : undefined;
  const found = own ?? (Object.hasOwn(activations, key) ? activations[key] : undefined);
  if (!found) throw new UnsupportedError(`its activation "${name}" is not supported`);
  return found;
}
