/** The names of a file's graph and what they mean, within those of the graphs around it. */
import { Value } from "../graph/ir.ts";
import type { StoredTensor } from "./tensor.ts";

/** A list of tensors with which a file computes; how many they are is known while the graph is built. */
export class Sequence {
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

/** An optional value that is not there. */
export class Nothing {}
export const nothing = new Nothing();

/** What a node of a file gives. */
export type Computed = Value | Sequence | Nothing;

/** A tensor of the file, an initializer or a Constant node, that becomes a value at its first use. */
export interface StoredEntry {
  readonly stored: StoredTensor;
  readonly isNode: boolean;
}

export type Entry = Computed | StoredEntry;

export const isValue = (entry: Entry): entry is Value => entry instanceof Value;
export const isStored = (entry: Entry): entry is StoredEntry => "stored" in entry;

/** The graph values of what nodes give. */
export const valuesIn = (computed: Computed): readonly Value[] =>
  isValue(computed) ? [computed] : computed instanceof Sequence ? computed.items : [];

export class Names {
  readonly #own = new Map<string, Entry>();
  readonly #outer: Names | undefined;
  constructor(outer?: Names) {
    this.#outer = outer;
  }
  get(name: string): Entry | undefined {
    return this.#own.get(name) ?? this.#outer?.get(name);
  }
  set(name: string, entry: Entry): void {
    this.#own.set(name, entry);
  }
  /** What is computed already, here and around. */
  *values(): Iterable<Value> {
    for (const entry of this.#own.values()) if (!isStored(entry)) yield* valuesIn(entry);
    if (this.#outer) yield* this.#outer.values();
  }
}
