/** Parameters as inputs of a graph, whose values are read anew at each run. */
import { DataError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { input, type Value } from "../graph/ir.ts";
import { constant } from "../ops/index.ts";
import type { Parameter } from "./parameter.ts";

/** A parameter's value. Throws DataError when it has none. */
export function knownValue({ name, value }: Parameter): Tensor {
  if (!value)
    throw new DataError(`parameter "${name}" has no value; train the model, load a checkpoint or initialize it`);
  return value;
}

/** Binds the parameters of a trace to graph inputs. */
export class ParameterInputs {
  readonly #inputs = new Map<Parameter, Value>();

  /** For the context of the trace. */
  readonly bind = (parameter: Parameter, path: string): Value => {
    const value = input(parameter.dtype, parameter.shape, path);
    this.#inputs.set(parameter, value);
    return value;
  };

  /** The graph inputs, in the order of first use. */
  get values(): readonly Value[] {
    return [...this.#inputs.values()];
  }

  valueOf(parameter: Parameter): Value | undefined {
    return this.#inputs.get(parameter);
  }

  /** The parameters' values as they are now, in the order of the inputs. Throws DataError when one has none. */
  tensors(): readonly Tensor[] {
    return Array.from(this.#inputs.keys(), knownValue);
  }
}

/** Builds the parameters into a trace as they are now, which lets the engine prepare them once. */
export const builtIn = (parameter: Parameter): Value => constant(knownValue(parameter));
