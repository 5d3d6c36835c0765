/** A model as one graph to be written: for any batch where the model allows, with its parameters as graph inputs. */
import { InternalError, SardonyxError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import { type Graph, graphOf, input, type Value } from "../../graph/ir.ts";
import type { Pass } from "../../graph/passes.ts";
import { optimize, tidy } from "../../jit/compile.ts";
import { batchPolymorphic, type PolymorphicGraph } from "../../jit/polymorphic.ts";
import { type AnyModule, isTensorType, type Parameter, type TypeTree, valuesOf } from "../../nn/index.ts";
import { builtIn, knownValue } from "../../nn/parameter-inputs.ts";

export interface TracedGraph extends PolymorphicGraph {
  /** Graph inputs that are parameters, with what they hold; they stand after the data inputs. */
  readonly parameters: ReadonlyMap<Value, Tensor>;
  /** Types of the data inputs, nested as the model takes them. */
  readonly inputs: TypeTree;
  /** What the model gives, nested as it does. */
  readonly output: unknown;
}

/** A graph that takes the place of a traced one, some of whose parameters may have another shape. */
export interface ChangedGraph {
  readonly graph: Graph;
  /** Graph inputs that take the place of parameters, with what they hold. */
  readonly changed: ReadonlyMap<Value, Tensor>;
}

export interface TraceOptions {
  readonly types: TypeTree;
  /** Leave the batch open where the model allows. */
  readonly dynamicBatch: boolean;
  readonly passes: readonly Pass[];
  /** What is written in place of the graph, simplified, as it is traced for each batch; default the graph itself. */
  readonly change?: ((traced: PredictionGraph) => ChangedGraph) | undefined;
}

/** What a model computes in prediction. */
export interface PredictionGraph {
  /** From the data inputs, then the parameters, to all that the model gives. */
  readonly graph: Graph;
  /** The graph inputs that are parameters; each has its path as its name. */
  readonly parameters: ReadonlyMap<Value, Parameter>;
  /** Types of the data inputs, nested as the model takes them. */
  readonly inputs: TypeTree;
  /** What the model gives, nested as it does. */
  readonly output: unknown;
}

/** Traces a model for prediction on types of its inputs. Throws what tracing throws. */
export function predictionGraph(model: AnyModule, types: TypeTree): PredictionGraph {
  const parameters = new Map<Value, Parameter>();
  const { inputs, output } = model.trace(types, {
    bind(parameter, path) {
      // That of a module beside the model, such as a teacher, is none of its parameters.
      if (model.parameters().get(path) !== parameter) return builtIn(parameter);
      const value = input(parameter.dtype, parameter.shape, path);
      parameters.set(value, parameter);
      return value;
    },
  });
  const graph = graphOf([...inputs, ...parameters.keys()], valuesOf(output));
  return { graph, parameters, inputs: model.inputTypes as TypeTree, output };
}

/** As predictionGraph with a batch of 1, or with the types themselves where the model takes no other batch. */
export function sampleGraph(model: AnyModule, types: TypeTree): PredictionGraph {
  const batch = firstExtent(types);
  try {
    return predictionGraph(model, batch === undefined ? types : withBatch(types, batch, 1));
  } catch (error) {
    if (!(error instanceof SardonyxError) || error instanceof InternalError) throw error;
    return predictionGraph(model, types);
  } finally {
    // The model is left with the types that it was asked about.
    if (batch !== 1) model.trace(types);
  }
}

/**
 * Traces a model for prediction. The batch is the first axis of every input that has as many elements there as the first input.
 * Where it cannot be left open, the graph is for a batch of 1, else for the types themselves, and `obstacle` says why. Throws
 * DataError for a parameter without a value, and what tracing on the types throws.
 */
export function tracedGraph(model: AnyModule, { types, dynamicBatch, passes, change }: TraceOptions): TracedGraph {
  const parameters = new Map<Value, Parameter>();
  const changed = new Map<Value, Tensor>();
  const traced: PredictionGraph[] = [];
  const trace = (own: TypeTree): Graph => {
    const prediction = predictionGraph(model, own);
    traced.push(prediction);
    for (const [value, parameter] of prediction.parameters) parameters.set(value, parameter);
    if (!change) return prediction.graph;
    const other = change({ ...prediction, graph: optimize(prediction.graph, tidy) });
    for (const [value, tensor] of other.changed) changed.set(value, tensor);
    return other.graph;
  };
  const polymorphic = dynamicBatch ? openedGraph(types, trace, passes) : closedGraph(trace(types), passes);
  const [first] = traced;
  if (!first) throw new InternalError("a graph without a trace");
  // The model is left with the types that it was asked about.
  if (traced.length > 1) model.trace(types);
  const held = polymorphic.graph.inputs.flatMap((value) => {
    const parameter = parameters.get(value);
    const tensor = changed.get(value) ?? (parameter && knownValue(parameter));
    return tensor ? [[value, tensor] as const] : [];
  });
  const { inputs, output } = first;
  return { ...polymorphic, inputs, output, parameters: new Map(held) };
}

const closedGraph = (graph: Graph, passes: readonly Pass[]): PolymorphicGraph => ({
  graph: optimize(graph, passes),
  symbols: () => undefined,
});

function openedGraph(types: TypeTree, trace: (types: TypeTree) => Graph, passes: readonly Pass[]): PolymorphicGraph {
  const batch = firstExtent(types);
  if (batch === undefined) return closedGraph(trace(types), passes);
  try {
    return batchPolymorphic((size) => trace(withBatch(types, batch, size)), passes);
  } catch (error) {
    if (!(error instanceof SardonyxError) || error instanceof InternalError) throw error;
    return { ...closedGraph(trace(types), passes), obstacle: error.message };
  }
}

/** The first extent of the first type that has one. */
function firstExtent(types: unknown): number | undefined {
  if (isTensorType(types)) return types.shape[0];
  const parts = Array.isArray(types) ? types : isPlainObject(types) ? Object.values(types) : [];
  return parts.map(firstExtent).find((extent) => extent !== undefined);
}

/** Types with another batch where their first extent is the batch. */
function withBatch(types: TypeTree, from: number, to: number): TypeTree {
  const changed = (item: unknown): unknown => {
    if (isTensorType(item))
      return item.shape[0] === from ? { dtype: item.dtype, shape: [to, ...item.shape.slice(1)] } : item;
    if (Array.isArray(item)) return item.map(changed);
    if (!isPlainObject(item)) return item;
    return Object.fromEntries(Object.entries(item).map(([name, part]) => [name, changed(part)]));
  };
  return changed(types) as TypeTree;
}
