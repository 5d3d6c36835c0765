/** Networks from modules: traced for prediction and for training, no weights allocated. */
import { bytesPerElement } from "../../core/dtype.ts";
import { ShapeError } from "../../core/errors.ts";
import { type Limits, limitError, limitOf } from "../../core/limits.ts";
import { append } from "../../core/lists.ts";
import { count } from "../../core/number-text.ts";
import { size } from "../../core/shape.ts";
import { type Graph, graphOf, input, nodesOf, type Value } from "../../graph/ir.ts";
import { Experts } from "../../models/shared/networks.ts";
import { type AnyModule, type Parameter, type Trace, type TypeTree, tracedLayers, valuesOf } from "../../nn/index.ts";
import { add } from "../../ops/index.ts";
import { standInLoss } from "./loss.ts";
import {
  type Network,
  type NetworkGraphs,
  type NetworkLayer,
  type NetworkParameter,
  trainingWithin,
  zerosIn,
} from "./network.ts";

/** A module with the types of its inputs, of which `moduleNetwork` makes a network. */
export interface ModuleSource {
  readonly name: string;
  /** Where the module comes from, in a few words. */
  readonly source: string;
  readonly model: AnyModule;
  /** Types of its inputs. */
  readonly inputs: TypeTree;
  /** Limits that are other than docs/limits.md lists. */
  readonly limits?: Limits | undefined;
}

/**
 * The network of a module on inputs of given types. Allocates no weights. Throws what tracing throws when the types do
 * not fit.
 * @example
 * const model = models.presetOf("resnet50");
 * const network = moduleNetwork({ name: "resnet50", source: model.source, model: model.build(), inputs: model.inputs });
 */
export function moduleNetwork(given: ModuleSource): Network {
  const { name, source, model } = given;
  const trace = model.trace(given.inputs, { bind: countedInputs(given.limits) });
  const { inputs, output, context } = trace;
  const values = new Map(context.values);
  const [notes, nodes]: [string[], number] = [[], nodesOf(valuesOf(output)).length];
  // Dropout and the moments of a batch are many nodes each.
  const training = trainingWithin(4 * nodes, given.limits, () => {
    const made = trainingGraph(given, trace, values);
    append(notes, made.notes);
    return made.training;
  });
  const forward = graphOf([...inputs, ...values.values()], valuesOf(output));
  const owners = new Map<Parameter, string>();
  for (const [module, path] of model.modules())
    for (const parameter of module.own.values()) owners.set(parameter, path || "model");
  const parameters = [...model.parameters()].map(
    ([path, parameter]): NetworkParameter => ({
      name: path,
      layer: owners.get(parameter) ?? "model",
      shape: parameter.shape,
      elements: size(parameter.shape),
      type: parameter.dtype,
      bits: 8 * bytesPerElement(parameter.dtype),
      isBuffer: parameter.isBuffer,
      trainable: parameter.trainable,
      zeros: parameter.isBuffer || !parameter.value ? undefined : zerosIn(parameter.value),
      value: values.get(parameter),
    }),
  );
  const graphs = { forward, ...training };
  return {
    name,
    source,
    parameters,
    layers: layersOf(trace, forward),
    graphs,
    notes: [...notes, ...expertNotes(model)],
  };
}

/** Makes a graph input of each parameter. Throws FileError at one more than the limit. */
function countedInputs(limits: Limits | undefined): (parameter: Parameter, path: string) => Value {
  let left = limitOf("tensors", limits);
  return ({ dtype, shape }, path) => {
    if (--left < 0) throw limitError("tensors", "the parameters of this model are more than", limits);
    return input(dtype, shape, path);
  };
}

/** How many parameters a token meets in a model of experts, whose cost is that of all. */
function expertNotes(model: AnyModule): readonly string[] {
  const mixtures = [...model.modules().keys()].filter((module) => module instanceof Experts);
  const [first] = mixtures;
  if (!first) return [];
  const elements = (module: AnyModule) =>
    [...module.parameters().values()].reduce((sum, { shape }) => sum + size(shape), 0);
  const idle = mixtures.reduce((sum, mixture) => {
    const { count: all, perToken } = mixture.shares;
    const experts = mixture.experts.flatMap((expert) => Object.values(expert));
    return sum + experts.reduce((own, weight) => own + elements(weight), 0) * (1 - perToken / all);
  }, 0);
  const { count: experts, perToken } = first.shares;
  return [
    `Of ${experts} experts a token is given to ${perToken}: it meets ${count(elements(model) - idle)} of ${count(elements(model))} parameters. All experts are computed here for every token, and the cost is that of all.`,
  ];
}

/**
 * The graph of a training batch up to its loss; parameters have the values of the prediction's graph. For a batch that batch
 * normalization cannot take, such as one sample of one element a channel, it is that of the prediction.
 */
function trainingGraph(
  { model, inputs }: ModuleSource,
  prediction: Trace<unknown>,
  values: Map<Parameter, Value>,
): Pick<NetworkGraphs, "training"> & Pick<Network, "notes"> {
  const bind = (parameter: Parameter, path: string): Value => {
    const value = values.get(parameter) ?? input(parameter.dtype, parameter.shape, path);
    values.set(parameter, value);
    return value;
  };
  const key = input("uint32", [2], "key");
  try {
    return { training: upToLoss(model.trace(inputs, { training: true, key, bind }), key), notes: [] };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const note = `It cannot be trained on this input (${error.message}): the cost of training is given as if running statistics were fixed.`;
    return { training: upToLoss(prediction), notes: [note] };
  }
}

/** From data, targets and parameters to the loss of the outputs, those of auxiliary heads too, and new statistics. */
function upToLoss({ inputs, output, context }: Trace<unknown>, key?: Value): NetworkGraphs["training"] {
  const losses = valuesOf(output)
    .map(standInLoss)
    .filter((loss) => loss !== undefined);
  const [first, ...rest] = losses;
  if (!first) return undefined;
  const loss = rest.reduce((sum, other) => add(sum, other.loss), first.loss);
  const data = [...inputs, ...(key ? [key] : []), ...losses.map(({ target }) => target)];
  return graphOf([...data, ...context.values.values()], [loss, ...context.updates.values()]);
}

/** Containers are listed where they own parameters or compute products themselves. */
function layersOf({ context }: Trace<unknown>, { nodes }: Graph): readonly NetworkLayer[] {
  const working = new Set(nodes.flatMap(({ op, scope }) => (op.contracts && scope ? [scope] : [])));
  return tracedLayers(context)
    .filter(
      ({ kind, module, scopes }) =>
        kind !== "container" || module.own.size > 0 || scopes.some((own) => working.has(own)),
    )
    .map(({ module, path, type, kind, outputs, scopes }) => ({
      name: path || "model",
      type,
      // Parameters that a module around others owns, such as a class token.
      kind: kind === "container" ? "other" : kind,
      scopes,
      outputShape: outputs[0]?.shape ?? [],
      formula: module.formula(),
    }));
}
