/** A layer whose class is not known: it is named, and owns the weights that the file lists under its name. */
import type { Value } from "../../../../graph/ir.ts";
import { makeNode } from "../../../../graph/op.ts";
import { unknownOp } from "../../../../import/unknown.ts";
import { type Context, type Extra, zerosInit } from "../../../../nn/index.ts";
import type { StoredWeight } from "../../manifest.ts";
import { Several } from "../several.ts";

export class Opaque extends Several {
  readonly kind = "other";
  readonly #className: string;
  readonly #weights: ReadonlyMap<string, StoredWeight>;
  readonly #results: number;
  /** `weights` by their names in the layer; `results` is how many values a call gives. */
  constructor(className: string, weights: ReadonlyMap<string, StoredWeight>, results: number) {
    super();
    this.#className = className;
    this.#weights = weights;
    this.#results = results;
  }
  /** Its results are taken to have the type of its first operand: nothing better is known. */
  protected call(x: Value, context: Context, others: Extra): Value {
    const own = Array.from(this.#weights, ([name, { shape }]) =>
      context.parameter(this, name, { shape, initializer: zerosInit }),
    );
    const types = Array.from({ length: this.#results }, () => x);
    const operands = [x, ...Object.values(others), ...own];
    const [first, ...rest] = makeNode(unknownOp(this.#className, "keras", undefined, types), operands).outputs;
    return this.giving(first, ...rest);
  }
}
