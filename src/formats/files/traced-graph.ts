/** A model as one graph to be written: for any batch where the model allows, with its parameters as graph inputs. */
import { InternalError, SardonyxError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import { type Graph, graphOf, input, type Value } from "../../graph/ir.ts";
import type { Pass } from "../../graph/passes.ts";
import { optimize } from "../../jit/compile.ts";
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

export interface TraceOptions {
  readonly types: TypeTree;
  /** Leave the batch open where the model allows. */
  readonly dynamicBatch: boolean;
  readonly passes: readonly Pass[];
}

/**
 * Traces a model for prediction. The batch is the first axis of every input that has as many elements there as the first input.
 * Where it cannot be left open, the graph is for a batch of 1, else for the types themselves, and `obstacle` says why. Throws
 * DataError for a parameter without a value, and what tracing on the types throws.
 */
export function tracedGraph(model: AnyModule, { types, dynamicBatch, passes }: TraceOptions): TracedGraph {
  const parameters = new Map<Value, Parameter>();
  const traced: { readonly inputs: TypeTree; readonly output: unknown }[] = [];
  const trace = (own: TypeTree): Graph => {
    const bound: Value[] = [];
    const { inputs, output } = model.trace(own, {
      bind(parameter, path) {
        // That of a module beside the model, such as a teacher, is none of its parameters.
        if (model.parameters().get(path) !== parameter) return builtIn(parameter);
        const value = input(parameter.dtype, parameter.shape, path);
        parameters.set(value, parameter);
        bound.push(value);
        return value;
      },
    });
    traced.push({ inputs: model.inputTypes as TypeTree, output });
    return graphOf([...inputs, ...bound], valuesOf(output));
  };
  const polymorphic = dynamicBatch ? openedGraph(types, trace, passes) : closedGraph(trace(types), passes);
  const [first] = traced;
  if (!first) throw new InternalError("a graph without a trace");
  // The model is left with the types that it was asked about.
  if (traced.length > 1) model.trace(types);
  const held = polymorphic.graph.inputs.flatMap((value) => {
    const parameter = parameters.get(value);
    return parameter ? [[value, knownValue(parameter)] as const] : [];
  });
  return { ...polymorphic, ...first, parameters: new Map(held) };
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
