/** What models that were read from files take and give. */
import type { Value } from "../graph/ir.ts";
import type { Module } from "../nn/index.ts";

/** Tensors by the names of a model's inputs or outputs. */
export type NamedValues = Readonly<Record<string, Value>>;

/**
 * A model of a file: it takes one tensor, or tensors by name, and gives one tensor, or tensors by name. A model that was saved with
 * deeper nesting takes and gives that; name its types where you know them.
 * @example const model: LoadedModel<Value, Value> = await loadModel("classifier.onnx");
 */
export type LoadedModel<I = Value | NamedValues, O = Value | NamedValues> = Module<I, O>;
