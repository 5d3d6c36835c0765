/** Adaptations: what stands beside a module's own computation and changes what it gives, without the module knowing. */
import type { Node, Scope, Value } from "../graph/ir.ts";
import { type Rule, rewrite } from "../graph/rewrite.ts";
import type { Context } from "./context.ts";
import type { AnyModule } from "./module.ts";

/** Changes what a module computed in a run; `Module.adaptations` lists those of a module, which apply in turn. */
export interface Adaptation {
  /** The outputs, depth first, in place of those that the run gave. */
  apply?(outputs: readonly Value[], run: AdaptedRun): readonly Value[];
  /** Keys and values that attention of the module sees before its own, each [1, heads, count, width]. */
  attendedFirst?(context: Context): readonly AttendedFirst[];
  /** The position of the first token of a sequence; default 0. */
  readonly firstPosition?: number;
}

/** Keys and values before those of the data. */
export interface AttendedFirst {
  readonly keys: Value;
  readonly values: Value;
}

/** Heads of keys, the widths of keys and values, and the form of an attention. */
export interface AttentionSizes {
  readonly heads: number;
  readonly keyWidth: number;
  readonly valueWidth: number;
  /** Whether a query sees its own and earlier keys only. */
  readonly causal: boolean;
  /** Whether something is added to the products of queries and keys, such as a bias by distance. */
  readonly biased: boolean;
}

/** How much a context had before a run. */
export interface RunStart {
  readonly records: number;
  readonly memories: number;
}

/** One run of a module that is adapted. */
export class AdaptedRun {
  readonly module: AnyModule;
  readonly context: Context;
  /** What it took, depth first. */
  readonly inputs: readonly Value[];
  /** Of the nodes that the module made itself. */
  readonly scope: Scope;
  readonly #start: RunStart;

  constructor(
    run: { readonly module: AnyModule; readonly context: Context; readonly inputs: readonly Value[] },
    scope: Scope,
    start: RunStart,
  ) {
    this.module = run.module;
    this.context = run.context;
    this.inputs = run.inputs;
    this.scope = scope;
    this.#start = start;
  }

  /** Whether the module made a node itself, and not one of those below it. A graph of a file has scopes of its own. */
  made({ scope }: Node): boolean {
    return scope === this.scope || !this.context.records.slice(this.#start.records).some((own) => own.scope === scope);
  }

  /** Applies a rule to the nodes between the inputs and the outputs; whatever else the run left in the context follows. */
  rewrite(outputs: readonly Value[], rule: Rule): readonly Value[] {
    const { updates, records, decoding } = this.context;
    const inner = records.slice(this.#start.records);
    const memories = decoding?.memories.slice(this.#start.memories) ?? [];
    const left = [...updates.values(), ...memories.map(({ added }) => added), ...inner.flatMap((own) => own.outputs)];
    const given = new Map(this.inputs.map((value) => [value, value]));
    const all = [...rewrite([...outputs, ...left], rule, given).outputs];
    const changed = all.splice(0, outputs.length);
    for (const buffer of updates.keys()) updates.set(buffer, all.shift() as Value);
    for (const [i, memory] of memories.entries())
      decoding?.memories.splice(this.#start.memories + i, 1, { ...memory, added: all.shift() as Value });
    for (const [i, record] of inner.entries())
      records[this.#start.records + i] = { ...record, outputs: all.splice(0, record.outputs.length) };
    return changed;
  }
}
