/** Tracing a model for compression. */
import { typesToTrace } from "../../formats/files/export-onnx.ts";
import { tracedGraph } from "../../formats/files/traced-graph.ts";
import { pipeline } from "../../jit/compile.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { foldNormalization } from "./fold-normalization.ts";
import { type WeightedGraph, withOutputs } from "./weighted-graph.ts";

/**
 * The prediction of a model as it is, with the weights that it reads. Throws as `encodeOnnx`.
 * @param types of the inputs; default those that the model knows
 * @param what names the caller in messages
 */
export function traceWeighted(model: AnyModule, types: TypeTree | undefined, what: string): WeightedGraph {
  const traced = tracedGraph(model, { types: typesToTrace(model, types, what), dynamicBatch: true, passes: pipeline });
  return withOutputs(traced, traced.graph.outputs);
}

/** The same with normalization by running statistics folded into the products before it. */
export const traceForCompression = (model: AnyModule, types: TypeTree | undefined, what: string): WeightedGraph =>
  foldNormalization(traceWeighted(model, types, what));
