/** A Keras model as a module: its layers under their names, run as the calls of the file say. */
import { FileError, UnsupportedError } from "../../../core/errors.ts";
import { isPlainObject } from "../../../core/tree.ts";
import { Value } from "../../../graph/ir.ts";
import { type AnyModule, type Context, Module, type NamedInputs, valuesOf } from "../../../nn/index.ts";
import type { NamedValues } from "../../loaded-model.ts";
import { Reference, referencesOf } from "./arguments.ts";
import {
  boundArguments,
  givenMasks,
  type LayerCall,
  type PlacedLayer,
  plainParameters,
  takenArgument,
  withNames,
} from "./calls.ts";
import { listOf, type OneOrMore } from "./layer.ts";
import type { Call, ModelConfig } from "./topology.ts";

/** A result of a layer, and which of its steps count where not all do. */
interface Result {
  readonly value: Value;
  readonly mask: Value | undefined;
}

/** Masks of what goes into models within a model and comes out of them, in each trace. */
const masksAtBorders = new WeakMap<Context, Map<Value, Value>>();

function noteMasks(results: readonly Result[], context: Context): void {
  const masks = masksAtBorders.get(context) ?? new Map<Value, Value>();
  masksAtBorders.set(context, masks);
  for (const { value, mask } of results) {
    if (mask) masks.set(value, mask);
    else masks.delete(value);
  }
}

/**
 * Takes its inputs by their names in the file; a model of one input takes the tensor alone too. Gives its outputs by their names;
 * a model of one output gives the tensor. An output has its key where the model gives a dict, else the name of its layer: of several
 * results of one layer, the names are `lstm`, `lstm_1`, `lstm_2`, as in Keras. Steps that a mask leaves out are left out by the
 * layers that Keras passes it to.
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
  readonly #layers: ReadonlyMap<string, PlacedLayer>;
  #refusal: string | undefined;

  constructor(topology: ModelConfig, layers: ReadonlyMap<string, PlacedLayer>) {
    super();
    this.inputNames = topology.inputs.map(({ name }) => name);
    this.inputs = Object.fromEntries(this.inputNames.map((name) => [name, "required"]));
    this.outputNames = namesOf(topology);
    this.#topology = topology;
    this.#layers = layers;
  }

  /** Lets no trace pass from now on, where layers are not known, and says why. */
  refuse(why: string): void {
    this.#refusal = why;
  }

  override children(): { readonly path: string; readonly module: AnyModule }[] {
    // Names may be divided themselves, as in "block1/conv".
    return Array.from(this.#layers, ([name, { module }]) => ({ path: name.replaceAll("/", "."), module }));
  }

  /** A tensor alone comes here under the name of the input. */
  protected call(inputs: NamedValues, context: Context): Value | NamedValues {
    if (this.#refusal !== undefined) throw new UnsupportedError(this.#refusal);
    const { calls, outputs } = this.#topology;
    const borders = masksAtBorders.get(context);
    const results = new Map<string, readonly Result[]>();
    const resultOf = ({ layer, call, output }: Reference): Result => {
      const entering = Object.hasOwn(inputs, layer) ? inputs[layer] : undefined;
      const all = entering
        ? [{ value: entering, mask: borders?.get(entering) }]
        : (results.get(keyOf(layer, call)) ?? []);
      const result = all[output];
      if (!result)
        throw new FileError(
          `tfjs: result ${output} of layer "${layer}" is taken, which gives ${all.length}; convert the model again`,
        );
      return result;
    };
    for (const call of calls) {
      const placed = this.#layers.get(call.layer) as PlacedLayer;
      results.set(keyOf(call.layer, call.index), connect(placed, layerCall(call, placed, resultOf), context));
    }
    const given = outputs.map(resultOf);
    noteMasks(given, context);
    const [first, ...rest] = given.map(({ value }) => value) as [Value, ...Value[]];
    if (rest.length === 0 && this.#topology.outputKeys[0] === undefined) return first;
    return Object.fromEntries([first, ...rest].map((value, i) => [this.outputNames[i], value]));
  }

  /** The values of a call in the order of the inputs. Throws FileError for more or fewer, and for a key that no input has. */
  arranged({ inputs, named }: LayerCall, context: Context): readonly Value[] {
    const { inputNames } = this;
    const { inputKeys } = this.#topology;
    const [first] = Object.values(named);
    if (isPlainObject(first)) {
      const byKey = inputNames.map((name, i) => first[inputKeys[i] ?? name] ?? first[name]);
      if (byKey.every((value) => value instanceof Value)) return byKey as readonly Value[];
    }
    requireOperands(this, inputs, inputNames.length, context);
    return inputs;
  }
}

/** What a call of the file gives a layer. */
function layerCall(
  written: Call,
  { parameters, aliases = {} }: PlacedLayer,
  resultOf: (reference: Reference) => Result,
): LayerCall {
  const call = withNames(written, aliases);
  const taken = (reference: Reference) => resultOf(reference).value;
  if (!parameters)
    return { inputs: call.inputs.map(taken), named: {}, masks: call.inputs.map((item) => resultOf(item).mask) };
  const bound = boundArguments(call, parameters);
  const [first = ""] = parameters;
  const named = Object.fromEntries(
    [first, ...Object.keys(bound)].map((name) => [name, takenArgument(bound[name] ?? null, taken)]),
  );
  const masks = referencesOf(bound[first]).map((item) => resultOf(item).mask);
  const otherMasks = Object.fromEntries(
    Object.entries(bound).flatMap(([name, argument]) =>
      name !== first && argument instanceof Reference ? [[name, resultOf(argument).mask]] : [],
    ),
  );
  return { inputs: valuesOf(named[first]), named, masks: givenMasks(named) ?? masks, otherMasks };
}

const keyOf = (layer: string, call: number): string => `${layer}#${call}`;

/** A name for each output: its key, or that of its layer, numbered where it is taken. */
function namesOf({ outputs, outputKeys }: ModelConfig): readonly string[] {
  const names = new Set<string>(outputKeys.filter((key) => key !== undefined));
  const counts = new Map<string, number>();
  return outputs.map(({ layer }, i) => {
    const key = outputKeys[i];
    if (key !== undefined) return key;
    let name = layer;
    while (names.has(name)) {
      const count = counts.get(layer) ?? 1;
      name = `${layer}_${count}`;
      counts.set(layer, count + 1);
    }
    names.add(name);
    return name;
  });
}

/**
 * Runs a layer, or a model within another, on what it is called with; its results in order. Throws FileError for more or fewer
 * tensors than it takes.
 */
export function connect(
  { module, masks: rule }: PlacedLayer,
  call: LayerCall,
  context: Context,
): readonly [Result, ...Result[]] {
  if (module instanceof KerasModel) {
    const operands = module.arranged(call, context);
    const maskOf = new Map(call.inputs.map((value, i) => [value, call.masks[i]]));
    noteMasks(
      operands.map((value) => ({ value, mask: maskOf.get(value) })),
      context,
    );
    const inputs = Object.fromEntries(module.inputNames.map((name, i) => [name, operands[i] as Value]));
    const outputs = module.apply(inputs, context);
    const values = outputs instanceof Value ? [outputs] : module.outputNames.map((name) => outputs[name] as Value);
    const masks = masksAtBorders.get(context);
    const [first, ...others] = values.map((value): Result => ({ value, mask: masks?.get(value) }));
    return [first as Result, ...others];
  }
  const takesCall = module.inputs === "tree";
  if (!takesCall) requireOperands(module, call.inputs, 1, context);
  const values = listOf((module as Module<unknown, OneOrMore>).apply(takesCall ? call : call.inputs[0], context));
  const masks = rule(call, values);
  const [first, ...others] = values.map((value, i): Result => ({ value, mask: masks[i] }));
  return [first as Result, ...others];
}

/** Runs a layer within another on tensors alone. */
export const connectValues = (
  placed: PlacedLayer,
  inputs: readonly Value[],
  context: Context,
  masks: LayerCall["masks"] = [],
): readonly [Value, ...Value[]] => {
  const [first = "inputs"] = placed.parameters ?? plainParameters;
  const call = { inputs, named: { [first]: inputs }, masks };
  const [{ value }, ...others] = connect(placed, call, context);
  return [value, ...others.map((other) => other.value)];
};

function requireOperands(layer: AnyModule, operands: readonly Value[], count: number, context: Context): void {
  if (operands.length !== count)
    throw new FileError(
      `tfjs: the number of inputs of ${context.describe(layer)} is ${operands.length}, expected ${count}; convert the model again`,
    );
}
