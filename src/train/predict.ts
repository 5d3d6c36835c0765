/** Asking a model for outputs. */

import type { DType } from "../core/dtype.ts";
import { OptionError, unknownName } from "../core/errors.ts";
import { flag } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import { type Shape, sameShape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { leavesOf, type MapTree, mapTree } from "../core/tree.ts";
import { Value } from "../graph/ir.ts";
import { type CompileOptions, checkCompile, compile, compileTypes } from "../jit/compile.ts";
import { type Compiled, SessionCache, type SessionLimits, sessionTypes } from "../jit/session-cache.ts";
import type { Context } from "../nn/context.ts";
import type { Given, TypeTree } from "../nn/inputs.ts";
import type { AnyModule, Module } from "../nn/module.ts";
import { builtIn, ParameterInputs } from "../nn/parameter-inputs.ts";
import { Structure } from "../nn/structure.ts";

/** Host tensors nested as the inputs of a module are. */
export type HostInputs<I> = MapTree<Given<I>, Value, Tensor>;
/** Host tensors nested as its outputs are. */
export type HostOutputs<O> = MapTree<O, Value, Tensor>;

/** Options of `predictor`. */
export interface PredictorOptions extends SessionLimits {
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions | undefined;
  /**
   * Build the model in as it is when inputs of a type are first seen, which lets the engine prepare its parameters once, and saves a
   * look at the model at each call; default false: parameters are read at each call, and layers that were replaced count.
   */
  readonly snapshot?: boolean;
}

/** A function from a model's inputs to its outputs, on the host. */
export interface Predictor<I = Value, O = Value> {
  /** Throws OptionError for inputs that the model does not take or lacks, and what tracing and compiling throw. */
  (inputs: HostInputs<I>): Promise<HostOutputs<O>>;
  /** Lets go of compiled graphs; what is needed again is compiled anew. */
  release(): Promise<void>;
}

/** A graph for inputs of one type. */
interface Asked<R> extends Compiled {
  run(tensors: readonly Tensor[]): Promise<R>;
}

/** Compiles for a type of inputs. */
type Build<R> = (types: TypeTree) => Promise<Asked<R>>;

/** A tensor with its path among the inputs. */
interface Named {
  readonly path: string;
  readonly tensor: Tensor;
}

/** The tensors of a tree with their paths. Throws OptionError for what is no tensor. */
function tensorsOf(inputs: unknown): readonly Named[] {
  const found: Named[] = [];
  mapTree(inputs, (leaf, path) => {
    if (leaf instanceof Tensor) found.push({ path, tensor: leaf });
    else if (leaf !== undefined) {
      const what = path === "" ? "the input" : `the input "${path}"`;
      throw new OptionError(`${what} is a ${typeof leaf}; pass a tensor: tensor([[1, 2]])`);
    }
  });
  return found;
}

/** The type of an input. */
interface NamedType {
  readonly path: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Whether inputs are of these types. */
const areOf = (named: readonly Named[], types: readonly NamedType[]): boolean =>
  named.length === types.length &&
  named.every(({ path, tensor }, i) => {
    const type = types[i] as NamedType;
    return path === type.path && tensor.dtype === type.dtype && sameShape(tensor.shape, type.shape);
  });

/** Graphs of a model by the type of inputs, compiled when they are first asked for. */
class Sessions<R> {
  readonly #model: AnyModule;
  readonly #build: Build<R>;
  readonly #cache: SessionCache<Asked<R>>;
  /** Whether what is replaced in the model counts from then on. */
  readonly #follows: boolean;
  /** Of the model as it was compiled. */
  #structure: Structure | undefined;

  /** The types of the inputs that came last, and their signature: types are sooner compared than a text is written. */
  #types: readonly NamedType[] = [];
  #signature = "";

  constructor(model: AnyModule, build: Build<R>, { snapshot = false, ...limits }: PredictorOptions) {
    this.#model = model;
    this.#build = build;
    this.#cache = new SessionCache(limits);
    this.#follows = !snapshot;
  }

  async run(inputs: unknown): Promise<R> {
    if (this.#follows && !this.#structure?.isCurrent()) {
      this.#structure = new Structure(this.#model);
      await this.#cache.release();
    }
    const named = tensorsOf(inputs);
    if (!areOf(named, this.#types)) {
      this.#types = named.map(({ path, tensor: { dtype, shape } }) => ({ path, dtype, shape }));
      this.#signature = this.#types.map(({ path, dtype, shape }) => `${path}:${dtype}[${shape}]`).join();
    }
    return this.#cache.use(
      this.#signature,
      () => this.#build(inputs as TypeTree),
      ({ run }) => run(named.map(({ tensor }) => tensor)),
    );
  }

  release(): Promise<void> {
    return this.#cache.release();
  }
}

/**
 * Compiles a model's outputs for inputs of one type.
 * @param select the values that are wanted of a trace
 */
async function compileModel(
  model: AnyModule,
  types: TypeTree,
  { compile: options, snapshot = false }: PredictorOptions,
  select: (trace: ReturnType<AnyModule["trace"]>) => unknown,
): Promise<Asked<unknown>> {
  const parameters = new ParameterInputs();
  const traced = model.trace(types, { bind: snapshot ? builtIn : parameters.bind });
  const tree = select(traced);
  const outputs = leavesOf(tree).flatMap(({ leaf }) => (leaf instanceof Value ? [leaf] : []));
  const executable = await compile([...traced.inputs, ...parameters.values], outputs, options);
  return {
    executables: [executable],
    async run(tensors) {
      const results = await executable.run([...tensors, ...parameters.tensors()]);
      let next = 0;
      return mapTree(tree, (leaf) => (leaf instanceof Value ? results[next++] : leaf));
    },
  };
}

const checkPredictor = optionsOf<PredictorOptions>("predictor", {
  compile: checkCompile.type,
  snapshot: flag,
  ...sessionTypes,
});
const checkPredict = optionsOf("predict", compileTypes);
const checkActivations = optionsOf("activations", compileTypes);

/**
 * A function from named inputs, or one tensor, to a model's outputs, compiled once for each type of inputs. Parameters are read at
 * each call, and a model whose layers were replaced is compiled anew, unless a snapshot is asked for: that is the fastest.
 * @example
 * const ask = predictor(model);
 * const logits = await ask({ x: ids, mask });
 * await ask.release();
 */
export function predictor<I, O>(model: Module<I, O>, options: PredictorOptions = {}): Predictor<I, O> {
  checkPredictor(options);
  const build: Build<unknown> = (types) => compileModel(model, types, options, ({ output }) => output);
  const sessions = new Sessions(model, build, options);
  return Object.assign((inputs: HostInputs<I>) => sessions.run(inputs) as Promise<HostOutputs<O>>, {
    release: () => sessions.release(),
  });
}

/** What was made for a model, by a key; it goes with its model. */
class KeptByModel<T> {
  readonly #kept = new WeakMap<AnyModule, Map<string, T>>();

  get(model: AnyModule, key: unknown, make: () => T): T {
    const own = this.#kept.get(model) ?? new Map<string, T>();
    this.#kept.set(model, own);
    const name = JSON.stringify(key);
    const known = own.get(name) ?? make();
    own.set(name, known);
    return known;
  }
}

/** Predictors of `predict`, by their options. */
const predictors = new KeptByModel<Predictor<never, unknown>>();
/** Predictors of `activations`, by paths and options. */
const observers = new KeptByModel<Predictor<never, Readonly<Record<string, Value>>>>();

/**
 * The model's outputs for inputs of a batch, compiled once for each type of inputs. Throws OptionError for inputs that the model
 * does not take, and for options that there are not.
 * @example const scores = await predict(model, { image, table });
 */
export function predict<I, O>(
  model: Module<I, O>,
  inputs: HostInputs<I>,
  options: CompileOptions = {},
): Promise<HostOutputs<O>> {
  checkPredict(options);
  const known = predictors.get(
    model,
    options,
    () => predictor(model, { compile: options }) as Predictor<never, unknown>,
  );
  return known(inputs as never) as Promise<HostOutputs<O>>;
}

/**
 * A function from inputs to what layers give, by the paths of the layers, compiled once for each type of inputs. Several runs and
 * outputs of a layer are named as by `activations`. Throws OptionError, with the nearest path, when it is asked.
 */
export function layerPredictor<I, O>(
  model: Module<I, O>,
  paths: readonly string[],
  options: CompileOptions = {},
): Predictor<I, Readonly<Record<string, Value>>> {
  const build: Build<unknown> = (types) =>
    compileModel(model, types, { compile: options }, ({ context }) => outputsOfLayers(context, paths));
  const sessions = new Sessions(model, build, {});
  const ask = (inputs: HostInputs<I>) => sessions.run(inputs) as Promise<Readonly<Record<string, Tensor>>>;
  return Object.assign(ask, { release: () => sessions.release() });
}

/**
 * What layers give for inputs of a batch, by the paths of the layers, compiled once for each type of inputs. A layer that runs several
 * times is also under `path#2` and so on; of several outputs, the i-th (depth first) is under `path.i`. Throws OptionError, with the
 * nearest path.
 * @example const { "layers.0": edges } = await activations(model, images, ["layers.0"]);
 */
export async function activations<I, O>(
  model: Module<I, O>,
  inputs: HostInputs<I>,
  paths: readonly string[],
  options: CompileOptions = {},
): Promise<Readonly<Record<string, Tensor>>> {
  checkActivations(options);
  const ask = observers.get(model, [paths, options], () => layerPredictor(model as Module<never>, paths, options));
  return ask(inputs as never);
}

/** What the layers of some paths gave in a trace, by name. */
function outputsOfLayers({ records }: Context, paths: readonly string[]): Readonly<Record<string, Value>> {
  const found = new Map<string, readonly Value[]>();
  for (const { path, outputs } of records) {
    let name = path;
    for (let count = 2; found.has(name); count++) name = `${path}#${count}`;
    found.set(name, outputs);
  }
  const wanted = paths.flatMap((path) => {
    const names = [...found.keys()].filter((name) => name === path || name.startsWith(`${path}#`));
    if (names.length === 0) throw unknownName("layer", path, [...found.keys()].filter(Boolean));
    return names;
  });
  const named = wanted.flatMap((name) => {
    const outputs = found.get(name) ?? [];
    return outputs.map((value, i) => [outputs.length === 1 ? name : `${name}.${i}`, value] as const);
  });
  return Object.fromEntries(named);
}
