/** Keras's own files of whole models: `.keras` archives of Keras 3, and the HDF5 files of Keras 2. */
import type { ByteSource } from "../../core/byte-source.ts";
import { FileError, reword, SardonyxError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { isPlainObject } from "../../core/tree.ts";
import { type Hdf5Group, hdf5Signature, openHdf5 } from "../../storage/hdf5/hdf5.ts";
import { readZip, type ZipEntry, zipSignature } from "../../storage/zip.ts";
import { kerasModel, kerasVersion, type LayersDocument, requireShallow } from "../tfjs/document.ts";
import { readPart } from "../tfjs/fields.ts";
import { weightsByName, weightsByPlace } from "../tfjs/layers-model/weights.ts";
import { weightsOfLayers, weightsOfPlaces } from "./weights.ts";

/** A config in JSON is smaller than this. */
const maxConfigBytes = 2 ** 28;

const entries = { config: "config.json", metadata: "metadata.json", weights: "model.weights.h5" } as const;

/** Whether a file is one that Keras writes: an HDF5 file, or an archive with the parts of a model. */
export function isKerasFile(head: Uint8Array, file: ByteSource): boolean {
  const text = String.fromCharCode(...head);
  if (text.startsWith(hdf5Signature)) return true;
  if (!text.startsWith(zipSignature)) return false;
  try {
    const names = readZip(file);
    return names.has(entries.config) && (names.has(entries.metadata) || names.has(entries.weights));
  } catch (error) {
    // What is no whole archive is refused with what is said of archives.
    if (error instanceof FileError) return false;
    throw error;
  }
}

/**
 * The model of a file. Throws FileError for one that is damaged or of another form, and for weights without the model that they are of.
 */
export function readKerasFile(file: ByteSource): LayersDocument {
  return inItsWords(() => {
    const head = String.fromCharCode(...file.read(0, Math.min(8, file.size)));
    return head.startsWith(zipSignature) ? readArchive(readZip(file)) : readHdf5(openHdf5(file));
  });
}

function readArchive(archive: ReadonlyMap<string, ZipEntry>): LayersDocument {
  const metadata = jsonIn(archive, entries.metadata) ?? {};
  const model = jsonIn(archive, entries.config);
  if (!model) throw new FileError(`keras: the archive has no ${entries.config}; save the model again`);
  requireShallow(model);
  const stored = archive.get(entries.weights);
  const weights = stored ? weightsOfPlaces(openHdf5(stored.open())) : new Map();
  const version = isPlainObject(metadata) ? metadata["keras_version"] : undefined;
  return {
    format: "layers-model",
    container: "Keras archive",
    model: readPart(entries.config, kerasModel, model),
    weights,
    finder: weightsByPlace(weights),
    keras: typeof version === "string" ? kerasVersion(version) : 3,
    producer: producerOf(version),
  };
}

function jsonIn(archive: ReadonlyMap<string, ZipEntry>, name: string): unknown {
  const entry = archive.get(name);
  if (!entry) return undefined;
  if (entry.size > maxConfigBytes)
    throw new FileError(`keras: ${name} has ${entry.size} bytes, and no config has more than ${maxConfigBytes}`);
  const source = entry.open();
  return parsed(new TextDecoder().decode(source.read(0, source.size)), name);
}

function parsed(text: string, what: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new FileError(`keras: ${what} is not valid JSON (${(cause as Error).message}); save the model again`, {
      cause,
    });
  }
}

function readHdf5(root: Hdf5Group): LayersDocument {
  const [config] = root.attribute("model_config") ?? [];
  const [version] = root.attribute("keras_version") ?? [];
  if (typeof config !== "string") {
    // Keras 2 lists layers in an attribute, Keras 3 has a group of them.
    const areWeights =
      root.attribute("layer_names") ||
      root.names.some((name) => /^(layers|_layer_checkpoint_dependencies|vars)$/.test(name));
    if (!areWeights)
      throw new FileError(
        `keras: it is an HDF5 file with ${root.names.slice(0, 5).join(", ") || "nothing in it"}, and no model of Keras; save one: model.save("model.keras")`,
      );
    throw new FileError(
      'keras: the file holds weights alone, without the model that they are of; save the whole model: model.save("model.keras")',
    );
  }
  if (config.length > maxConfigBytes)
    throw new FileError(`keras: the config has more than ${maxConfigBytes} characters`);
  const model = parsed(config, "model_config");
  if (typeof model === "object" && model !== null) requireShallow(model);
  const group = root.member("model_weights");
  const weights = group?.kind === "group" ? weightsOfLayers(group) : new Map();
  return {
    format: "layers-model",
    container: "Keras HDF5 file",
    model: readPart("model_config", kerasModel, model),
    weights,
    finder: weightsByName(weights),
    keras: kerasVersion(version),
    producer: producerOf(version),
  };
}

const producerOf = (version: unknown): string => (typeof version === "string" ? `Keras ${version}` : "");

/** What is said of a model.json, in the words of Keras's own files. */
const words: readonly (readonly [RegExp, string])[] = [
  [/^tfjs: /, "keras: "],
  [/convert the model again/g, "save the model again"],
  [/put the files of weights beside model.json/, "save the model again"],
  [/weightsManifest lists no weight/, "the file has no weight"],
  [/weightsManifest lists/, "the file has"],
  [/modelTopology wants/, "its config wants"],
];

/** Runs what reads a model, errors in the words of Keras's own files. */
export function inItsWords<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SardonyxError)
      reword(
        error,
        words.reduce((text, [form, own]) => text.replace(form, own), error.message),
      );
    throw error;
  }
}
