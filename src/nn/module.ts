/** Modules: the building blocks of models, which own parameters and compute outputs from inputs. */
import { OptionError, unknownName } from "../core/errors.ts";
import { matchesPath } from "../core/path-pattern.ts";
import { foldIn, type Key, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { isPlainObject, mapTree } from "../core/tree.ts";
import { input, Value } from "../graph/ir.ts";
import type { OpKind } from "../graph/op.ts";
import type { Adaptation } from "./adaptation.ts";
import { Context, type ContextOptions } from "./context.ts";
import { type Given, type InputForm, inputsFor, mapTypes, type TypeTree, valuesOf } from "./inputs.ts";
import { Parameter, type ParameterSpec, type Regularizer } from "./parameter.ts";

/** Kinds of computing layer, as reports group them. */
export type LayerKind = "container" | "regularization" | Exclude<OpKind, "constant">;

/** A module whatever it takes and gives. */
export type AnyModule = Module<never, unknown>;

/** A module that can be applied to one tensor and gives one, whatever it may take beside it. */
export type TensorModule = AnyModule & { apply(x: Value, context: Context): Value };

/** A traced call of a model: its graph inputs, what it gives, and what the call left behind. */
export interface Trace<O = Value> {
  /** The graph inputs, one for each type, depth first. */
  readonly inputs: readonly Value[];
  /** What the model gives, nested as it gives it. */
  readonly output: O;
  /** What the call left behind: parameters, penalties, new buffers, layers that ran. */
  readonly context: Context;
}

/** A call of `freeze` or `unfreeze`, which holds for parameters that come into being later too. */
interface FreezeRule {
  readonly pattern: string | RegExp | undefined;
  readonly frozen: boolean;
  /** Parameters and buffers that matched. */
  matches: number;
}

/**
 * A layer or model. A subclass creates its children as properties (also in arrays and objects) and computes in `call`;
 * a child is run by `child.apply(x, context)`. The path of a parameter is the way to it: `layers.0.weight`. A module takes
 * one tensor and gives one unless its types and `inputs` say otherwise: inputs and outputs are pytrees of graph values.
 * @example
 * class Block extends Module {
 *   first = dense(64, { activation: "relu" });
 *   second = dense(64);
 *   call(x: Value, context: Context) {
 *     return add(x, this.second.apply(this.first.apply(x, context), context));
 *   }
 * }
 */
export abstract class Module<I = Value, O = Value> {
  /** Under which reports group it. */
  readonly kind: LayerKind = "container";
  /** How it takes its inputs; default one tensor. */
  readonly inputs: InputForm = "tensor";
  /** Own name for messages; the path stands in for it. */
  readonly label: string | undefined = undefined;
  /** A penalty on its own weights, those of two axes or more, that training adds to the loss; see `regularized`. */
  regularizer: Regularizer | undefined = undefined;
  /** What changes its outputs from outside, such as an adapter; they apply in turn. */
  readonly adaptations: Adaptation[] = [];
  /** Parameters and buffers of this module itself, by name, in the order of first use. */
  readonly own = new Map<string, Parameter>();
  /** What was asked of this module's parameters before they came into being, each with the path of this module below the one asked. */
  readonly #rules: { readonly rule: FreezeRule; readonly path: string }[] = [];
  /** What was asked of this module, and has to match something. */
  readonly #asked: FreezeRule[] = [];
  #inputTypes: TypeTree | undefined;

  /** Computes the outputs; tensors have the batch as their first axis. */
  protected abstract call(inputs: I, context: Context): O;

  /** How many parameters the layer has and why, in numbers: `3·3·32·64 + 64`. */
  formula(): string {
    return [...this.own.values()]
      .filter(({ isBuffer }) => !isBuffer)
      .map(({ shape }) => shape.join("·") || "1")
      .join(" + ");
  }

  /** Types of the inputs that it was last applied to; `undefined` before the first time. */
  get inputTypes(): TypeTree | undefined {
    return this.#inputTypes;
  }

  /** Runs the module inside a trace; errors name it. */
  apply(inputs: Given<I>, context: Context): O {
    const output = context.run(this, inputs, () => this.call(inputsFor(this.inputs, inputs) as I, context));
    this.#inputTypes = typesOf(inputsFor(this.inputs, inputs));
    return output;
  }

  /** Child modules with their paths relative to this one. */
  children(): { readonly path: string; readonly module: AnyModule }[] {
    const found: { path: string; module: AnyModule }[] = [];
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
  modules(): Map<AnyModule, string> {
    const paths = new Map<AnyModule, string>();
    const visit = (module: AnyModule, path: string) => {
      if (paths.has(module)) return;
      paths.set(module, path);
      for (const child of module.children()) visit(child.module, joined(path, child.path));
    };
    visit(this, "");
    return paths;
  }

  /** Every parameter and buffer by path. Empty before the first trace. */
  parameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>();
    for (const [module, path] of this.modules())
      for (const [name, parameter] of module.own) found.set(joined(path, name), parameter);
    return found;
  }

  /**
   * Traces the model on the types of its inputs, which creates parameters that do not exist yet. Allocates no weights.
   * @example const { inputs: [x], output } = model.trace({ dtype: "float32", shape: [1, 3, 224, 224] });
   */
  trace(types: TypeTree, options: ContextOptions = {}): Trace<O> {
    const inputs = inputsOfTypes(types) as Given<I>;
    const context = new Context(this, options);
    const output = this.apply(inputs, context);
    this.requireMatched();
    return { inputs: valuesOf(inputs), output, context };
  }

  /**
   * Gives every parameter without a value its initial one, derived from the key and the parameter's path. Parameters come into being
   * with the first trace: pass the types of the inputs to make it now.
   */
  initialize(key: Key, types?: TypeTree): void {
    if (types !== undefined) this.trace(types);
    for (const [path, parameter] of this.parameters()) {
      if (parameter.value) continue;
      const data = parameter.initializer(parameter.shape, new Random(foldIn(key, path)));
      parameter.value = new Tensor("float32", parameter.shape, data);
    }
  }

  /**
   * Stops training of the parameters and buffers whose path matches (default: all), also of those that come into being
   * with the first trace; normalization layers then normalize by their running statistics, which stay. Returns how many
   * parameters there are of them now, buffers not counted. Throws OptionError when a pattern matches none.
   * @example
   * model.freeze(); // everything …
   * model.unfreeze("head"); // … but the head
   */
  freeze(pattern?: string | RegExp): number {
    return this.#setFrozen(pattern, true);
  }

  /**
   * Trains the parameters whose path matches (default: all) again, also those that come into being with the first
   * trace. Returns how many of them there are now, buffers not counted. Throws OptionError when a pattern matches none.
   */
  unfreeze(pattern?: string | RegExp): number {
    return this.#setFrozen(pattern, false);
  }

  #setFrozen(pattern: string | RegExp | undefined, frozen: boolean): number {
    const rule: FreezeRule = { pattern, frozen, matches: 0 };
    let count = 0;
    for (const [module, path] of this.modules()) {
      module.#rules.push({ rule, path });
      for (const [name, parameter] of module.own)
        if (follow(rule, parameter, joined(path, name)) && !parameter.isBuffer) count++;
    }
    this.#asked.push(rule);
    if (this.#isWhole()) this.requireMatched();
    return count;
  }

  /** Whether all parameters are there: of a new head on a pretrained model those of the head are not before the first trace. */
  #isWhole(): boolean {
    const children = this.children();
    if (this.#inputTypes !== undefined) return true;
    return children.length > 0 ? children.every(({ module }) => module.#isWhole()) : this.own.size > 0;
  }

  /** Throws OptionError for a pattern of `freeze` or `unfreeze` that matches nothing of what came into being. */
  requireMatched(): void {
    for (const module of this.modules().keys()) {
      const missed = module.#asked.find(({ pattern, matches }) => pattern !== undefined && matches === 0);
      if (missed) {
        module.#asked.splice(module.#asked.indexOf(missed), 1);
        throw unknownName("parameter", String(missed.pattern), module.parameters().keys());
      }
    }
  }

  /** The parameter or buffer of a name, made now and frozen as was asked before. */
  declare(name: string, spec: ParameterSpec, isBuffer: boolean): Parameter {
    if (this.own.has(name)) throw new OptionError(`it has a parameter "${name}" already; name each once`);
    const parameter = new Parameter(name, spec, isBuffer);
    this.own.set(name, parameter);
    for (const { rule, path } of this.#rules) follow(rule, parameter, joined(path, name));
    return parameter;
  }
}

/** Applies a rule to a parameter where its path matches; returns whether it does. */
function follow(rule: FreezeRule, parameter: Parameter, path: string): boolean {
  if (!matchesPath(path, rule.pattern)) return false;
  parameter.frozen = rule.frozen;
  rule.matches++;
  return true;
}

const joined = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

/** The types of graph values, nested alike. */
const typesOf = (inputs: unknown): TypeTree =>
  mapTree(inputs, (leaf) => (leaf instanceof Value ? { dtype: leaf.dtype, shape: leaf.shape } : undefined)) as TypeTree;

/** Graph inputs of types, named by their place; a tensor alone is `x`. */
function inputsOfTypes(types: TypeTree): unknown {
  return mapTypes(types, ({ dtype, shape }, path) => input(dtype, shape, path || "x"));
}
