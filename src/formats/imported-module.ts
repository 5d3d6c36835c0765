/** A graph that was read from a file, as a module: its weights are parameters, and each trace builds it for the shapes of its inputs. */
import { isFloat } from "../core/dtype.ts";
import { DTypeError, InternalError, OptionError, ShapeError, UnsupportedError } from "../core/errors.ts";
import { groupBy } from "../core/group-by.ts";
import type { Shape } from "../core/shape.ts";
import { copyOf, type Tensor } from "../core/tensor.ts";
import { leavesOf, mapTree, type Tree } from "../core/tree.ts";
import { type Node, nodesOf, type Value } from "../graph/ir.ts";
import { rewrite } from "../graph/rewrite.ts";
import type { Declared } from "../import/declared.ts";
import { rebatch, type Sampled } from "../import/rebatch.ts";
import type { UnknownReason } from "../import/unknown.ts";
import { type Context, type InputForm, Module, type TypeTree } from "../nn/index.ts";
import { cast, expand } from "../ops/index.ts";
import { type BatchPlan, planBatch, planOpenBatch } from "./batch-plan.ts";
import { normalizedByBatch } from "./batch-statistics.ts";
import type { NamedTypes } from "./input-types.ts";
import type { NamedValues } from "./loaded-model.ts";

/** A weight of a file with its elements. */
export interface SourceWeight {
  readonly name: string;
  readonly value: Tensor<"float32">;
  /** No optimizer moves it, such as a running statistic. */
  readonly isBuffer: boolean;
}

/** The value that stands for a weight, by the dtype in which the file computes with it. */
export type BindWeight = (name: string, dtype: Value["dtype"]) => Value;

/** What an output of a file is: a tensor, a list of so many, or nothing. */
export type OutputForm = "tensor" | "nothing" | number;

/** A graph as it is built for shapes of its inputs. */
export interface BuiltGraph {
  /** Graph inputs, in the order of the file, those of a list one after the other. */
  readonly inputs: readonly Value[];
  /** The tensors of all outputs. */
  readonly outputs: readonly Value[];
  /** What each output of the file is; default all tensors. */
  readonly forms?: readonly OutputForm[];
  /** Nodes that are named only. */
  readonly unknown: ReadonlyMap<Node, UnknownReason>;
}

export interface BuildOptions {
  /** Both branches of every choice are computed, so that all nodes can be seen; default false: one of them runs. */
  readonly bothBranches?: boolean;
}

/** A file that holds a graph, whatever its format. */
export interface GraphSource {
  readonly inputs: readonly Declared[];
  readonly outputs: readonly string[];
  readonly weights: readonly SourceWeight[];
  /** Text that the file's writer noted in it. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Builds the graph for the shapes of each input: one of a tensor, those of its elements of a list, none of what is left out. Throws
   * ShapeError for shapes that do not fit.
   */
  build(shapes: readonly (readonly Shape[] | undefined)[], bind: BindWeight, options?: BuildOptions): BuiltGraph;
}

/** How a module takes and gives the tensors of a file: trees of their names. */
export interface Nesting {
  readonly form: InputForm;
  readonly inputs: Tree<string>;
  readonly outputs: Tree<string | null>;
}

/** Inputs by name; one output alone, several by name. */
export function plainNesting({ inputs, outputs }: Pick<GraphSource, "inputs" | "outputs">): Nesting {
  const [first = "", ...others] = outputs;
  const byName = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));
  return {
    form: Object.fromEntries(inputs.map(({ name, isOptional }) => [name, isOptional ? "optional" : "required"])),
    inputs: byName(inputs.map(({ name }) => name)),
    outputs: others.length === 0 ? first : byName(outputs),
  };
}

/**
 * A graph of a file as a module like any other. Its parameters have the file's names as paths and the file's elements as values; they
 * are float32, and are cast where the file computes in another float. Inputs have the file's names; a batch calls an only one `x`.
 * Float inputs may have any float dtype. Lists of tensors are taken and given as arrays, an optional input may be left out.
 *
 * A file that is written for one batch size runs at others where every operator computes each sample by itself. Training normalizes by
 * the moments of the batch where the file has a BatchNormalization whose statistics are not frozen; everything else is computed as the
 * file has it, without dropout.
 *
 * Tracing throws UnsupportedError, which lists them, for operators that are not known, and for a batch size that the file does not
 * allow; ShapeError and DTypeError for inputs that do not fit.
 */
export class ImportedModule extends Module<Value | NamedValues, Value | NamedValues> {
  override readonly inputs: InputForm;
  /** Text that the file's writer noted in it, such as the names of classes. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #source: GraphSource;
  readonly #nesting: Nesting;
  readonly #declared: TypeTree | undefined;

  constructor(source: GraphSource, { nesting = plainNesting(source), types }: ImportedOptions = {}) {
    super();
    this.#source = source;
    this.#nesting = nesting;
    this.#declared = types && (mapTree(nesting.inputs, (name) => types[name as string]) as TypeTree);
    this.inputs = nesting.form;
    this.metadata = source.metadata;
    for (const { name, value, isBuffer } of source.weights) {
      // The forward pass writes into the array of a buffer.
      const initial = isBuffer ? copyOf(value) : value;
      this.declare(name, { shape: value.shape, initializer: () => initial.data.slice() }, isBuffer).value = value;
    }
  }

  override get inputTypes(): TypeTree | undefined {
    return super.inputTypes ?? this.#declared;
  }

  /** What the file says of its inputs, extents left open among them, and the names of its outputs. */
  get declared(): Pick<GraphSource, "inputs" | "outputs"> {
    return this.#source;
  }

  override formula(): string {
    return `${this.own.size} tensors of the file`;
  }

  protected call(given: Value | NamedValues, context: Context): Value | NamedValues {
    const values = this.#taken(given);
    const bound = new Map<Value, string>();
    const bind: BindWeight = (name, dtype) => {
      const value = this.#weight(name, context);
      bound.set(value, name);
      return dtype === value.dtype ? value : cast(value, dtype);
    };
    const { outputs, forms } = this.#built(values, bind);
    const trained = context.training ? normalizedByBatch(this, outputs, bound, context) : outputs;
    const byName = outputsByName(this.#source.outputs, trained, forms);
    return mapTree(this.#nesting.outputs, (name) =>
      typeof name === "string" ? byName.get(name) : undefined,
    ) as NamedValues;
  }

  /** The inputs in the order of the file, in its dtypes; they may nest deeper than their type says. */
  #taken(given: Value | NamedValues): readonly Taken[] {
    const values = new Map(leavesOf(given).map(({ path, leaf }) => [path, leaf as Value | undefined]));
    const places = leavesOf(this.#nesting.inputs);
    const declaredOf = new Map(this.#source.inputs.map((declared) => [declared.name, declared]));
    const take = (path: string) => {
      const value = values.get(path);
      values.delete(path);
      return value;
    };
    const byName = new Map(
      places.map(({ path, leaf }) => {
        const { isSequence, isOptional } = declaredOf.get(leaf as string) ?? {};
        const paths = isSequence ? [...values.keys()].filter((own) => own.startsWith(`${path}.`)) : [path];
        const found = paths.flatMap((own) => take(own) ?? []);
        if (!isSequence && !isOptional && found.length === 0)
          throw new OptionError(`lacks its input "${path}"; pass ${places.map((place) => place.path).join(", ")}`);
        return [leaf as string, isOptional && found.length === 0 ? undefined : found];
      }),
    );
    const [stray] = values.keys();
    if (stray !== undefined)
      throw new OptionError(
        `got an input "${stray}", which it does not take; pass ${places.map((place) => place.path).join(", ")}`,
      );
    return this.#source.inputs.map((declared) => ({
      declared,
      values: byName.get(declared.name)?.map((value) => inDType(value, declared)),
    }));
  }

  #weight(name: string, context: Context): Value {
    const parameter = this.own.get(name);
    if (!parameter) throw new InternalError(`${context.describe(this)} has no weight "${name}"`);
    return parameter.isBuffer ? context.buffer(this, name, parameter) : context.parameter(this, name, parameter);
  }

  #built(taken: readonly Taken[], bind: BindWeight): Pick<BuiltGraph, "outputs" | "forms"> {
    const values = taken.flatMap((own) => own.values ?? []);
    // Only of tensors is it known where samples lie.
    const isPlain = taken.every(({ declared: { isSequence, isOptional } }) => !isSequence && !isOptional);
    const plan = isPlain ? planBatch(this.#source.inputs, values) : undefined;
    if (plan) return { outputs: this.#rebatched(values, plan, bind) };
    try {
      const shapes = taken.map((own) => own.values?.map(({ shape }) => shape));
      const { inputs, outputs, forms } = this.#build(shapes, bind);
      const entering = new Map(inputs.map((value, i) => [value, values[i] as Value]));
      return { outputs: rewrite(outputs, () => undefined, entering).outputs, ...(forms && { forms }) };
    } catch (error) {
      // A file may leave its batch open at its borders, and have it written within.
      const one = error instanceof ShapeError && isPlain ? planOpenBatch(this.#source.inputs, values) : undefined;
      if (!one) throw error;
      try {
        return { outputs: this.#rebatched(values, one, bind) };
      } catch (other) {
        throw other instanceof InternalError ? other : error;
      }
    }
  }

  /** The graph for the file's own batch size, made one for that of the inputs. */
  #rebatched(values: readonly Value[], { axes, sizes }: BatchPlan, bind: BindWeight): readonly Value[] {
    const shapes = values.map(({ shape }, i) => shape.map((extent, axis) => (axis === axes[i] ? sizes.from : extent)));
    const { inputs, outputs } = this.#build(
      shapes.map((shape) => [shape]),
      bind,
      { bothBranches: true },
    );
    const entering = new Map<Value, Sampled>(
      inputs.map((value, i) => [value, { value: values[i] as Value, axis: axes[i] }]),
    );
    return rebatch(outputs, entering, sizes).map(({ value, axis }) => {
      // One for a sample is one for each, though all are the same.
      const isOne = axis === undefined && sizes.from === 1 && value.shape[0] === 1;
      return isOne ? expand(value, [sizes.to, ...value.shape.slice(1)]) : value;
    });
  }

  #build(shapes: readonly (readonly Shape[] | undefined)[], bind: BindWeight, options: BuildOptions = {}): BuiltGraph {
    const built = this.#source.build(shapes, bind, options);
    const unknown = nodesOf(built.outputs).flatMap((node) => {
      const reason = built.unknown.get(node);
      return reason ? [{ type: node.op.type, ...reason }] : [];
    });
    if (unknown.length > 0) throw unknownOperators(unknown);
    return built;
  }
}

export interface ImportedOptions {
  /** How inputs and outputs are nested; default by name, one output alone. */
  readonly nesting?: Nesting;
  /** Types of the inputs by their names in the file, where all are known before the first trace. */
  readonly types?: NamedTypes | undefined;
}

/** An input of the file, and the tensors that are given for it: one, those of a list, or none. */
interface Taken {
  readonly declared: Declared;
  readonly values: readonly Value[] | undefined;
}

/** The outputs of a file by their names: tensors, lists of them, or nothing. */
function outputsByName(
  names: readonly string[],
  tensors: readonly Value[],
  forms: readonly OutputForm[] = names.map(() => "tensor"),
): ReadonlyMap<string, Value | readonly Value[] | null> {
  let next = 0;
  return new Map(
    names.map((name, i): readonly [string, Value | readonly Value[] | null] => {
      const form = forms[i] ?? "tensor";
      if (form === "tensor") return [name, tensors[next++] as Value];
      if (form === "nothing") return [name, null];
      next += form;
      return [name, tensors.slice(next - form, next)];
    }),
  );
}

/** A value in the dtype that a file declares. Throws DTypeError where that would change numbers. */
function inDType(value: Value, { name, type }: Declared): Value {
  if (!type || type.dtype === value.dtype) return value;
  if (isFloat(type.dtype) && isFloat(value.dtype)) return cast(value, type.dtype);
  throw new DTypeError(
    `input "${name}" is ${type.dtype}, got ${value}; make the tensor ${type.dtype}: tensor(numbers, { dtype: "${type.dtype}" })`,
  );
}

/** What cannot be computed, operator by operator; what follows from it is left out. */
function unknownOperators(unknown: readonly (UnknownReason & { readonly type: string })[]): UnsupportedError {
  const operators = unknown.filter(({ kind }) => kind === "operator");
  const sentence = ({ type, why }: (typeof unknown)[number]) => (why.includes(type) ? why : `${type}: ${why}`);
  const groups = groupBy(operators.length > 0 ? operators : unknown, sentence);
  const listed = Array.from(groups, ([text, all]) => (all.length > 1 ? `${text} (${all.length} nodes)` : text));
  const inputs = [...new Set(operators.flatMap(({ computedFrom = [] }) => computedFrom))];
  const mend = inputs.length
    ? `give the inputs on which shapes depend as the file is loaded: { constants: { ${inputs.join(", ")} } }`
    : "export the model without these operators";
  return new UnsupportedError(
    `the file computes what is not supported: ${listed.join("; ")}. Its weights are loaded, but it cannot run; ${mend}`,
  );
}
