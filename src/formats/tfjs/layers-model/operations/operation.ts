/** Functions of Keras 3 and TensorFlow that stand in a functional model as if they were layers: what each is, and what a call gives it. */

import { type DType, dtypes, isFloat } from "../../../../core/dtype.ts";
import { DTypeError, UnsupportedError } from "../../../../core/errors.ts";
import { tensor } from "../../../../core/tensor.ts";
import { Value } from "../../../../graph/ir.ts";
import type { LayerKind } from "../../../../nn/index.ts";
import { cast, constant } from "../../../../ops/index.ts";
import { shown } from "../../../config-fields.ts";
import type { KerasVersion } from "../layer.ts";

export interface Operation {
  /** Names of what it is called with, in order. */
  readonly parameters: readonly string[];
  readonly kind: LayerKind;
  compute(given: Given): Value | readonly Value[];
}

/** Functions by Keras 3's names of them. */
export type Operations = Readonly<Record<string, Operation>>;

/** What a function is given: arguments of the call, and settings of the layer that stands for it. */
export class Given {
  readonly keras: KerasVersion;
  readonly #named: Readonly<Record<string, unknown>>;
  constructor(named: Readonly<Record<string, unknown>>, keras: KerasVersion) {
    this.#named = named;
    this.keras = keras;
  }
  raw(name: string): unknown {
    return this.#named[name];
  }
  /** A tensor, or numbers in lists as one. Throws UnsupportedError for what is neither. */
  value(name: string): Value {
    const written = this.#named[name];
    // Keras 2 lists what stands alone.
    const given = Array.isArray(written) && written.length === 1 && written[0] instanceof Value ? written[0] : written;
    const value = given instanceof Value ? given : constantIn(given);
    if (!value) throw new UnsupportedError(`its argument ${name} is ${shown(given)}, expected a tensor`);
    return value;
  }
  /** Tensors in a list. */
  values(name: string): readonly Value[] {
    const given = this.#named[name];
    return (Array.isArray(given) ? given : [given]).map((item, i) =>
      new Given({ [`${name}[${i}]`]: item }, this.keras).value(`${name}[${i}]`),
    );
  }
  /** A tensor, or a number that takes the dtype of the tensor beside it. */
  operand(name: string): Value | number {
    const given = this.#named[name];
    return typeof given === "number" ? given : this.value(name);
  }
  number(name: string, standard?: number): number {
    const given = this.#named[name] ?? standard;
    if (typeof given !== "number")
      throw new UnsupportedError(`its argument ${name} is ${shown(given)}, expected a number`);
    return given;
  }
  flag(name: string, standard = false): boolean {
    const given = this.#named[name];
    return typeof given === "boolean" ? given : standard;
  }
  /** Whole numbers, one alone as a list; `undefined` where there are none. */
  integers(name: string): readonly number[] | undefined {
    const given = this.#named[name];
    if (given === undefined || given === null) return undefined;
    const list: readonly unknown[] = [given].flat(2);
    if (list.every((item): item is number => Number.isSafeInteger(item))) return list;
    throw new UnsupportedError(`its argument ${name} is ${shown(given)}, expected whole numbers`);
  }
  dtype(name: string): DType {
    const written = String(this.#named[name])
      .replace(/^.*[.:]/, "")
      .replace("bfloat16", "float32");
    const found = dtypes.find((dtype) => dtype === written);
    if (!found) throw new UnsupportedError(`its argument ${name} is ${shown(this.#named[name])}, expected a dtype`);
    return found;
  }
}

/** Numbers, truths and lists of them as a constant. */
function constantIn(given: unknown): Value | undefined {
  if (typeof given === "boolean") return constant(tensor(given ? 1 : 0, { dtype: "bool" }));
  const flat = [given].flat(16);
  if (flat.length === 0 || !flat.every((item) => typeof item === "number")) return undefined;
  try {
    return constant(tensor(given as number[]));
  } catch {
    return undefined;
  }
}

/** Operands in one dtype: of two that differ the float, as Keras promotes them. */
export function promoted(a: Value | number, b: Value | number): readonly [Value | number, Value | number] {
  if (!(a instanceof Value) || !(b instanceof Value) || a.dtype === b.dtype) return [a, b];
  if (isFloat(a.dtype) !== isFloat(b.dtype)) return isFloat(a.dtype) ? [a, cast(b, a.dtype)] : [cast(a, b.dtype), b];
  if (a.dtype === "bool" || b.dtype === "bool")
    return a.dtype === "bool" ? [cast(a, b.dtype), b] : [a, cast(b, a.dtype)];
  throw new DTypeError(`it computes with ${a.dtype} and ${b.dtype}; cast one of them`);
}
