/** The activations that ONNX's recurrent operators may be given by name, each with its slope. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import type { Attributes } from "../../graph/op.ts";
import { elu, hardSigmoid, leakyRelu, relu, sigmoid, softplus, softsign, thresholdedRelu } from "../activations.ts";
import { cast } from "../cast.ts";
import { full } from "../constant.ts";
import { add, mul, square, sub, where } from "../elementwise.ts";
import { abs, tanh } from "../functions.ts";
import { and, greater, greaterOrEqual, less } from "../logic.ts";

/** f of a gate's sum of products. */
export interface RecurrentActivation {
  apply(x: Value): Value;
  /** f'(x), of y = f(x) alone where that is enough: x may cost products. */
  slope(x: () => Value, y: Value): Value;
}

interface Form {
  /** Defaults of α and β, for what takes them. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly make: (alpha: number, beta: number) => RecurrentActivation;
}

const oneWhere = (condition: Value, like: Value): Value => cast(condition, like.dtype);

/** ONNX's names in lower case, as it takes them in any case. */
const forms: Readonly<Record<string, Form>> = {
  sigmoid: { make: () => ({ apply: sigmoid, slope: (_, y) => mul(y, sub(1, y)) }) },
  tanh: { make: () => ({ apply: tanh, slope: (_, y) => sub(1, square(y)) }) },
  relu: { make: () => ({ apply: relu, slope: (_, y) => oneWhere(greater(y, 0), y) }) },
  softsign: { make: () => ({ apply: softsign, slope: (_, y) => square(sub(1, abs(y))) }) },
  softplus: { make: () => ({ apply: softplus, slope: (x) => sigmoid(x()) }) },
  // α x + β
  affine: {
    alpha: 1,
    beta: 0,
    make: (alpha, beta) => ({
      apply: (x) => (alpha === 1 && beta === 0 ? x : add(mul(x, alpha), beta)),
      slope: (_, y) => full(y.shape, alpha, y.dtype),
    }),
  },
  // max(0, min(1, α x + β))
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    make: (alpha, beta) => ({
      apply: (x) => hardSigmoid(x, alpha, beta),
      slope: (_, y) => mul(oneWhere(and(greater(y, 0), less(y, 1)), y), alpha),
    }),
  },
  leakyrelu: {
    alpha: 0.01,
    make: (alpha) => ({
      apply: (x) => leakyRelu(x, alpha),
      slope: (x, y) => where(greaterOrEqual(x(), 0), full(y.shape, 1, y.dtype), alpha),
    }),
  },
  // x above α, 0 up to it
  thresholdedrelu: {
    alpha: 1,
    make: (alpha) => ({
      apply: (x) => thresholdedRelu(x, alpha),
      slope: (x, y) => oneWhere(greater(x(), alpha), y),
    }),
  },
  // α tanh(β x)
  scaledtanh: {
    alpha: 1,
    beta: 1,
    make: (alpha, beta) => ({
      apply: (x) => mul(tanh(mul(x, beta)), alpha),
      slope: (x) => mul(sub(1, square(tanh(mul(x(), beta)))), alpha * beta),
    }),
  },
  // α (eˣ - 1) below 0: its slope there is y + α.
  elu: {
    alpha: 1,
    make: (alpha) => ({
      apply: (x) => elu(x, alpha),
      slope: (x, y) => where(greaterOrEqual(x(), 0), full(y.shape, 1, y.dtype), add(y, alpha)),
    }),
  },
};

/**
 * The activations of every direction, one after another: those of the attributes, or the operator's own. Of `activation_alpha` and
 * `activation_beta` each takes the next number if it has that factor. Throws UnsupportedError for a name that ONNX does not have,
 * and for more or fewer names than the directions take.
 */
export function recurrentActivations(
  op: string,
  defaults: readonly string[],
  directions: number,
  { activations, activation_alpha = [], activation_beta = [] }: Attributes,
): readonly (readonly RecurrentActivation[])[] {
  const standard = Array.from({ length: directions }, () => defaults).flat();
  const given = (activations as readonly string[] | undefined) ?? [];
  const names = given.length === 0 ? standard : given;
  if (names.length !== standard.length)
    throw new UnsupportedError(`${op}: it has ${names.length} activations, expected ${standard.length}: ${standard}`);
  const alphas = [...(activation_alpha as readonly number[])];
  const betas = [...(activation_beta as readonly number[])];
  const made = names.map((name) => {
    const key = name.toLowerCase();
    const form = Object.hasOwn(forms, key) ? forms[key] : undefined;
    if (!form)
      throw new UnsupportedError(`${op}: it has an activation ${name}; pass one of ${Object.keys(forms).join(", ")}`);
    const alpha = form.alpha === undefined ? 0 : (alphas.shift() ?? form.alpha);
    const beta = form.beta === undefined ? 0 : (betas.shift() ?? form.beta);
    return form.make(alpha, beta);
  });
  return Array.from({ length: directions }, (_, d) => made.slice(d * defaults.length, (d + 1) * defaults.length));
}
