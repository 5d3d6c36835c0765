/** Parameters as inputs of a graph, whose values are read anew at each run. */
import { DataError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { input, type Value } from "../graph/ir.ts";
import { constant } from "../ops/index.ts";
import { unpackedValue } from "./packed.ts";
import type { Parameter } from "./parameter.ts";

/** A parameter's value. Throws DataError when it has none. */
export function knownValue({ name, value }: Parameter): Tensor {
  if (!value)
    throw new DataError(
      `parameter "${name}" has no value; train the model, load a checkpoint, or initialize it: model.initialize(keyOf(0), types)`,
    );
  return value;
}

interface Bound {
  /** What the trace computes with. */
  readonly value: Value;
  /** Graph inputs: itself, or the parts of one that is packed. */
  readonly inputs: readonly Value[];
}

/** Binds the parameters of a trace to graph inputs. */
export class ParameterInputs {
  readonly #bound = new Map<Parameter, Bound>();

  /** For the context of the trace. */
  readonly bind = (parameter: Parameter, path: string): Value => {
    const { packed, shape } = parameter;
    const parts = packed ? Object.entries(packed.parts) : [];
    const inputs = parts.map(([name, part]) => input(part.dtype, part.shape, `${path}.${name}`));
    const value = packed ? unpackedValue(packed.bits, inputs, shape) : input(parameter.dtype, shape, path);
    this.#bound.set(parameter, { value, inputs: packed ? inputs : [value] });
    return value;
  };

  /** The graph inputs, in the order of first use. */
  get values(): readonly Value[] {
    return Array.from(this.#bound.values(), ({ inputs }) => inputs).flat();
  }

  /** The graph inputs among these, and their tensors as they are when they are asked for; the others are not read. */
  among(used: ReadonlySet<Value>): { readonly values: readonly Value[]; tensors(): readonly Tensor[] } {
    const places = [...this.values.keys()].filter((i) => used.has(this.values[i] as Value));
    const values = places.map((i) => this.values[i] as Value);
    return { values, tensors: () => pick(this.tensors(), places) };
  }

  valueOf(parameter: Parameter): Value | undefined {
    return this.#bound.get(parameter)?.value;
  }

  /**
   * The parameters' values as they are now, in the order of the inputs. Throws DataError when one has none. A parameter that was
   * packed or unpacked since needs another trace; see Structure.
   */
  tensors(): readonly Tensor[] {
    return Array.from(this.#bound.keys(), (parameter) =>
      parameter.packed ? Object.values(parameter.packed.parts) : [knownValue(parameter)],
    ).flat();
  }
}

const pick = <T>(all: readonly T[], places: readonly number[]): readonly T[] => places.map((i) => all[i] as T);

/** Builds the parameters into a trace as they are now, which lets the engine prepare them once: packed ones as they are stored. */
export function builtIn(parameter: Parameter): Value {
  const { packed, shape } = parameter;
  return packed
    ? unpackedValue(packed.bits, Object.values(packed.parts).map(constant), shape)
    : constant(knownValue(parameter));
}
