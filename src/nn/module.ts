/** Modules: the building blocks of models, which own parameters and compute outputs from inputs. */
import { OptionError, unknownName } from "../core/errors.ts";
import { foldIn, type Key, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { isPlainObject } from "../core/tree.ts";
import { input, type TensorType, type Value } from "../graph/ir.ts";
import type { OpKind } from "../graph/op.ts";
import { Context, type ContextOptions } from "./context.ts";
import type { Parameter } from "./parameter.ts";

/** Kinds of computing layer, as reports group them. */
export type LayerKind = "container" | "regularization" | Exclude<OpKind, "constant">;

export interface TraceOptions extends ContextOptions {
  /** Types of the extra inputs, by name. */
  readonly extra?: Readonly<Record<string, TensorType>>;
}

/** A traced call of a model: its inputs and its output as graph values. */
export interface Trace {
  readonly x: Value;
  readonly extra: Readonly<Record<string, Value>>;
  readonly y: Value;
  readonly context: Context;
}

/** What a module takes beside its main input, by name: the memory that a decoder attends to, a mask. */
export type Extra = Readonly<Record<string, Value | undefined>>;

/**
 * A layer or model. A subclass creates its children as properties (also in arrays and objects) and computes in `call`;
 * a child is run by `child.apply(x, context)`. The path of a parameter is the way to it: `layers.0.weight`.
 * @example
 * class Block extends Module {
 *   readonly kind = "container";
 *   first = dense(64, { activation: "relu" });
 *   second = dense(64);
 *   call(x: Value, context: Context) {
 *     return add(x, this.second.apply(this.first.apply(x, context), context));
 *   }
 * }
 */
export abstract class Module<E extends Extra = Extra> {
  abstract readonly kind: LayerKind;
  /** Own name for messages; the path stands in for it. */
  readonly label: string | undefined = undefined;
  /** Parameters and buffers of this module itself, by name, in the order of first use. */
  readonly own = new Map<string, Parameter>();

  /** Computes the output; x has the batch as its first axis. */
  protected abstract call(x: Value, context: Context, extra: E): Value;

  /** All that the call which returned `y` gives: `y` itself, and what some models have beside it. */
  outputs(y: Value): readonly Value[] {
    return [y];
  }

  /** How many parameters the layer has and why, in numbers: `3·3·32·64 + 64`. */
  formula(): string {
    return [...this.own.values()]
      .filter(({ isBuffer }) => !isBuffer)
      .map(({ shape }) => shape.join("·") || "1")
      .join(" + ");
  }

  /** Runs the module inside a trace; errors name it. */
  apply(x: Value, context: Context, extra?: E): Value {
    const given = extra ?? ({} as E); // A module that needs extra inputs says so when they are missing.
    return context.run(this, [x, ...Object.values(given)], () => this.call(x, context, given));
  }

  /** Child modules with their paths relative to this one. */
  children(): { readonly path: string; readonly module: Module }[] {
    const found: { path: string; module: Module }[] = [];
    const search = (item: unknown, path: string) => {
      if (item instanceof Module) found.push({ path, module: item });
      else if (Array.isArray(item)) for (const [i, element] of item.entries()) search(element, `${path}.${i}`);
      else if (isPlainObject(item))
        for (const [key, element] of Object.entries(item)) search(element, `${path}.${key}`);
    };
    for (const [name, item] of Object.entries(this)) search(item, name);
    return found;
  }

  /** This module and everything below it, by path (`""` is itself); a shared module stands under its first path. */
  modules(): Map<Module, string> {
    const paths = new Map<Module, string>();
    const visit = (module: Module, path: string) => {
      if (paths.has(module)) return;
      paths.set(module, path);
      for (const child of module.children()) visit(child.module, path === "" ? child.path : `${path}.${child.path}`);
    };
    visit(this, "");
    return paths;
  }

  /** Every parameter and buffer by path. Empty before the first trace. */
  parameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>();
    for (const [module, path] of this.modules())
      for (const [name, parameter] of module.own) found.set(path === "" ? name : `${path}.${name}`, parameter);
    return found;
  }

  /** Traces the model on its input types, which creates parameters that do not exist yet. Allocates no weights. */
  trace(type: TensorType, { extra: types = {}, ...options }: TraceOptions = {}): Trace {
    const x = input(type.dtype, type.shape, "x");
    const extra = Object.fromEntries(
      Object.entries(types).map(([name, { dtype, shape }]) => [name, input(dtype, shape, name)]),
    );
    const context = new Context(this, options);
    return { x, extra, y: this.apply(x, context, extra as E), context };
  }

  /** Gives every parameter without a value its initial one, derived from the key and the parameter's path. */
  initialize(key: Key): void {
    for (const [path, parameter] of this.parameters()) {
      if (parameter.value) continue;
      const data = parameter.initializer(parameter.shape, new Random(foldIn(key, path)));
      parameter.value = new Tensor("float32", parameter.shape, data);
    }
  }

  /**
   * Stops training of the parameters whose path matches (default: all); returns how many. Throws OptionError when a
   * pattern matches none.
   */
  freeze(pattern?: string | RegExp): number {
    return this.#setTrainable(pattern, false);
  }

  /** Trains the parameters whose path matches (default: all) again. */
  unfreeze(pattern?: string | RegExp): number {
    return this.#setTrainable(pattern, true);
  }

  #setTrainable(pattern: string | RegExp | undefined, trainable: boolean): number {
    let count = 0;
    const parameters = this.parameters();
    for (const [path, parameter] of parameters) {
      if (parameter.isBuffer || !matchesPath(path, pattern)) continue;
      parameter.trainable = trainable;
      count++;
    }
    if (count === 0 && pattern !== undefined) {
      if (parameters.size === 0)
        throw new OptionError(`no parameter matches "${pattern}": the model has none yet; trace it first`);
      throw unknownName("parameter", String(pattern), parameters.keys());
    }
    return count;
  }
}

/** Whether a path matches: a string matches itself, everything below it, and `*` any run of characters. */
export function matchesPath(path: string, pattern: string | RegExp | undefined): boolean {
  if (pattern === undefined) return true;
  // Not `test`, which goes on from its last match when the expression is global.
  if (pattern instanceof RegExp) return path.search(pattern) >= 0;
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${source}(\\..*)?$`).test(path);
}
