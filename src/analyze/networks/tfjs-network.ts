/** Networks from TensorFlow.js models, Keras's layers or TensorFlow's graphs, and from Keras's own files. */
import type { ByteSource } from "../../core/byte-source.ts";
import { inItsWords, readKerasFile } from "../../formats/keras/document.ts";
import { type GraphDocument, type LayersDocument, readDocument } from "../../formats/tfjs/document.ts";
import { importGraphModel } from "../../formats/tfjs/graph-model/import.ts";
import type { ShapeOf } from "../../formats/tfjs/inputs.ts";
import { importLayersModel, type LayersModel } from "../../formats/tfjs/layers-model/import.ts";
import type { OpenShard, StoredWeight } from "../../formats/tfjs/manifest.ts";
import { graphNetwork } from "./graph-network.ts";
import { moduleNetwork } from "./module-network.ts";
import type { Network } from "./network.ts";
import { unknownNotes } from "./unknown-notes.ts";
import { weightsNetwork } from "./weights-network.ts";

export interface TfjsOptions {
  /** Opens files of weights beside the model, of which shapes may depend; default: there are none. */
  readonly open?: OpenShard;
  /** The shape of an input, channels last; default the declared one. Throws ShapeError for one that cannot be known. */
  readonly shapeOf?: ShapeOf;
}

/** The network of a parsed model.json. Throws FileError for a file that is damaged, ShapeError for shapes that do not fit. */
export function tfjsNetwork(name: string, json: unknown, { open, shapeOf }: TfjsOptions = {}): Network {
  const document = readDocument(json, open);
  return document.format === "layers-model"
    ? layersNetwork(name, document, shapeOf)
    : graphModelNetwork(name, document, shapeOf);
}

const sourceOf = ({ container, producer }: LayersDocument | GraphDocument): string =>
  `${container}${producer ? `, written by ${producer}` : ""}`;

/** The network of a `.keras` archive or of an HDF5 file of Keras. Throws as `tfjsNetwork` does. */
export const kerasNetwork = (name: string, file: ByteSource, shapeOf?: ShapeOf): Network =>
  inItsWords(() => layersNetwork(name, readKerasFile(file), shapeOf));

function layersNetwork(name: string, document: LayersDocument, shapeOf: TfjsOptions["shapeOf"]): Network {
  const model = importLayersModel(document, shapeOf);
  const notes = notesOf(model);
  const { traced } = model;
  if (!traced) return unconnected(name, document, notes);
  const { module, inputs, stored } = traced;
  const network = moduleNetwork({ name, source: sourceOf(document), model: module, inputs });
  const parameters = network.parameters.map((parameter) => {
    const type = stored.get(parameter.name)?.stored.type;
    return type ? { ...parameter, type: type.name, bits: type.bits } : parameter;
  });
  const missing = parameters.filter((parameter) => !stored.has(parameter.name));
  const used = new Set(Array.from(stored.values(), (kept) => kept.stored.name));
  const beyond = [...document.weights.keys()].filter((own) => !used.has(own));
  return {
    ...network,
    parameters,
    notes: [
      ...network.notes,
      ...notes,
      ...someOf(
        missing.map((parameter) => parameter.name),
        (tensors) => `The file lists no weights for ${tensors} of the model`,
      ),
      ...someOf(beyond, (tensors) => `The file lists ${tensors} that no layer has, not counted here`),
    ],
  };
}

function notesOf({ unknown, remarks, problem }: LayersModel): readonly string[] {
  return [
    ...unknownNotes(
      unknown.map(({ className, why }) => ({ type: className, kind: "operator", why })),
      "layer",
    ),
    ...remarks.map(({ className, layer, why }) => `${className} "${layer}" ${why}.`),
    ...(problem ? [`What follows it does not fit together: ${problem}. Only the weights are shown.`] : []),
  ];
}

/** The weights of a model whose layers cannot be connected. */
function unconnected(name: string, document: LayersDocument, notes: readonly string[]): Network {
  const tensors = Array.from(document.weights.values(), ({ name: own, shape, type }: StoredWeight) => ({
    name: own.replaceAll("/", "."),
    shape,
    type: type.name,
    bits: type.bits,
  }));
  return { ...weightsNetwork(name, sourceOf(document), tensors), notes };
}

function graphModelNetwork(name: string, document: GraphDocument, shapeOf: TfjsOptions["shapeOf"]): Network {
  const model = importGraphModel(document, shapeOf);
  const { settings, shapes, unread } = model;
  const unknown = Array.from(model.unknown, ([node, reason]) => ({ type: node.op.type, ...reason }));
  const hasMissing = settings.some(({ value }) => value !== undefined) && unknown.some(({ kind }) => kind === "shape");
  const network = graphNetwork({
    name,
    source: sourceOf(document),
    model,
    settings,
    shapes,
    kernelFirst: true,
    notes: unknownNotes(unknown, "node"),
  });
  const counted = new Set(network.parameters.map(({ value }) => value));
  const aside = [...model.weights].flatMap(([value, tensor]) => (counted.has(value) ? [] : [tensor.name]));
  return {
    ...network,
    notes: [
      ...network.notes,
      ...(hasMissing
        ? ["The files of weights are not beside it: what depends on the numbers in them is not known."]
        : []),
      ...someOf([...unread, ...aside], (tensors) => `The file lists ${tensors} that no output needs, not counted here`),
    ],
  };
}

/** A sentence about some tensors, of which the first are named; none for none. */
function someOf(names: readonly string[], sentence: (tensors: string) => string): readonly string[] {
  if (names.length === 0) return [];
  return [
    `${sentence(names.length === 1 ? "one tensor" : `${names.length} tensors`)}: ${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}.`,
  ];
}
