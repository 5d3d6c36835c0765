/** A weight that a module computes with in a way of its own, such as those of all experts at once. */
import type { Shape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import { type Context, type Initializer, type LayerKind, Module } from "../../nn/index.ts";

/** Gives its weight, whatever the input is. */
export class Weight extends Module {
  override readonly kind: LayerKind;
  readonly #shape: Shape;
  readonly #initializer: Initializer;
  constructor(kind: LayerKind, shape: Shape, initializer: Initializer) {
    super();
    this.kind = kind;
    this.#shape = shape;
    this.#initializer = initializer;
  }
  protected call(_x: Value, context: Context): Value {
    return context.parameter(this, "weight", { shape: this.#shape, initializer: this.#initializer });
  }
}
