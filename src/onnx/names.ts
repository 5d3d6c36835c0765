/** The names of a file's graph and what they mean, within those of the graphs around it. */
import { Value } from "../graph/ir.ts";
import type { StoredTensor } from "./tensor.ts";

/** Computed already, or a tensor of the file, an initializer or a Constant node, that becomes a value at its first use. */
export type Entry = Value | { readonly stored: StoredTensor; readonly isNode: boolean };

export const isValue = (entry: Entry): entry is Value => entry instanceof Value;

export class Names {
  readonly #own = new Map<string, Entry>();
  readonly #outer: Names | undefined;
  constructor(outer?: Names) {
    this.#outer = outer;
  }
  get(name: string): Entry | undefined {
    return this.#own.get(name) ?? this.#outer?.get(name);
  }
  /** What is computed already, here and around. */
  *values(): Iterable<Value> {
    for (const entry of this.#own.values()) if (isValue(entry)) yield entry;
    if (this.#outer) yield* this.#outer.values();
  }

  set(name: string, entry: Entry): void {
    this.#own.set(name, entry);
  }
}
