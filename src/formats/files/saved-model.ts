/** Models as ONNX files of our own, from which they come back as they were. */
import { optionsOf } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import { input, nodesOf, type Value } from "../../graph/ir.ts";
import type { Pass } from "../../graph/passes.ts";
import { rewrite } from "../../graph/rewrite.ts";
import { tidy } from "../../jit/compile.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { knownValue } from "../../nn/parameter-inputs.ts";
import { opsetVersion } from "../../onnx/model.ts";
import { ImportedModule } from "../imported-module.ts";
import { type ModelRecord, recordKey, writeRecord } from "../model-record.ts";
import { type EncodedOnnx, encodeTraced, inputsType, metadataType, requireFits, typesToTrace } from "./export-onnx.ts";
import { namesOf, nameTree } from "./file-names.ts";
import { type TraceOptions, tracedGraph } from "./traced-graph.ts";

/** Options of `encodeSavedModel` and `saveModel`. */
export interface SaveOptions {
  /** Types of the inputs, nested as the model takes them; default those it was last applied to. */
  readonly inputs?: TypeTree;
  /** Text to note in the file, such as the names of classes; what a model that was read has noted is kept. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const checkOptions = optionsOf<SaveOptions>("saveModel", { inputs: inputsType, metadata: metadataType });

/** Operators that no file has become what they are in those that files have; the others stay for whoever reads them. */
const written: Pass = (outputs) => {
  const isForeign = nodesOf(outputs).some(({ op }) => op.domain === "sardonyx" || op.since > opsetVersion);
  if (!isForeign) return outputs;
  const lowered = rewrite(outputs, (node) =>
    node.op.domain === "sardonyx" || node.op.since > opsetVersion ? node.op.lower(node) : undefined,
  );
  return written(lowered.outputs);
};

/**
 * The bytes of an ONNX file from which `modelFromOnnx` gives the model back: what it computes in prediction, with its parameters under
 * their paths, which of them are buffers and which frozen, and how inputs and outputs are nested. An optional input is part of it
 * where `inputs` has it. What is dropped in training is not. Throws as encodeOnnx.
 */
export const encodeSavedModel = (model: AnyModule, options: SaveOptions = {}): EncodedOnnx =>
  encodeChangedModel(model, checkOptions(options));

/** What `encodeChangedModel` takes beside the options of `encodeSavedModel`. */
export interface ChangedModelOptions extends SaveOptions {
  /** The graph that is written in place of the model's; default that. */
  readonly change?: TraceOptions["change"];
  /** Paths of parameters that are not written, since nothing reads them any more; default none. */
  readonly dropped?: ReadonlySet<string>;
}

/** As `encodeSavedModel`, of another graph than the model's: one whose parameters have other shapes. */
export function encodeChangedModel(model: AnyModule, options: ChangedModelOptions): EncodedOnnx {
  const { inputs: given, metadata, change, dropped } = options;
  const types = typesToTrace(model, given, "saveModel");
  const traced = tracedGraph(model, { types, dynamicBatch: true, passes: [...tidy, written, ...tidy], change });
  const all = new Map([...model.parameters()].filter(([path]) => !dropped?.has(path)));
  const read = new Map([...traced.parameters].map(([value, tensor]) => [value.name ?? "", [value, tensor] as const]));
  const parameters = new Map<Value, Tensor>(
    Array.from(all, ([path, parameter]) => {
      // One that this computation does not read is kept too.
      const unread = () => [input(parameter.dtype, parameter.shape, path), knownValue(parameter)] as const;
      return read.get(path) ?? unread();
    }),
  );
  requireFits(parameters.values(), "saveModel");
  const kept = model instanceof ImportedModule ? model.metadata : {};
  const taken = new Set(all.keys());
  const inputs = nameTree(traced.inputs, "input", taken);
  const outputs = nameTree(traced.output, "output", taken);
  const record: ModelRecord = {
    form: typeof model.inputs === "object" ? "named" : model.inputs,
    inputs: inputs as ModelRecord["inputs"],
    outputs,
    parameters: Array.from(all, ([path, { isBuffer, frozen }]) => ({ path, buffer: isBuffer, frozen })),
  };
  const bytes = encodeTraced(
    { ...traced, parameters },
    {
      inputNames: namesOf(inputs),
      outputNames: namesOf(outputs),
      metadata: { ...kept, ...metadata, [recordKey]: writeRecord(record) },
    },
  );
  return { bytes, obstacle: traced.obstacle };
}
