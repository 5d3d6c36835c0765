/** A TensorFlow.js model.json: which of the two formats it has, its parts, and the tensors that it lists. */
import * as z from "zod";
import { FileError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/tree.ts";
import { shown } from "../config-fields.ts";
import { name, object, readPart } from "./fields.ts";
import type { KerasVersion } from "./layers-model/layer.ts";
import { type WeightFinder, weightsByName } from "./layers-model/weights.ts";
import { type OpenShard, readManifest, type StoredWeight } from "./manifest.ts";

interface Common {
  /** What holds the model: `TensorFlow.js layers-model`. */
  readonly container: string;
  /** The stored tensors by name. */
  readonly weights: ReadonlyMap<string, StoredWeight>;
  /** What wrote the model, as far as the file says. */
  readonly producer: string;
}

/** A Keras model: layers with their configs. */
export interface LayersDocument extends Common {
  readonly format: "layers-model";
  /** How the weights of layers are found among them. */
  readonly finder: WeightFinder;
  /** The version of Keras that wrote the model; TensorFlow.js computes as Keras 2 does. */
  readonly keras: KerasVersion;
  readonly model: { readonly class_name: string; readonly config?: unknown };
}

/** A TensorFlow graph: operators with their attributes. */
export interface GraphDocument extends Common {
  readonly format: "graph-model";
  readonly graph: Readonly<Record<string, unknown>>;
  /** Which tensors go in and out; `undefined` where the file does not say. */
  readonly signature: unknown;
}

export type ModelDocument = LayersDocument | GraphDocument;

/** Models in models need some ten levels each; a file that nests deeper than this means harm. */
const maxDepth = 256;

const envelope = z.object({
  modelTopology: object("an object that describes the model"),
  generatedBy: z.string().nullish().catch(undefined),
  convertedBy: z.string().nullish().catch(undefined),
  signature: z.unknown().optional(),
  userDefinedMetadata: z.unknown().optional(),
  weightsManifest: z.unknown().optional(),
});

/** The model itself: its class and its config. */
export const kerasModel = z.object({
  class_name: name(),
  config: z.unknown().optional(),
});

/**
 * The parts of a parsed model.json. Throws FileError for a document of neither format, for one that nests too deep, and
 * for a manifest that is missing or wrong.
 */
export function readDocument(document: unknown, open?: OpenShard): ModelDocument {
  if (!isPlainObject(document))
    throw new FileError(`tfjs: a model is ${shown(document)}, expected the object that a model.json holds; parse it`);
  requireShallow(document);
  const { modelTopology: topology, ...parts } = readPart("model.json", envelope, document);
  const weights = readManifest(parts.weightsManifest, open);
  if (Array.isArray(topology["node"])) {
    const noted = isPlainObject(parts.userDefinedMetadata) ? parts.userDefinedMetadata["signature"] : undefined;
    const producer = written(parts.convertedBy, parts.generatedBy && `TensorFlow ${parts.generatedBy}`);
    return {
      format: "graph-model",
      container: "TensorFlow.js graph-model",
      graph: topology,
      signature: parts.signature ?? noted,
      weights,
      producer,
    };
  }
  // Older files have the Keras model one level deeper, beside its training config.
  const model = topology["model_config"] ?? topology;
  if (!isPlainObject(model) || !("class_name" in model))
    throw new FileError(
      `tfjs: modelTopology has ${Object.keys(topology).slice(0, 5).join(", ") || "nothing in it"}; expected a Keras model, which has class_name, or a TensorFlow graph, which has a list node; convert the model again`,
    );
  const { keras_version: version } = topology;
  const keras = typeof version === "string" ? `Keras ${version}` : undefined;
  return {
    format: "layers-model",
    container: "TensorFlow.js layers-model",
    model: readPart("modelTopology", kerasModel, model),
    weights,
    finder: weightsByName(weights),
    keras: kerasVersion(version),
    producer: written(parts.convertedBy, keras ?? parts.generatedBy),
  };
}

/** The version of Keras that a file names. */
export const kerasVersion = (version: unknown): KerasVersion =>
  typeof version === "string" && Number.parseInt(version, 10) >= 3 ? 3 : 2;

/** Throws FileError for a document whose parts nest too deep for those who walk through them. */
export function requireShallow(document: object): void {
  const pending: (readonly [part: unknown, depth: number])[] = [[document, 0]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [part, depth] = next;
    if (typeof part !== "object" || part === null) continue;
    if (depth > maxDepth)
      throw new FileError(`tfjs: model.json nests deeper than ${maxDepth} levels; no model needs as many`);
    for (const inner of Object.values(part)) pending.push([inner, depth + 1]);
  }
}

const written = (...parts: readonly (string | null | undefined)[]): string => parts.filter(Boolean).join(", ");
