/** The context of one traced call of a model: which values stand for its parameters, and what the call leaves behind. */

import { atPlace, OptionError, ShapeError } from "../core/errors.ts";
import { flag, functionOf, objectOf } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import { type Shape, sameShape, showShape, size } from "../core/shape.ts";
import { mapTree } from "../core/tree.ts";
import { input, type Scope, Value, valueType } from "../graph/ir.ts";
import { assignScope } from "../graph/rewrite.ts";
import { cast } from "../ops/cast.ts";
import { add, div, mul, stopGradient, sub } from "../ops/elementwise.ts";
import { concat, expand } from "../ops/movement.ts";
import { advanceKey, deriveKey, divideKey } from "../ops/random.ts";
import { range } from "../ops/static-values.ts";
import { sumOverRanks } from "../ops/training/ranks.ts";
import { AdaptedRun, type AttendedFirst, type AttentionSizes, type RunStart } from "./adaptation.ts";
import type { Decoding } from "./decoding.ts";
import { valuesOf } from "./inputs.ts";
import type { AnyModule, LayerKind } from "./module.ts";
import type { Parameter, ParameterSpec } from "./parameter.ts";

/** Options of a traced call, of `Module.trace` and `Context`. */
export interface ContextOptions {
  /** Dropout drops and batch normalization uses the batch's moments; default false. */
  readonly training?: boolean;
  /** Randomness of this call, a key value (see keyTensor); needed by dropout while training. */
  readonly key?: Value;
  /** The samples of the call are a part of a batch; default: they are all. */
  readonly part?: BatchPart | undefined;
  /** The value that stands for a parameter; default: a new graph input. */
  readonly bind?: (parameter: Parameter, path: string) => Value;
  /** The call is a step of decoding, which goes on where earlier ones ended; default: sequences are whole. */
  readonly decoding?: Decoding;
}

/** A part of a batch, whose random draws are those that the whole makes for its samples. */
export interface BatchPart {
  /** The place of its first sample in the batch, uint32 []. */
  readonly first: Value;
  /** How many samples it has. */
  readonly samples: number;
  /** Its share of the batch's samples, float64 []; where moments of the batch are taken over all parts. */
  readonly share?: Value | undefined;
}

const checkOptions = optionsOf<ContextOptions>("context", {
  training: flag,
  key: valueType,
  part: objectOf("the part of a batch: { first, samples }"),
  bind: functionOf("(parameter, path) => value"),
  decoding: objectOf("a Decoding"),
});

/** One module's run, in the order in which they ended. */
export interface LayerRecord {
  /** What ran. */
  readonly module: AnyModule;
  /** Its path in the model. */
  readonly path: string;
  /** The kind of layer that it is. */
  readonly kind: LayerKind;
  /** What the run was given, depth first. */
  readonly inputs: readonly Value[];
  /** What the run gave, depth first. */
  readonly outputs: readonly Value[];
  /** Carried by the nodes that the run made itself, not by those of its children. */
  readonly scope: Scope;
}

/**
 * What one traced call of a model knows and leaves behind: which graph values stand for parameters, whether it is
 * training, where randomness comes from. Layers receive it in `call` and pass it on to their children.
 * @example
 * protected call(x: Value, context: Context): Value {
 *   const w = context.parameter(this, "weight", { shape: [x.shape[1] ?? 1], initializer: onesInit });
 *   return ops.mul(x, w);
 * }
 */
export class Context {
  readonly decoding: Decoding | undefined;
  /** The position of the first token of a sequence: 0, or what adapters of the model make it. */
  readonly firstPosition: number;
  /** What ran. */
  readonly records: LayerRecord[] = [];
  /** Regularization penalties, scalars to add to the loss. */
  readonly penalties: Value[] = [];
  /** Values of the parameters that the call used, in the order of first use. */
  readonly values = new Map<Parameter, Value>();
  /** The modules whose attention ran. */
  readonly attentions = new Map<AnyModule, AttentionSizes>();
  /** New values of buffers. */
  readonly updates = new Map<Parameter, Value>();
  readonly #paths: Map<AnyModule, string>;
  readonly #options: ContextOptions;
  readonly #placed = new WeakSet<object>();
  #sites = 0;
  /** The modules under way, outermost first. */
  readonly #running: { readonly module: AnyModule; readonly scope: Scope }[] = [];
  #segments: Value | undefined;
  #evaluating = 0;
  #detached = 0;
  #frozen = 0;

  constructor(root: AnyModule, options: ContextOptions = {}) {
    this.decoding = checkOptions(options).decoding;
    this.#paths = root.modules();
    this.#options = options;
    const adaptations = Array.from(this.#paths.keys(), (module) => module.adaptations).flat();
    this.firstPosition = adaptations.reduce((most, { firstPosition = 0 }) => Math.max(most, firstPosition), 0);
  }

  /** Whether dropout drops and batch normalization uses the batch's moments. */
  get training(): boolean {
    return (this.#options.training ?? false) && this.#evaluating === 0;
  }

  /** Computes as in evaluation: without dropout, normalized by running statistics. */
  evaluating<T>(compute: () => T): T {
    this.#evaluating++;
    try {
      return compute();
    } finally {
      this.#evaluating--;
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

  /**
   * Computes in evaluation with parameters that get no gradient. The modules need not be part of the model: a teacher, a
   * target network, whose parameters are read as they are at each step.
   * @example const soft = context.frozen(() => teacher.apply(x, context));
   */
  frozen<T>(compute: () => T): T {
    this.#frozen++;
    try {
      return this.detached(() => this.evaluating(compute));
    } finally {
      this.#frozen--;
    }
  }

  /**
   * The path of a module within the model, `layers.0`; `""` is the model itself. Throws OptionError for a module that
   * is not part of the model, unless it is called in `frozen`.
   */
  pathOf(module: AnyModule): string {
    const path = this.#paths.get(module);
    if (path !== undefined) return path;
    if (this.#frozen === 0)
      throw new OptionError(
        `a ${module.constructor.name} was called that is not a property of the model; assign it to one, so that its parameters have a path, or call it in context.frozen(() => …) if it is not to be trained`,
      );
    // The root of a tree beside the model.
    const root = `frozen.${module.constructor.name}`;
    for (const [inner, own] of module.modules()) this.#paths.set(inner, own === "" ? root : `${root}.${own}`);
    return root;
  }

  /** Runs a module's computation: errors name the layer, nodes carry its path, the result is recorded. */
  run<T>(module: AnyModule, inputs: unknown, compute: () => T): T {
    const path = this.pathOf(module);
    // What the calling module computed for this one is the caller's.
    assignScope(valuesOf(inputs), this.#running.at(-1)?.scope);
    const scope = { path: path || "model" };
    this.#running.push({ module, scope });
    try {
      const start = { records: this.records.length, memories: this.decoding?.memories.length ?? 0 };
      const own = compute();
      const given = valuesOf(inputs);
      assignScope([...valuesOf(own), ...this.penalties, ...this.updates.values()], scope);
      const output = this.#adapted({ module, context: this, inputs: given }, own, scope, start);
      const outputs = valuesOf(output);
      this.records.push({ module, path, kind: module.kind, inputs: given, outputs, scope });
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

  /** What a run gives with the adaptations of its module. */
  #adapted<T>(run: ConstructorParameters<typeof AdaptedRun>[0], output: T, scope: Scope, start: RunStart): T {
    const { adaptations } = run.module;
    if (adaptations.length === 0) return output;
    const adapted = new AdaptedRun(run, scope, start);
    const values = [
      ...adaptations.reduce((outputs, own) => own.apply?.(outputs, adapted) ?? outputs, valuesOf(output)),
    ];
    assignScope([...values, ...this.updates.values()], scope);
    return mapTree(output, (leaf) => (leaf instanceof Value ? values.shift() : leaf)) as T;
  }

  /** `conv2d "layers.0"`, as messages name a layer. */
  describe(module: AnyModule): string {
    const type = module.constructor.name;
    return `${type.charAt(0).toLowerCase()}${type.slice(1)} "${module.label ?? this.pathOf(module)}"`;
  }

  /** The value of a parameter, which is created when the module has none of that name yet. */
  parameter(module: AnyModule, name: string, spec: ParameterSpec): Value {
    return this.#use(module, name, spec, false);
  }

  /** As `parameter`, for a tensor that the forward pass itself updates (see `update`). */
  buffer(module: AnyModule, name: string, spec: ParameterSpec): Value {
    return this.#use(module, name, spec, true);
  }

  /** Sets what a buffer becomes after this call; a frozen one stays. */
  update(module: AnyModule, name: string, value: Value): void {
    const buffer = module.own.get(name);
    if (!buffer?.isBuffer) throw new OptionError(`${this.describe(module)} has no buffer "${name}"`);
    if (!buffer.frozen) this.updates.set(buffer, value);
  }

  /** Positions of `length` tokens, int64 [length], or [N, length] of rows of their own: from the first, or from where decoding has come to. */
  positions(length: number): Value {
    const own = this.decoding?.positions(length) ?? range(length);
    return this.firstPosition === 0 ? own : add(own, this.firstPosition);
  }

  /** The sample of its row that each token is of, integers [N, T], where rows hold several; see withSegments. */
  get segments(): Value | undefined {
    return this.#segments;
  }

  /** Computes with rows of several samples, which attention keeps apart. */
  withinSegments<T>(segments: Value, compute: () => T): T {
    const outer = this.#segments;
    this.#segments = segments;
    try {
      return compute();
    } finally {
      this.#segments = outer;
    }
  }

  /**
   * The keys and values that attention sees before its own, k and v [N, heads, S, width], for every sample alike; `undefined` where
   * nothing adapts the module that attends.
   */
  attendedFirst(k: Value, v: Value, form: Pick<AttentionSizes, "causal" | "biased">): AttendedFirst | undefined {
    const module = this.#running.at(-1)?.module;
    if (!module) return undefined;
    const [batch = 1, heads = 1, , keyWidth = 1] = k.shape;
    this.attentions.set(module, { heads, keyWidth, valueWidth: v.shape[3] ?? 1, ...form });
    const all = module.adaptations.flatMap((own) => own.attendedFirst?.(this) ?? []);
    if (all.length === 0) return undefined;
    const joined = (values: readonly Value[]) => {
      const [first, ...rest] = values as [Value, ...Value[]];
      const one = rest.length === 0 ? first : concat(values, 2);
      return expand(one, [batch, ...one.shape.slice(1)]);
    };
    return { keys: joined(all.map((own) => own.keys)), values: joined(all.map((own) => own.values)) };
  }

  /** The mean over all parts of a batch of what this one has; `undefined` where the call has the whole batch, or takes moments of its part. */
  get meanOverParts(): ((own: Value) => Value) | undefined {
    const { share } = this.#options.part ?? {};
    return share && ((own) => sumOverRanks(mul(own, cast(share, own.dtype))));
  }

  /** The unbiased variance of what a batch is a sample of, from that of its own. @param count elements that were measured here */
  unbiased(variance: Value, count: number): Value {
    const { share } = this.#options.part ?? {};
    if (!share) return mul(variance, count / (count - 1));
    const all = div(count, cast(share, variance.dtype));
    return mul(variance, div(all, sub(all, 1)));
  }

  /**
   * A key for one random site: differs from every other site of the call. With the shape of what is drawn, processes that train together draw
   * for their samples, which the first axis counts, what one process would draw; without it each draws its own.
   */
  randomKey(shape?: Shape): Value {
    if (!this.#options.key)
      throw new OptionError("training with dropout needs randomness; pass a key: { training: true, key }");
    const key = deriveKey(this.#options.key, this.#sites++);
    const { part } = this.#options;
    if (!part) return key;
    if (!shape) return divideKey(key, part.first);
    // What no axis of samples leads is the same for all.
    if ((shape[0] ?? 0) % part.samples !== 0) return key;
    return advanceKey(key, mul(part.first, size(shape) / part.samples));
  }

  #use(module: AnyModule, name: string, spec: ParameterSpec, isBuffer: boolean): Value {
    const parameter = module.own.get(name) ?? module.declare(name, spec, isBuffer);
    requireShape(name, parameter.shape, spec.shape);
    const value = this.values.get(parameter) ?? this.#bind(module, name, parameter);
    return this.#detached > 0 ? stopGradient(value) : value;
  }

  /** The value that stands for a parameter from its first use on. */
  #bind(module: AnyModule, name: string, parameter: Parameter): Value {
    const path = [this.pathOf(module), name].filter(Boolean).join(".");
    const value = this.#options.bind?.(parameter, path) ?? input(parameter.dtype, parameter.shape, path);
    this.values.set(parameter, value);
    const isWeight = parameter.shape.length > 1 && parameter.trainable && this.#frozen === 0;
    if (module.regularizer && isWeight) this.penalties.push(module.regularizer(value));
    return value;
  }
}

function requireShape(name: string, has: Shape, needs: Shape): void {
  if (!sameShape(has, needs))
    throw new ShapeError(
      `its ${name} is ${showShape(has)}, this input needs ${showShape(needs)}; feed inputs of the shape that the layer was built for`,
    );
}
