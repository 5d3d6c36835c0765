/** A model as a function of its parameters, for transformations and loops of your own. */

import { DataError, unknownName } from "../core/errors.ts";
import { flag, objectOf } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import { keyOf } from "../core/random.ts";
import { copyOf, type Tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { valueType } from "../graph/ir.ts";
import { add, scalar } from "../ops/index.ts";
import { Context } from "./context.ts";
import type { Given, TypeTree } from "./inputs.ts";
import type { Module } from "./module.ts";
import { knownValue } from "./parameter-inputs.ts";

/** Values by the paths of parameters or buffers. */
export type ValuesByPath = Readonly<Record<string, Value>>;

/** Options of `Functional.apply`. */
export interface ApplyOptions {
  /** Buffers, such as running statistics, by path; needed by models that have some. */
  readonly state?: ValuesByPath;
  /** Dropout drops and batch normalization uses the batch's moments; default false. */
  readonly training?: boolean;
  /** Randomness of this call, a key value (see keyTensor); needed by dropout while training. */
  readonly key?: Value;
}

const checkOptions = optionsOf<ApplyOptions>("apply", {
  state: objectOf("buffers by their paths"),
  training: flag,
  key: valueType,
});

/** What a call gives and leaves behind. */
export interface Applied<O> {
  /** What the model gives. */
  readonly output: O;
  /** The buffers after the call. */
  readonly state: ValuesByPath;
  /** The sum of the regularizers' penalties, a scalar to add to the loss. */
  readonly penalty: Value;
}

/** A model as a function of its parameters. */
export interface Functional<I, O> {
  /** The parameters' values by path: a pytree for `jit`, `grad` and optimizers. Copies of the model's. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** The buffers' values by path. */
  readonly state: Readonly<Record<string, Tensor>>;
  /**
   * The outputs for graph values. Throws DataError for a parameter or buffer that is missing, OptionError for one that the model
   * does not have.
   */
  apply(parameters: ValuesByPath, inputs: Given<I>, options?: ApplyOptions): O;
  /** As `apply`, with the new buffers and the penalties. */
  applyWithState(parameters: ValuesByPath, inputs: Given<I>, options?: ApplyOptions): Applied<O>;
}

/**
 * A model as a function of its parameters, for `grad` and loops of your own. Parameters that have no value yet are
 * initialized; those of the result are copies.
 * @param types of the inputs, such as a batch's tensors
 * @param seed of initial values; default 0
 * @example
 * const { parameters, apply } = functional(model, { dtype: "float32", shape: [32, 784] });
 * const loss = (p: ValuesByPath, x: Value, y: Value) => crossEntropy()(apply(p, x), y);
 * const step = jit(valueAndGrad(loss));
 * const [value, gradients] = await step(parameters, x, y);
 */
export function functional<I, O>(model: Module<I, O>, types: TypeTree, seed = 0): Functional<I, O> {
  model.trace(types);
  model.initialize(keyOf(seed));
  const all = [...model.parameters()];
  const valuesOf = (isBuffer: boolean) =>
    Object.fromEntries(
      all.flatMap(([path, parameter]) =>
        parameter.isBuffer === isBuffer ? [[path, copyOf(knownValue(parameter))] as const] : [],
      ),
    );
  const paths = new Map(all.map(([path, parameter]) => [parameter, path]));
  const [parameters, state] = [valuesOf(false), valuesOf(true)];
  const applyWithState = (own: ValuesByPath, inputs: Given<I>, options: ApplyOptions = {}): Applied<O> => {
    const { state: buffers = {}, training = false, key } = checkOptions(options);
    for (const [given, known] of [
      [own, parameters],
      [buffers, state],
    ] as const)
      for (const path of Object.keys(given))
        if (!Object.hasOwn(known, path)) throw unknownName("parameter", path, Object.keys(known));
    const context = new Context(model, {
      training,
      ...(key && { key }),
      bind(parameter, path) {
        const value = (parameter.isBuffer ? buffers : own)[paths.get(parameter) ?? path];
        if (value) return value;
        throw new DataError(
          parameter.isBuffer
            ? `the model has a buffer "${path}"; pass its state: apply(parameters, inputs, { state })`
            : `the parameters lack "${path}"; pass all of them`,
        );
      },
    });
    const output = model.apply(inputs, context);
    const updated = [...context.updates].map(([buffer, value]) => [paths.get(buffer) ?? "", value] as const);
    const penalty = context.penalties.reduce((sum, own) => add(sum, own), scalar(0));
    return { output, state: { ...buffers, ...Object.fromEntries(updated) }, penalty };
  };
  return {
    parameters,
    state,
    apply: (own, inputs, options) => applyWithState(own, inputs, options).output,
    applyWithState,
  };
}
