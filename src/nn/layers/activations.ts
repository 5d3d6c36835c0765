/** Activation functions by name, and as layers. */
import { unknownName } from "../../core/errors.ts";
import { nameOrFunction } from "../../core/option-types.ts";
import type { Value } from "../../graph/ir.ts";
import {
  clip,
  elu,
  gelu,
  leakyRelu,
  logSoftmax,
  mul,
  relu,
  sigmoid,
  silu,
  softmax,
  softplus,
  square,
  tanh,
} from "../../ops/index.ts";
import { Module } from "../module.ts";

/** Every activation: elementwise, but for softmax and logSoftmax, which go along the last axis. */
export const activationFunctions = {
  linear: (x: Value) => x,
  relu,
  relu6: (x: Value) => clip(x, 0, 6),
  leakyRelu: (x: Value) => leakyRelu(x),
  elu: (x: Value) => elu(x),
  sigmoid,
  tanh,
  gelu: (x: Value) => gelu(x),
  geluTanh: (x: Value) => gelu(x, "tanh"),
  /** x · sigmoid(1.702 x), an approximation of gelu (Hendrycks and Gimpel 2016). */
  quickGelu: (x: Value) => mul(x, sigmoid(mul(x, 1.702))),
  /** relu(x)² (So et al. 2021). */
  squaredRelu: (x: Value) => square(relu(x)),
  silu,
  softplus,
  softmax: (x: Value) => softmax(x),
  logSoftmax: (x: Value) => logSoftmax(x),
} as const satisfies Record<string, (x: Value) => Value>;

/** Name of an activation function, such as `"relu"`: a key of `activationFunctions`. */
export type ActivationName = keyof typeof activationFunctions;

/** A function that a layer applies to its output: what a name stands for, or your own. */
export type ActivationFunction = (x: Value) => Value;

/** The option of a layer. */
export const activationType = nameOrFunction<ActivationName | ActivationFunction>(activationFunctions);

/** The activation of a name, or the function itself. Throws OptionError with the nearest name. */
export function activationOf(choice: ActivationName | ActivationFunction): ActivationFunction {
  if (typeof choice === "function") return choice;
  if (!Object.hasOwn(activationFunctions, choice))
    throw unknownName("activation", choice, Object.keys(activationFunctions));
  return activationFunctions[choice];
}

/** An activation function as a layer: [...] → [...]. Make one with `activation`. */
export class Activation extends Module {
  override readonly kind = "activation";
  readonly #activation: ActivationFunction;
  constructor(choice: ActivationName | ActivationFunction) {
    super();
    this.#activation = activationOf(choice);
  }
  protected call(x: Value): Value {
    return this.#activation(x);
  }
}

/**
 * An activation as a layer of its own, for a place where no layer takes the option `activation`: [...] → [...]. Throws
 * OptionError, with the nearest name, for a name that there is not.
 * @example
 * sequential([conv2d(32, 3), batchNorm(), activation("relu")]);
 */
export const activation = (choice: ActivationName | ActivationFunction): Activation => new Activation(choice);
