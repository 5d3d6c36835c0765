/** Models as ONNX files for other programs. */
import { OptionError } from "../../core/errors.ts";
import { flag, matching, objectOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import { pipeline } from "../../jit/compile.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";
import { encodeModel } from "../../onnx/model.ts";
import { namesOf, nameTree } from "./file-names.ts";
import { type TracedGraph, tracedGraph } from "./traced-graph.ts";

/** Options of `encodeOnnx` and `exportOnnx`. */
export interface OnnxOptions {
  /** Types of the inputs, nested as the model takes them; default those it was last applied to. */
  readonly inputs?: TypeTree;
  /** Leave the batch open where the model allows; default true. Otherwise the file is for the batch of `inputs`. */
  readonly dynamicBatch?: boolean;
  /** Text to note in the file, such as the names of classes; default none. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export const inputsType = matching<TypeTree>(
  'types nested as the model takes them, such as { dtype: "float32", shape: [1, 4] }',
  (value) => typeof value === "object" && value !== null,
);
export const metadataType = objectOf<Readonly<Record<string, string>>>("texts by name");

const checkOptions = optionsOf<OnnxOptions>("encodeOnnx", {
  inputs: inputsType,
  dynamicBatch: flag,
  metadata: metadataType,
});

/** An ONNX file. */
export interface EncodedOnnx {
  /** The file. */
  readonly bytes: Uint8Array;
  /** Why the batch is not open, where it is not but was to be: the file is for a batch of 1, else for that of `inputs`. */
  readonly obstacle: string | undefined;
}

/** A message of ONNX's format has no more bytes. */
const maxBytes = 2 ** 31 - 1;

/** The types to trace a model on. Throws OptionError where none are known. */
export function typesToTrace(model: AnyModule, given: TypeTree | undefined, what: string): TypeTree {
  const types = given ?? model.inputTypes;
  if (types !== undefined) return types;
  throw new OptionError(
    `${what}: the types of the model's inputs are not known; pass them: { inputs: { dtype: "float32", shape: [1, 3, 224, 224] } }`,
  );
}

/** Throws OptionError for parameters that no ONNX file can hold. */
export function requireFits(parameters: Iterable<Tensor>, what: string): void {
  let bytes = 0;
  for (const { data } of parameters) bytes += data.byteLength;
  if (bytes > maxBytes)
    throw new OptionError(
      `${what}: the parameters take ${bytes} bytes, and an ONNX file holds ${maxBytes} at most; save them as safetensors`,
    );
}

/**
 * The bytes of an ONNX file that computes a model's prediction. Inputs have their names, `input` where the model takes one tensor
 * without a name; outputs alike, `output` where there is one. Parameters are initializers named by their paths. Throws OptionError
 * where the types of inputs are not known, DataError for a parameter without a value, and what tracing throws.
 * @example const { bytes, obstacle } = encodeOnnx(model, { inputs: { dtype: "float32", shape: [1, 4] } });
 */
export function encodeOnnx(model: AnyModule, options: OnnxOptions = {}): EncodedOnnx {
  const { inputs, dynamicBatch = true, metadata } = checkOptions(options);
  const traced = tracedGraph(model, {
    types: typesToTrace(model, inputs, "encodeOnnx"),
    dynamicBatch,
    passes: pipeline,
  });
  requireFits(traced.parameters.values(), "encodeOnnx");
  const taken = new Set<string>();
  const inputNames = namesOf(nameTree(traced.inputs, "input", taken));
  const outputNames = namesOf(nameTree(traced.output, "output", taken));
  return { bytes: encodeTraced(traced, { inputNames, outputNames, metadata }), obstacle: traced.obstacle };
}

interface Naming {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Writes a traced model. */
export const encodeTraced = (
  { graph, symbols, parameters }: Pick<TracedGraph, "graph" | "symbols" | "parameters">,
  { inputNames, outputNames, metadata = {} }: Naming,
): Uint8Array => encodeModel(graph, { initializers: parameters, inputNames, outputNames, symbols, metadata });
