/** A layer whose class is not known: it is named, and owns the weights that the file lists under its name. */
import { makeNode } from "../../../../graph/op.ts";
import { unknownOp } from "../../../../import/unknown.ts";
import { type Context, Module, zerosInit } from "../../../../nn/index.ts";
import type { StoredWeight } from "../../manifest.ts";
import { listOf, type OneOrMore, oneOrMore } from "../layer.ts";

export class Opaque extends Module<OneOrMore, OneOrMore> {
  override readonly kind = "other";
  override readonly inputs = "tree";
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
  protected call(inputs: OneOrMore, context: Context): OneOrMore {
    const [x, ...others] = listOf(inputs);
    const own = Array.from(this.#weights, ([name, { shape }]) =>
      context.parameter(this, name, { shape, initializer: zerosInit }),
    );
    const types = Array.from({ length: this.#results }, () => x);
    return oneOrMore(makeNode(unknownOp(this.#className, "keras", undefined, types), [x, ...others, ...own]).outputs);
  }
}
