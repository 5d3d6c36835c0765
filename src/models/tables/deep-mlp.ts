/**
 * Multi-layer perceptrons of any depth, for questions about depth itself: the same layers with or without shortcuts
 * (He et al. 2016, Identity Mappings in Deep Residual Networks) and batch normalization (Ioffe and Szegedy 2015).
 */
import { OptionError } from "../../core/errors.ts";
import { count, flag, positive } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type ActivationFunction,
  type ActivationName,
  activation,
  batchNorm,
  type Context,
  dense,
  flatten,
  type Initializer,
  initializers,
  Module,
} from "../../nn/index.ts";
import { activationType } from "../../nn/layers/activations.ts";
import { add } from "../../ops/index.ts";

/** Options of `DeepMlp`. */
export interface DeepMlpOptions {
  /** Hidden layers. */
  readonly depth: number;
  /** Units of each. */
  readonly width: number;
  /** Default 10. */
  readonly classes?: number;
  /** Default relu. */
  readonly activation?: ActivationName | ActivationFunction;
  /** Normalize what each hidden layer gives; default false. */
  readonly normalize?: boolean;
  /** Add what goes into a hidden layer's activation to what comes out of the next layer; default false. */
  readonly residual?: boolean;
  /** Factor of all initial weights; default 1. */
  readonly gain?: number;
}

const checkOptions = optionsOf<DeepMlpOptions>("DeepMlp", {
  depth: required(count()),
  width: required(count()),
  classes: count(),
  activation: activationType,
  normalize: flag,
  residual: flag,
  gain: positive,
});

/**
 * [N, …] → [N, classes]. Every hidden layer is dense, normalization and activation. A shortcut leads from before the
 * normalization of one to after the dense part of the next, past which nothing of the sum is cut off.
 */
export class DeepMlp extends Module {
  readonly flatten = flatten();
  readonly layers: readonly Module[];
  readonly norms: readonly Module[];
  readonly activations: readonly Module[];
  readonly head: Module;
  readonly #residual: boolean;

  constructor(options: DeepMlpOptions) {
    super();
    const {
      depth,
      width,
      classes = 10,
      activation: name = "relu",
      normalize = false,
      residual = false,
    } = checkOptions(options);
    const units = Array.from({ length: depth }, (_, i) => i);
    // A sum of n branches of variance 1/n grows no faster with depth than one of them.
    const gain = (options.gain ?? 1) * (residual && depth > 1 ? 1 / Math.sqrt(depth - 1) : 1);
    const initializer = name === "relu" ? initializers.heNormal : initializers.glorotNormal;
    this.layers = units.map((i) =>
      dense(width, { initializer: scaled(initializer, i === 0 ? (options.gain ?? 1) : gain) }),
    );
    this.norms = normalize ? units.map(() => batchNorm()) : [];
    this.activations = units.map(() => activation(name));
    this.head = dense(classes);
    this.#residual = residual;
  }

  protected call(x: Value, context: Context): Value {
    const [first, ...others] = this.layers;
    let sum = first?.apply(this.flatten.apply(x, context), context) ?? x;
    for (const [i, layer] of others.entries()) {
      const branch = layer.apply(this.#activate(sum, i, context), context);
      sum = this.#residual ? add(sum, branch) : branch;
    }
    return this.head.apply(this.#activate(sum, others.length, context), context);
  }

  #activate(x: Value, i: number, context: Context): Value {
    const normal = this.norms[i]?.apply(x, context) ?? x;
    return this.activations[i]?.apply(normal, context) ?? normal;
  }
}

const scaled =
  (initializer: Initializer, factor: number): Initializer =>
  (shape, random) =>
    initializer(shape, random).map((weight) => factor * weight);

/**
 * The width at which such a network comes closest to a number of parameters: i·w + w of the first hidden layer,
 * w² + w of each other, 2w a normalization, c·w + c of the last. Throws OptionError when even one unit a layer is more.
 */
export function widthFor(
  parameters: number,
  {
    inputs,
    depth,
    classes = 10,
    normalize = false,
  }: Pick<DeepMlpOptions, "depth" | "classes" | "normalize"> & { inputs: number },
): number {
  const count = (w: number) =>
    inputs * w + w + (depth - 1) * (w * w + w) + (normalize ? 2 * depth * w : 0) + classes * w + classes;
  if (count(1) > parameters)
    throw new OptionError(
      `${parameters} parameters are too few for ${depth} hidden layers between ${inputs} inputs and ${classes} classes; allow ${count(1)} at least`,
    );
  let width = 1;
  while (count(width + 1) <= parameters) width++;
  return count(width + 1) - parameters < parameters - count(width) ? width + 1 : width;
}
