/** A layer whose class is not known: it is named, and owns the weights that the file lists under its name. */
import { ShapeError } from "../../../../core/errors.ts";
import { makeNode } from "../../../../graph/op.ts";
import { unknownOp } from "../../../../import/unknown.ts";
import { type Context, zerosInit } from "../../../../nn/index.ts";
import type { StoredWeight } from "../../manifest.ts";
import type { LayerCall } from "../calls.ts";
import { CallLayer, type OneOrMore, oneOrMore } from "../layer.ts";

export class Opaque extends CallLayer {
  override readonly kind = "other";
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
  protected call({ inputs: [x, ...others] }: LayerCall, context: Context): OneOrMore {
    if (!x) throw new ShapeError("it takes no tensor; connect a layer");
    const own = Array.from(this.#weights, ([name, { shape }]) =>
      context.parameter(this, name, { shape, initializer: zerosInit }),
    );
    const types = Array.from({ length: this.#results }, () => x);
    return oneOrMore(makeNode(unknownOp(this.#className, "keras", undefined, types), [x, ...others, ...own]).outputs);
  }
}
