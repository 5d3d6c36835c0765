/** Modules whose calls give several values. */
import type { Value } from "../../../graph/ir.ts";
import { type Extra, Module } from "../../../nn/index.ts";

export abstract class Several<E extends Extra = Extra> extends Module<E> {
  readonly #given = new WeakMap<Value, readonly Value[]>();

  override outputs(y: Value): readonly Value[] {
    return this.#given.get(y) ?? [y];
  }

  /** Keeps what a call gives beside its first value, which it returns. */
  protected giving(first: Value, ...others: readonly Value[]): Value {
    this.#given.set(first, [first, ...others]);
    return first;
  }
}
