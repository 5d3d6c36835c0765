/** Networks from TensorFlow.js models, Keras's layers or TensorFlow's graphs, and from Keras's own files. */
import type { ByteSource } from "../../core/byte-source.ts";
import { inItsWords, readKerasFile } from "../../formats/keras/document.ts";
import { type GraphDocument, type LayersDocument, readDocument } from "../../formats/tfjs/document.ts";
import { importGraphModel } from "../../formats/tfjs/graph-model/import.ts";
import type { ShapeOf } from "../../formats/tfjs/inputs.ts";
import { importLayersModel, type LayersModel } from "../../formats/tfjs/layers-model/import.ts";
import type { OpenShard } from "../../formats/tfjs/manifest.ts";
import { graphNetwork } from "./graph-network.ts";
import { moduleNetwork } from "./module-network.ts";
import type { Network } from "./network.ts";
import { unknownNotes } from "./unknown-notes.ts";

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
  const { module, inputs, stored, unshaped } = model;
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
    layers: network.layers.map((layer) => (unshaped.has(layer.name) ? { ...layer, outputShape: undefined } : layer)),
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

function notesOf({ unknown, remarks }: LayersModel): readonly string[] {
  return [
    ...unknownNotes(
      unknown.map(({ className, kind, why }) => ({ type: className, kind, why })),
      "layer",
    ),
    ...remarks.map(({ className, layer, why }) => `${className} "${layer}" ${why}.`),
  ];
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
