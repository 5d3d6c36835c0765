/** Keras's activations by name, as TensorFlow.js computes them. */
import { UnsupportedError } from "../../../core/errors.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  clip,
  elu,
  exp,
  gelu,
  hardSigmoid,
  leakyRelu,
  logSoftmax,
  mish,
  relu,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  tanh,
} from "../../../ops/index.ts";

/** A function of x, along an axis where it is not elementwise. */
export type KerasActivation = (x: Value, axis: number) => Value;

/** By name without underscores and capitals: Python writes hard_sigmoid, TensorFlow.js hardSigmoid. */
const activations: Readonly<Record<string, KerasActivation>> = {
  linear: (x) => x,
  relu: (x) => relu(x),
  relu6: (x) => clip(x, 0, 6),
  leakyrelu: (x) => leakyRelu(x, 0.2),
  elu: (x) => elu(x),
  selu: (x) => selu(x),
  gelu: (x) => gelu(x),
  gelunew: (x) => gelu(x, "tanh"),
  sigmoid: (x) => sigmoid(x),
  // max(0, min(1, 0.2 x + 0.5)); Keras 3 has a slope of 1/6, which TensorFlow.js does not.
  hardsigmoid: (x) => hardSigmoid(x),
  tanh: (x) => tanh(x),
  softmax: (x, axis) => softmax(x, axis),
  logsoftmax: (x, axis) => logSoftmax(x, axis),
  softplus: (x) => softplus(x),
  softsign: (x) => softsign(x),
  swish: (x) => silu(x),
  silu: (x) => silu(x),
  mish: (x) => mish(x),
  exponential: (x) => exp(x),
};

/** The activation of a name. Throws UnsupportedError for another. */
export function kerasActivation(name: string): KerasActivation {
  const key = name.replaceAll("_", "").toLowerCase();
  const found = Object.hasOwn(activations, key) ? activations[key] : undefined;
  if (!found) throw new UnsupportedError(`its activation "${name}" is not supported`);
  return found;
}
