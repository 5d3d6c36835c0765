/** The context of one traced call of a model: which values stand for its parameters, and what the call leaves behind. */
import { atPlace, OptionError, ShapeError } from "../core/errors.ts";
import { type Shape, sameShape, showShape } from "../core/shape.ts";
import { input, type Scope, type Value } from "../graph/ir.ts";
import { assignScope } from "../graph/rewrite.ts";
import { stopGradient } from "../ops/elementwise.ts";
import { range } from "../ops/known.ts";
import { deriveKey } from "../ops/random.ts";
import type { Decoding } from "./decoding.ts";
import type { LayerKind, Module } from "./module.ts";
import { Parameter, type ParameterSpec } from "./parameter.ts";

export interface ContextOptions {
  /** Dropout drops and batch normalization uses the batch's moments; default false. */
  readonly training?: boolean;
  /** Randomness of this call, a key value (see keyTensor); needed by dropout while training. */
  readonly key?: Value;
  /** The value that stands for a parameter; default: a new graph input. */
  readonly bind?: (parameter: Parameter, path: string) => Value;
  /** The call is a step of decoding, which goes on where earlier ones ended; default: sequences are whole. */
  readonly decoding?: Decoding;
}

/** One module's run, in the order in which they ended. */
export interface LayerRecord {
  readonly module: Module;
  readonly path: string;
  readonly kind: LayerKind;
  readonly input: Value;
  readonly output: Value;
  /** Carried by the nodes that the run made itself, not by those of its children. */
  readonly scope: Scope;
}

export class Context {
  readonly training: boolean;
  readonly decoding: Decoding | undefined;
  /** What ran. */
  readonly records: LayerRecord[] = [];
  /** Regularization penalties, scalars to add to the loss. */
  readonly penalties: Value[] = [];
  /** Values of the parameters that the call used, in the order of first use. */
  readonly values = new Map<Parameter, Value>();
  /** New values of buffers. */
  readonly updates = new Map<Parameter, Value>();
  readonly #paths: ReadonlyMap<Module, string>;
  readonly #options: ContextOptions;
  readonly #placed = new WeakSet<object>();
  #sites = 0;
  /** Of the modules under way, outermost first. */
  readonly #running: Scope[] = [];
  #detached = 0;

  constructor(root: Module, options: ContextOptions = {}) {
    this.training = options.training ?? false;
    this.decoding = options.decoding;
    this.#paths = root.modules();
    this.#options = options;
  }

  pathOf(module: Module): string {
    const path = this.#paths.get(module);
    if (path === undefined)
      throw new OptionError(
        `a ${module.constructor.name} was called that is not a property of the model; assign it to one, so that its parameters have a path`,
      );
    return path;
  }

  /** Runs a module's computation: errors name the layer, nodes carry its path, the result is recorded. */
  run(module: Module, inputs: readonly [Value, ...(Value | undefined)[]], compute: () => Value): Value {
    const path = this.pathOf(module);
    // What the calling module computed for this one is the caller's.
    assignScope(inputs, this.#running.at(-1));
    const scope = { path: path || "model" };
    this.#running.push(scope);
    try {
      const output = compute();
      assignScope([output, ...this.penalties, ...this.updates.values()], scope);
      this.records.push({ module, path, kind: module.kind, input: inputs[0], output, scope });
      return output;
    } catch (error) {
      // The innermost module is named; those around it, and the model itself, are not.
      const known = this.#placed.has(error as object) || (path === "" && module.kind === "container");
      this.#placed.add(error as object);
      throw known ? error : atPlace(this.describe(module), error);
    } finally {
      this.#running.pop();
    }
  }

  /** Computes with parameters that get no gradient from it: a judge that does not learn from what it judges. */
  detached<T>(compute: () => T): T {
    this.#detached++;
    try {
      return compute();
    } finally {
      this.#detached--;
    }
  }

  /** `conv2d "layers.0"`, as messages name a layer. */
  describe(module: Module): string {
    const type = module.constructor.name;
    return `${type.charAt(0).toLowerCase()}${type.slice(1)} "${module.label ?? this.pathOf(module)}"`;
  }

  /** The value of a parameter, which is created when the module has none of that name yet. */
  parameter(module: Module, name: string, spec: ParameterSpec): Value {
    return this.#use(module, name, spec, false);
  }

  /** As `parameter`, for a tensor that the forward pass itself updates (see `update`). */
  buffer(module: Module, name: string, spec: ParameterSpec): Value {
    return this.#use(module, name, spec, true);
  }

  /** Sets what a buffer becomes after this call. */
  update(module: Module, name: string, value: Value): void {
    const buffer = module.own.get(name);
    if (!buffer?.isBuffer) throw new OptionError(`${this.describe(module)} has no buffer "${name}"`);
    this.updates.set(buffer, value);
  }

  /** Positions of `length` tokens, int64 [length]: from 0, or from where decoding has come to. */
  positions(length: number): Value {
    return this.decoding?.positions(length) ?? range(length);
  }

  /** A key for one random site: differs from every other site of the call. */
  randomKey(): Value {
    if (!this.#options.key)
      throw new OptionError("training with dropout needs randomness; pass a key: { training: true, key }");
    return deriveKey(this.#options.key, this.#sites++);
  }

  #use(module: Module, name: string, spec: ParameterSpec, isBuffer: boolean): Value {
    let parameter = module.own.get(name);
    if (!parameter) {
      parameter = new Parameter(name, spec, isBuffer);
      module.own.set(name, parameter);
    } else requireShape(name, parameter.shape, spec.shape);
    const value = this.values.get(parameter) ?? this.#bind(module, name, parameter);
    return this.#detached > 0 ? stopGradient(value) : value;
  }

  /** The value that stands for a parameter from its first use on. */
  #bind(module: Module, name: string, parameter: Parameter): Value {
    const path = [this.pathOf(module), name].filter(Boolean).join(".");
    const value = this.#options.bind?.(parameter, path) ?? input(parameter.dtype, parameter.shape, path);
    this.values.set(parameter, value);
    if (parameter.regularizer && parameter.trainable) this.penalties.push(parameter.regularizer(value));
    return value;
  }
}

function requireShape(name: string, has: Shape, needs: Shape): void {
  if (!sameShape(has, needs))
    throw new ShapeError(
      `its ${name} is ${showShape(has)}, this input needs ${showShape(needs)}; feed inputs of the shape that the layer was built for`,
    );
}
