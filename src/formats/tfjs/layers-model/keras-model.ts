/** A Keras model as a module: its layers under their names, run as the calls of the file say. */
import { FileError, UnsupportedError } from "../../../core/errors.ts";
import { Value } from "../../../graph/ir.ts";
import { type AnyModule, type Context, Module, type NamedInputs } from "../../../nn/index.ts";
import type { NamedValues } from "../../loaded-model.ts";
import { listOf, type OneOrMore } from "./layer.ts";
import type { ModelConfig, Reference } from "./topology.ts";

/**
 * Takes its inputs by their names in the file; a model of one input takes the tensor alone too. Gives its outputs by their names;
 * a model of one output gives the tensor. An output has the name of its layer: of several results of one layer, the names are
 * `lstm`, `lstm_1`, `lstm_2`, as in Keras.
 * @example
 * const model = importLayersModel(readDocument(json)).traced?.module;
 * model?.trace({ image: { dtype: "float32", shape: [1, 28, 28, 1] }, table: { dtype: "float32", shape: [1, 4] } });
 */
export class KerasModel extends Module<Value | NamedValues, Value | NamedValues> {
  override readonly inputs: NamedInputs;
  /** In the order of the file, which a record does not keep of names such as "10" and "2". */
  readonly inputNames: readonly string[];
  /** In the order of the file. */
  readonly outputNames: readonly string[];
  readonly #topology: ModelConfig;
  readonly #layers: ReadonlyMap<string, AnyModule>;
  #refusal: string | undefined;

  constructor(topology: ModelConfig, layers: ReadonlyMap<string, AnyModule>) {
    super();
    this.inputNames = topology.inputs.map(({ name }) => name);
    this.inputs = Object.fromEntries(this.inputNames.map((name) => [name, "required"]));
    this.outputNames = namesOf(topology.outputs);
    this.#topology = topology;
    this.#layers = layers;
  }

  /** Lets no trace pass from now on, where layers are not known, and says why. */
  refuse(why: string): void {
    this.#refusal = why;
  }

  override children(): { readonly path: string; readonly module: AnyModule }[] {
    // Names may be divided themselves, as in "block1/conv".
    return Array.from(this.#layers, ([name, module]) => ({ path: name.replaceAll("/", "."), module }));
  }

  /** A tensor alone comes here under the name of the input. */
  protected call(inputs: NamedValues, context: Context): Value | NamedValues {
    if (this.#refusal !== undefined) throw new UnsupportedError(this.#refusal);
    const { calls, outputs } = this.#topology;
    const results = new Map<string, readonly Value[]>();
    const take = ({ layer, call, output }: Reference): Value => {
      const entering = Object.hasOwn(inputs, layer) ? inputs[layer] : undefined;
      const all = entering ? [entering] : (results.get(keyOf(layer, call)) ?? []);
      const value = all[output];
      if (!value)
        throw new FileError(
          `tfjs: result ${output} of layer "${layer}" is taken, which gives ${all.length}; convert the model again`,
        );
      return value;
    };
    for (const { layer, index, inputs: taken } of calls)
      results.set(keyOf(layer, index), connect(this.#layers.get(layer) as AnyModule, taken.map(take), context));
    const [first, ...rest] = outputs.map(take) as [Value, ...Value[]];
    if (rest.length === 0) return first;
    return Object.fromEntries([first, ...rest].map((value, i) => [this.outputNames[i], value]));
  }
}

const keyOf = (layer: string, call: number): string => `${layer}#${call}`;

/** A name for each output, that of its layer, numbered where it is taken. */
function namesOf(outputs: readonly Reference[]): readonly string[] {
  const names = new Set<string>();
  const counts = new Map<string, number>();
  for (const { layer } of outputs) {
    let name = layer;
    while (names.has(name)) {
      const count = counts.get(layer) ?? 1;
      name = `${layer}_${count}`;
      counts.set(layer, count + 1);
    }
    names.add(name);
  }
  return [...names];
}

/**
 * Runs a layer, or a model within another, on tensors in the order in which the file connects them; its results in order. Throws
 * FileError for more or fewer tensors than it takes.
 */
export function connect(layer: AnyModule, operands: readonly Value[], context: Context): readonly [Value, ...Value[]] {
  if (layer instanceof KerasModel) {
    const { inputNames, outputNames } = layer;
    requireOperands(layer, operands, inputNames.length, context);
    const named = Object.fromEntries(inputNames.map((name, i) => [name, operands[i] as Value]));
    const outputs = layer.apply(named, context);
    return listOf(outputs instanceof Value ? outputs : outputNames.map((name) => outputs[name] as Value));
  }
  const takesList = layer.inputs === "tree";
  if (!takesList) requireOperands(layer, operands, 1, context);
  const given = takesList ? operands : operands[0];
  return listOf((layer as Module<unknown, OneOrMore>).apply(given, context));
}

function requireOperands(layer: AnyModule, operands: readonly Value[], count: number, context: Context): void {
  if (operands.length !== count)
    throw new FileError(
      `tfjs: the number of inputs of ${context.describe(layer)} is ${operands.length}, expected ${count}; convert the model again`,
    );
}
