/** TensorFlow.js models as modules whose parameters have their values. */
import { bytesPerElement } from "../../core/dtype.ts";
import { FileError, OptionError } from "../../core/errors.ts";
import { groupBy } from "../../core/group-by.ts";
import { functionOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Shape } from "../../core/shape.ts";
import { asFloat32, type Tensor, transposed } from "../../core/tensor.ts";
import type { Declared } from "../../import/declared.ts";
import {
  type BindWeight,
  type BuiltGraph,
  type GraphSource,
  ImportedModule,
  type SourceWeight,
} from "../imported-module.ts";
import {
  constantsByName,
  type GivenTypes,
  givenConstants,
  givenTypes,
  settleTypes,
  shapeChooser,
} from "../input-types.ts";
import type { LoadedModel } from "../loaded-model.ts";
import { type GraphDocument, type LayersDocument, readDocument } from "./document.ts";
import { type GraphFile, readGraphFile } from "./graph-model/graph-def.ts";
import { importGraphFile } from "./graph-model/import.ts";
import { isStored, weightsOfGraph } from "./graph-model/tensors.ts";
import type { Remark } from "./layers-model/builder.ts";
import { importLayersModel, type StoredParameter } from "./layers-model/import.ts";
import { readTopology } from "./layers-model/topology.ts";
import type { OpenShard, StoredWeight } from "./manifest.ts";

/** Options of `modelFromTfjs`. */
export interface TfjsModelOptions {
  /**
   * Types or shapes of inputs that the file leaves open, by name, or one for an only input; channels are last; default
   * those of the file.
   */
  readonly inputs?: GivenTypes;
  /**
   * Elements of a graph's inputs that stay the same, by name; the model does not take these any more. Inputs on which shapes depend
   * must be given so. Default none.
   */
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** Opens the files of weights beside the model; default: there are none. */
  readonly open?: OpenShard;
}

const checkOptions = optionsOf<TfjsModelOptions>("modelFromTfjs", {
  inputs: givenTypes,
  constants: givenConstants,
  open: functionOf("(path) => bytes of the file"),
});

/**
 * The model of a parsed model.json, a Keras model or a TensorFlow graph, with its weights. A graph is an ImportedModule. Throws
 * FileError for a file that is damaged and for weights that are missing, ShapeError for an extent that is open and not given.
 * Layers and operators that are not known let no trace pass, and are listed then.
 */
export function modelFromTfjs(json: unknown, options: TfjsModelOptions = {}): LoadedModel {
  const { inputs, constants, open } = checkOptions(options);
  const document = readDocument(json, open);
  if (document.format === "graph-model") return graphModel(document, inputs, constants);
  if (constants)
    throw new OptionError("constants is for graphs, and this is a Keras model, whose shapes are known; leave it out");
  return layersModel(document, inputs);
}

/** The model of a document of layers, with its weights. */
export function layersModel(document: LayersDocument, given: GivenTypes | undefined): LoadedModel {
  const { class_name, config } = document.model;
  const names = readTopology(class_name, config).inputs.map(({ name }) => name);
  const { module, stored, unknown } = importLayersModel(document, shapeChooser(names, given));
  for (const [path, parameter] of module.parameters()) {
    const kept = stored.get(path);
    if (!kept)
      throw new FileError(`tfjs: weightsManifest lists no weight for the parameter "${path}"; convert the model again`);
    parameter.value = parameterValue(kept);
  }
  if (unknown.length > 0) module.refuse(unknownLayers(unknown));
  return module;
}

function unknownLayers(unknown: readonly Remark[]): string {
  const layers = unknown.filter(({ kind }) => kind === "operator");
  const groups = groupBy(layers, ({ className, why }) => `${className}: ${why}`);
  const listed = Array.from(groups, ([text, all]) => `${text} ("${all.map(({ layer }) => layer).join('", "')}")`);
  return `the file has layers that are not supported: ${listed.join("; ")}. Its weights are loaded, but it cannot run; convert the model without these layers`;
}

/** The elements of a parameter in the order of its axes. */
function parameterValue({ stored, axes }: StoredParameter): Tensor<"float32"> {
  const tensor = asFloat32(elementsOf(stored));
  return axes ? transposed(tensor, axes) : tensor;
}

/** The elements of a stored tensor. Throws FileError where there are none to be had. */
function elementsOf(stored: StoredWeight): Tensor {
  const tensor = stored.read();
  if (tensor) return tensor;
  throw new FileError(
    `tfjs: the elements of "${stored.name}" are not there, of type ${stored.type.name}; put the files of weights beside model.json`,
  );
}

function graphModel(
  document: GraphDocument,
  given: GivenTypes | undefined,
  constants: Readonly<Record<string, Tensor>> | undefined,
): ImportedModule {
  const source = new TfjsGraph(readGraphFile(document), document.weights, constants);
  return new ImportedModule(source, { types: settleTypes(source.inputs, given) });
}

/** A TensorFlow graph in memory, with the elements of its tensors. */
class TfjsGraph implements GraphSource {
  readonly inputs: readonly Declared[];
  readonly outputs: readonly string[];
  readonly weights: readonly SourceWeight[];
  readonly metadata = {};
  readonly #file: GraphFile;
  readonly #manifest: ReadonlyMap<string, StoredWeight>;
  readonly #constants: ReadonlyMap<string, Tensor>;
  readonly #held: ReadonlyMap<StoredWeight, Tensor>;

  constructor(
    file: GraphFile,
    manifest: ReadonlyMap<string, StoredWeight>,
    constants: Readonly<Record<string, Tensor>> | undefined,
  ) {
    this.#file = file;
    this.#manifest = manifest;
    const inputs = file.inputs.map((name) => declaredInput(file, name));
    this.#constants = constantsByName(inputs, constants);
    this.inputs = inputs.filter(({ name }) => !this.#constants.has(name));
    this.outputs = uniqueNames(file.outputs.map(({ name }) => name));
    const weights = weightsOfGraph(file, manifest);
    this.weights = weights.map(({ name, stored, isBuffer }) => ({
      name,
      isBuffer,
      value: asFloat32(elementsOf(stored)),
    }));
    const learned = new Set(weights.map(({ stored }) => stored));
    const others = file.nodes.flatMap(({ name, op }) => (isStored(op) ? (manifest.get(name) ?? []) : []));
    this.#held = new Map(
      others.filter((stored) => stored.dtype && !learned.has(stored)).map((stored) => [stored, elementsOf(stored)]),
    );
  }

  build(shapes: readonly (readonly Shape[] | undefined)[], bind: BindWeight): BuiltGraph {
    const given = new Map(this.inputs.map(({ name }, i) => [name, shapes[i]?.[0] ?? []]));
    const { graph, inputs, unknown } = importGraphFile(this.#file, this.#manifest, {
      shapeOf: ({ name }) => given.get(name) ?? [],
      constants: this.#constants,
      bind: ({ name }) => bind(name, "float32"),
      read: (stored) => this.#held.get(stored) ?? elementsOf(stored),
    });
    return { inputs, outputs: graph.outputs, unknown };
  }
}

function declaredInput({ nodes, declared }: GraphFile, name: string): Declared {
  const attributes = nodes.find((node) => node.name === name)?.attributes;
  const dtype = attributes?.dtypeIfKnown("dtype");
  return {
    name,
    type: dtype && { name: dtype, bits: 8 * bytesPerElement(dtype), dtype },
    extents: declared.get(name) ?? attributes?.extents(),
  };
}

/** Names, of which those that are there already are numbered. */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((wanted) => {
    let name = wanted;
    for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
    taken.add(name);
    return name;
  });
}
