/** Activation functions by name, and as layers. */
import { unknownName } from "../core/errors.ts";
import type { Value } from "../graph/ir.ts";
import { clip, elu, gelu, leakyRelu, logSoftmax, relu, sigmoid, silu, softmax, softplus, tanh } from "../ops/index.ts";
import { Module } from "./module.ts";

/** Every activation: elementwise, but for softmax and logSoftmax, which go along the last axis. */
export const activations = {
  linear: (x: Value) => x,
  relu,
  relu6: (x: Value) => clip(x, 0, 6),
  leakyRelu: (x: Value) => leakyRelu(x),
  elu: (x: Value) => elu(x),
  sigmoid,
  tanh,
  gelu: (x: Value) => gelu(x),
  geluTanh: (x: Value) => gelu(x, "tanh"),
  silu,
  softplus,
  softmax: (x: Value) => softmax(x),
  logSoftmax: (x: Value) => logSoftmax(x),
} as const satisfies Record<string, (x: Value) => Value>;

export type ActivationName = keyof typeof activations;

/** The activation of a name. Throws OptionError with the nearest name. */
export function activationOf(name: ActivationName): (x: Value) => Value {
  if (!Object.hasOwn(activations, name)) throw unknownName("activation", name, Object.keys(activations));
  return activations[name];
}

export class Activation extends Module {
  readonly kind = "activation";
  readonly name: ActivationName;
  constructor(name: ActivationName) {
    super();
    this.name = name;
    activationOf(name);
  }
  protected call(x: Value): Value {
    return activationOf(this.name)(x);
  }
}

/** An activation as a layer of its own. */
export const activation = (name: ActivationName): Activation => new Activation(name);
