/** ONNX files as modules. */
import { type ByteSource, memorySource } from "../core/byte-source.ts";
import { FileError } from "../core/errors.ts";
import { checkLimits, type Limits } from "../core/limits.ts";
import { functionOf } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import type { Shape } from "../core/shape.ts";
import { asFloat32, type Tensor } from "../core/tensor.ts";
import type { Declared } from "../import/declared.ts";
import { type FileWeight, weightsOfFile } from "../onnx/file-weights.ts";
import { importFile, refuseExternal } from "../onnx/import.ts";
import { type FileAttribute, type FileGraph, type ModelFile, readModelFile } from "../onnx/model-file.ts";
import { isValue, Sequence } from "../onnx/names.ts";
import { isFileGraph } from "../onnx/sort.ts";
import type { OpenExternal, StoredTensor } from "../onnx/tensor.ts";
import { isWeight, type WeightRule } from "../onnx/weights.ts";
import {
  type BindWeight,
  type BuildOptions,
  type BuiltGraph,
  type GraphSource,
  ImportedModule,
  type SourceWeight,
} from "./imported-module.ts";
import { constantsByName, type GivenTypes, givenConstants, givenTypes, settleTypes } from "./input-types.ts";
import { nestingOfRecord, readRecord, recordKey } from "./model-record.ts";

/** Options of `modelFromOnnx`. */
export interface OnnxModelOptions {
  /**
   * Types or shapes of inputs that the file leaves open, by name, or one for an only input; default those of the file.
   */
  readonly inputs?: GivenTypes;
  /**
   * Elements of inputs that stay the same, by name; the model does not take these any more. Inputs on which shapes depend must be
   * given so. Default none.
   */
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** Opens files beside the model, for tensors that lie there; default: refuses. */
  readonly external?: OpenExternal;
  /** Limits that are other than docs/limits.md lists, for a file that is trusted. */
  readonly limits?: Limits;
}

const checkOptions = optionsOf<OnnxModelOptions>("modelFromOnnx", {
  inputs: givenTypes,
  constants: givenConstants,
  external: functionOf("(path) => bytes of the file"),
  limits: checkLimits.type,
});

/**
 * An ONNX file as a module; its weights, in any float, become float32 parameters. A file that `encodeSavedModel` wrote comes back
 * with its nesting, buffers and frozen parameters. Everything that is needed of the file is read at once. Throws FileError for a
 * file that is damaged, OptionError and ShapeError for input types that it does not have.
 * @example const model = modelFromOnnx(new Uint8Array(await (await fetch("model.onnx")).arrayBuffer()));
 */
export function modelFromOnnx(file: Uint8Array | ByteSource, options: OnnxModelOptions = {}): ImportedModule {
  checkOptions(options);
  const source = file instanceof Uint8Array ? memorySource(file) : file;
  const read = readModelFile(source, options.external ?? refuseExternal);
  const written = read.metadata.get(recordKey);
  const record = written === undefined ? undefined : readRecord(written);
  const constants = constantsByName(read.graph.inputs, options.constants);
  const known = record && new Map(record.parameters.map(({ path, buffer }) => [path, buffer]));
  const graph = new OnnxSource(read, { constants, known, limits: options.limits });
  const types = settleTypes(graph.inputs, options.inputs);
  if (!record) return new ImportedModule(graph, { types });
  const model = new ImportedModule(graph, { types, nesting: nestingOfRecord(record, graph) });
  for (const { path, frozen } of record.parameters) {
    const parameter = model.own.get(path);
    if (parameter && frozen) parameter.frozen = true;
  }
  return model;
}

/** The structure of an ONNX file in memory, with the elements of its tensors. */
class OnnxSource implements GraphSource {
  readonly inputs: readonly Declared[];
  readonly outputs: readonly string[];
  readonly weights: readonly SourceWeight[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly #file: ModelFile;
  readonly #constants: ReadonlyMap<string, Tensor>;
  readonly #limits: Limits | undefined;
  readonly #names: ReadonlyMap<StoredTensor, string>;
  readonly #isWeight: WeightRule;
  /** Of the tensors that are no weights, or not everywhere; or why they cannot be read. */
  readonly #held: ReadonlyMap<StoredTensor, Tensor | FileError>;

  /**
   * @param constants elements of inputs
   * @param known whether the initializers of these names are buffers; then they are the weights. Default: by their use
   */
  constructor(
    file: ModelFile,
    {
      constants,
      known,
      limits,
    }: {
      readonly constants: ReadonlyMap<string, Tensor>;
      readonly known: ReadonlyMap<string, boolean> | undefined;
      readonly limits: Limits | undefined;
    },
  ) {
    this.#file = file;
    this.#constants = constants;
    this.#limits = limits;
    this.inputs = file.graph.inputs.filter(({ name }) => !constants.has(name));
    this.outputs = file.graph.outputs.map(({ name }) => name);
    this.metadata = Object.fromEntries([...file.metadata].filter(([key]) => key !== recordKey));
    const found = known ? namedWeights(file, known) : weightsOfFile(file, isFloatWeight);
    this.#names = new Map(found.map(({ stored, name }) => [stored, name]));
    this.#isWeight = (stored, ...use) => this.#names.has(stored) && (known !== undefined || isWeight(stored, ...use));
    this.weights = found.map(({ stored, name, isBuffer }) => ({ name, isBuffer, value: asFloat32(stored.read()) }));
    const only = new Set(found.flatMap(({ stored, isSetting }) => (isSetting ? [] : [stored])));
    this.#held = new Map(
      storedTensors(file)
        .filter((stored) => !only.has(stored))
        .map((stored) => [stored, attempted(() => stored.read())]),
    );
  }

  build(
    shapes: readonly (readonly Shape[] | undefined)[],
    bind: BindWeight,
    { bothBranches = false }: BuildOptions = {},
  ): BuiltGraph {
    const given = new Map(this.inputs.map((declared, i) => [declared, shapes[i]]));
    const { graph, inputs, results, unknown } = importFile(this.#file, {
      shapeOf: (declared) => given.get(declared)?.[0] ?? [],
      itemsOf: (declared) => given.get(declared),
      constants: this.#constants,
      limits: this.#limits,
      choices: bothBranches ? "both" : "kept",
      isWeight: this.#isWeight,
      bind: (stored) => bind(this.#names.get(stored) as string, stored.type.dtype),
      read: (stored) => {
        const held = this.#held.get(stored) ?? stored.read();
        if (held instanceof FileError) throw held;
        return held;
      },
    });
    const forms = results.map((result) =>
      result instanceof Sequence ? result.items.length : isValue(result) ? "tensor" : "nothing",
    );
    return { inputs, outputs: graph.outputs, forms, unknown };
  }
}

/** As isWeight, of floats alone: whole numbers, quantized weights among them, are constants of the graph. */
const isFloatWeight: WeightRule = (stored, ...use) => /^b?float/.test(stored.type.name) && isWeight(stored, ...use);

/** The result, or the FileError that it throws. */
function attempted<T>(action: () => T): T | FileError {
  try {
    return action();
  } catch (error) {
    if (error instanceof FileError) return error;
    throw error;
  }
}

/** The initializers of a file that are parameters by its own record. Throws FileError for one that is missing or no float32. */
function namedWeights(file: ModelFile, known: ReadonlyMap<string, boolean>): readonly FileWeight[] {
  return Array.from(known, ([name, isBuffer]) => {
    const stored = file.graph.initializers.get(name);
    if (stored?.type.name === "float32") return { stored, name, isBuffer, isSetting: false };
    throw new FileError(
      `onnx: the file ${stored ? `has the parameter "${name}" as ${stored.type.name}` : `lacks the parameter "${name}"`}, which its own record lists as float32; save the model again`,
    );
  });
}

/** Every tensor of a file: initializers, those of Constant nodes and other attributes, within branches and functions too. */
function storedTensors({ graph, functions }: ModelFile): readonly StoredTensor[] {
  const found = new Set<StoredTensor>();
  const ofAttributes = (attributes: ReadonlyMap<string, FileAttribute>) => {
    for (const attribute of attributes.values()) {
      if (typeof attribute !== "object") continue;
      if ("read" in attribute) found.add(attribute);
      else if (isFileGraph(attribute)) ofGraph(attribute);
    }
  };
  const ofGraph = ({ initializers, nodes }: Pick<FileGraph, "initializers" | "nodes">) => {
    for (const stored of initializers.values()) found.add(stored);
    for (const { attributes } of nodes) ofAttributes(attributes);
  };
  ofGraph(graph);
  for (const { nodes, defaults } of functions.values()) {
    ofGraph({ initializers: new Map(), nodes });
    ofAttributes(defaults);
  }
  return [...found];
}
