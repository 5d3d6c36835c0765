/** Models from files on disk: what lies at a path, by its content, and how each kind becomes a module. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ByteSource } from "../../core/byte-source.ts";
import { atPlace, FileError, OptionError } from "../../core/errors.ts";
import { checkLimits, type Limits } from "../../core/limits.ts";
import { flag, functionOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import type { Value } from "../../graph/ir.ts";
import { openBeside, openFile } from "../../storage/file-source.node.ts";
import { ggufCheckpoint, ggufConfig, isGguf, readGguf } from "../gguf/gguf-file.node.ts";
import { type Checkpoint, modelFromHuggingFace } from "../huggingface-weights.ts";
import { type GivenTypes, givenConstants, givenTypes } from "../input-types.ts";
import { isKerasFile } from "../keras/document.ts";
import { modelFromKeras } from "../keras/model.ts";
import type { LoadedModel, NamedValues } from "../loaded-model.ts";
import { modelFromOnnx } from "../onnx-model.ts";
import { modelFromTfjs } from "../tfjs/model.ts";
import { checkpointOf, putRunWeights } from "./checkpoints.ts";
import { foreignJson, isSafetensors, readJson, refusedFormat, shardsOf } from "./file-kinds.ts";
import { cachedModel, isHubName } from "./hub-cache.node.ts";

/** Options of `loadModel`. */
export interface LoadModelOptions {
  /**
   * Types or shapes of inputs that the file leaves open, by name, or one for an only input; default those of the file.
   */
  readonly inputs?: GivenTypes;
  /**
   * Of an `.onnx` file or a graph of TensorFlow.js: elements of inputs that stay the same, by name; the model does not take these any
   * more. Inputs on which shapes depend must be given so. Default none.
   */
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** Of an `.onnx` file: limits that are other than docs/limits.md lists, for a file that is trusted. */
  readonly limits?: Limits;
  /** Of the folder of a run: the weights of its best epoch instead of the last; default false. */
  readonly best?: boolean;
  /**
   * Of a Hugging Face model: is told which tensors of the checkpoint its class does not have; default a warning of the process
   * (LoadWarning).
   */
  readonly report?: (note: string) => void;
}

const checkOptions = optionsOf<LoadModelOptions>("loadModel", {
  inputs: givenTypes,
  constants: givenConstants,
  limits: checkLimits.type,
  best: flag,
  report: functionOf("(note) => void"),
});

/** A warning of the process, which Node prints. */
const warn = (note: string): void => process.emitWarning(note, { type: "LoadWarning" });

/** Files of the folders that are read. */
const files = {
  run: "run.json",
  onnx: "model.onnx",
  checkpoint: "checkpoint.safetensors",
  best: "best.safetensors",
  deployment: "deployment.json",
  config: "config.json",
  weights: "model.safetensors",
  index: "model.safetensors.index.json",
  tfjs: "model.json",
} as const;

/**
 * Loads a model with its weights:
 * - an `.onnx` file;
 * - a `.keras` archive or an HDF5 file of Keras (`.h5`);
 * - a TensorFlow.js `model.json`, Keras's layers or a graph, or the folder of one;
 * - a Hugging Face folder: `config.json` with `model.safetensors`, or shards with their index;
 * - a folder that `saveModel` wrote;
 * - the folder of a run: `run.json` with `model.onnx`, and the weights of `checkpoint.safetensors` where it is there.
 *
 * A Keras model and a Hugging Face model are built of our layers; everything else is an ImportedModule, built of the file's graph.
 * The types `I` and `O` of what it takes and gives are yours to name; nothing checks them.
 *
 * Throws FileError for what is missing, damaged or none of these, and for weights that are missing or do not fit; OptionError,
 * ShapeError and DTypeError for `inputs` that the file does not have. Operators that are not known let no trace pass.
 * @example
 * const model = await loadModel("model.onnx");
 * const ask = predictor(model);
 * const scores = await ask(tensor([[1, 2, 3]]));
 */
export async function loadModel<I = Value | NamedValues, O = Value | NamedValues>(
  path: string,
  options: LoadModelOptions = {},
): Promise<LoadedModel<I, O>> {
  checkOptions(options);
  if (isHubName(path)) return loadModel<I, O>(cachedModel(path), options);
  if (!existsSync(path)) throw new FileError(`there is no file or folder ${path}; check the path`);
  const model = statSync(path).isDirectory()
    ? loadFolder(path, options)
    : ((await loadGguf(path, options)) ?? loadFile(path, options));
  return model as LoadedModel as LoadedModel<I, O>;
}

/** The model of a GGUF file; `undefined` for another one. */
async function loadGguf(path: string, options: LoadModelOptions): Promise<LoadedModel | undefined> {
  const file = openFile(path);
  try {
    if (!isGguf(file.read(0, Math.min(4, file.size)))) return undefined;
    refuseBest(path, options);
    const read = await readGguf(file);
    const { inputs, report = warn } = options;
    return modelFromHuggingFace(ggufConfig(read, file), ggufCheckpoint(read, file), { inputs, report });
  } catch (error) {
    throw atPlace(path, error);
  } finally {
    file.close();
  }
}

function loadFolder(folder: string, options: LoadModelOptions): LoadedModel {
  const has = (name: string) => existsSync(join(folder, name));
  if (has(files.run)) return loadRun(folder, options);
  refuseBest(folder, options);
  // Beside weights that a config describes, an ONNX file is another form of them.
  if (has(files.config) && has(files.weights)) return loadFile(join(folder, files.weights), options);
  if (has(files.config) && has(files.index)) return loadFile(join(folder, files.index), options);
  const found = [files.onnx, files.tfjs].find(has);
  if (found) return loadFile(join(folder, found), options);
  const [keras, ...others] = readdirSync(folder).filter((name) => /\.(keras|h5|hdf5)$/.test(name));
  if (keras && others.length === 0) return loadFile(join(folder, keras), options);
  const pickled = readdirSync(folder).find((name) => /\.(bin|pt|pth|ckpt|pkl)$/.test(name));
  if (pickled) return withFile(join(folder, pickled), (file) => refuseUnknown(file, pickled));
  throw new FileError(
    `${folder} holds no model: looked for ${files.onnx}, for ${files.tfjs}, and for ${files.config} with ${files.weights} or ${files.index}; give the path of a file, or of another folder`,
  );
}

function loadRun(folder: string, { best = false, ...options }: LoadModelOptions): LoadedModel {
  const path = join(folder, files.onnx);
  if (!existsSync(path))
    throw new FileError(
      `${folder} is the folder of a run without ${files.onnx}, from which its model is read; export it`,
    );
  const model = loadFile(path, options);
  const weights = join(folder, best ? files.best : files.checkpoint);
  if (existsSync(weights))
    withFile(weights, (file) => putRunWeights(model, checkpointOf([file]), trainedNames(folder)));
  else if (best) throw new FileError(`${folder} has no ${files.best}; leave out best, or train with a validation set`);
  return model;
}

/** What the checkpoint of a run calls the parameters of its model.onnx, where the two differ: that may be a part of what is trained. */
function trainedNames(folder: string): Readonly<Record<string, unknown>> {
  const path = join(folder, files.deployment);
  if (!existsSync(path)) return {};
  const { weights } = withFile(path, readJson);
  return isPlainObject(weights) ? weights : {};
}

function refuseBest(path: string, { best }: LoadModelOptions): void {
  if (best) throw new OptionError(`best is for the folder of a run, and ${path} is none; leave it out`);
}

/** Opens a file for what is done with it; errors name it. */
function withFile<T>(path: string, use: (file: ByteSource) => T): T {
  const file = openFile(path);
  try {
    return use(file);
  } catch (error) {
    throw atPlace(path, error);
  } finally {
    file.close();
  }
}

function loadFile(path: string, options: LoadModelOptions): LoadedModel {
  refuseBest(path, options);
  return withFile(path, (file) => {
    const head = file.read(0, Math.min(64, file.size));
    const [isWeights, isJson] = [isSafetensors(head, file.size), /^\s*[{[]/.test(String.fromCharCode(...head))];
    const isOnnx = path.endsWith(".onnx") || head[0] === 0x08;
    if (!isWeights && !isJson && isOnnx && refusedFormat(head) === undefined && file.size > 0) {
      const { inputs, constants, limits } = options;
      return besides(dirname(path), (external) => modelFromOnnx(file, { inputs, constants, external, limits }));
    }
    if (options.constants && !isJson)
      throw new OptionError("constants is for .onnx files and TensorFlow.js graphs, and this is none; leave it out");
    if (isKerasFile(head, file)) return modelFromKeras(file, { ...(options.inputs && { inputs: options.inputs }) });
    if (isWeights) return loadWeights(path, checkpointOf([file]), options);
    if (isJson) return loadJson(path, file, options);
    return refuseUnknown(file, basename(path));
  });
}

/** Throws FileError that says what a file is, as far as its content shows. */
function refuseUnknown(file: ByteSource, name: string): never {
  const what = refusedFormat(file.read(0, Math.min(64, file.size)));
  if (what !== undefined) throw new FileError(`it is ${what}`);
  if (file.size === 0) throw new FileError("the file is empty; write it again");
  throw new FileError(
    `${name} is no model that is supported; pass an .onnx file, a .keras or .h5 file, a TensorFlow.js model.json, or the folder of a Hugging Face model`,
  );
}

/** Opens files beside a model while it is read. */
function besides<T>(folder: string, use: (open: (location: string) => ByteSource) => T): T {
  const opened: { close(): void }[] = [];
  try {
    return use((location) => {
      const file = openBeside(folder, location);
      opened.push(file);
      return file;
    });
  } finally {
    for (const file of opened) file.close();
  }
}

function loadJson(path: string, file: ByteSource, options: LoadModelOptions): LoadedModel {
  const { inputs, constants } = options;
  const folder = dirname(path);
  const document = readJson(file);
  if ("modelTopology" in document)
    return besides(folder, (open) =>
      modelFromTfjs(document, {
        ...(inputs && { inputs }),
        ...(constants && { constants }),
        open: (location) => (existsSync(join(folder, location)) ? open(location) : undefined),
      }),
    );
  if (constants)
    throw new OptionError("constants is for .onnx files and TensorFlow.js graphs, and this is none; leave it out");
  if (isPlainObject(document["weight_map"])) {
    const map = document["weight_map"];
    return besides(folder, (open) => {
      const shards = shardsOf(map).map((name) => open(name));
      return loadWeights(path, checkpointOf(shards, map), options);
    });
  }
  if ("model_type" in document) return loadFolder(folder, options);
  throw foreignJson(document);
}

/** Weights, which the config.json beside them says how to use. */
function loadWeights(path: string, checkpoint: Checkpoint, { inputs, report = warn }: LoadModelOptions): LoadedModel {
  const config = join(dirname(path), files.config);
  if (!existsSync(config))
    throw new FileError(
      `it holds weights, and no ${files.config} beside it says what is computed of them; put the model's there`,
    );
  const document = withFile(config, readJson);
  return modelFromHuggingFace(document, checkpoint, { inputs, report });
}
