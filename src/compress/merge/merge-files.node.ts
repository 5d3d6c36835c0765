/** Merging of models from file to file: tensor by tensor, in the memory of a few tensors, into a folder that appears whole. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { atPlace, NonFiniteError } from "../../core/errors.ts";
import { float32ToBfloat16, float32ToFloat16 } from "../../core/half.ts";
import { functionOf, listOf, matching, objectOf, oneOf, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { size } from "../../core/shape.ts";
import { isPlainObject } from "../../core/tree.ts";
import { readJson } from "../../formats/files/file-kinds.ts";
import { loadModel } from "../../formats/files/load-model.node.ts";
import { encodeSavedModel } from "../../formats/files/saved-model.ts";
import type { StoredTensor } from "../../formats/stored-tensors.ts";
import { storedTypeOf } from "../../formats/stored-types.ts";
import type { TypeTree } from "../../nn/index.ts";
import { writeFileAtomic, writeFilesAtomic } from "../../storage/atomic.node.ts";
import { encryptionOf, encryptionOfFolder, encryptTo } from "../../storage/encryption/recipients.node.ts";
import { openBeside } from "../../storage/file-source.node.ts";
import { writeSafetensors } from "../../storage/safetensors-writer.node.ts";
import { intoFolder, requireFree } from "../../storage/whole-folder.node.ts";
import { memoryPrefix } from "../../train/load-parameters.ts";
import { requireCompatible } from "./compatible.ts";
import { type MergeMethod, taskVectors } from "./method.ts";
import { productsOf } from "./products.ts";
import { requireBase } from "./tensors.ts";
import { openWeights, type WeightFiles, type WeightShard } from "./weight-files.node.ts";

/** Element types that can be written, with their names in the format. */
const writtenTypes = { float32: "F32", float16: "F16", bfloat16: "BF16" } as const;
/** An element type that merged weights are written in. */
export type MergedType = keyof typeof writtenTypes;
/** Those that there are. */
export const mergedTypes = Object.keys(writtenTypes) as readonly MergedType[];

/** Options of `mergeFiles`. */
export interface MergeFilesOptions {
  /** How tensors are merged. */
  readonly method: MergeMethod;
  /** The folder to write, which must be missing or empty. */
  readonly out: string;
  /** Path of the model that the others were fine-tuned from, for methods that add differences from it. */
  readonly base?: string | undefined;
  /** Element type of the merged floats; default that of each tensor in the models. */
  readonly dtype?: MergedType | undefined;
  /** To whom all files are encrypted: `age1…`, a file of recipients, or `passphrase`; default to whom those of the first model are. */
  readonly encryptTo?: string | undefined;
  /** Stops between two tensors, and leaves nothing. */
  readonly signal?: AbortSignal | undefined;
  /** Is told what somebody should know, as it is found; default it stands in the result alone. */
  readonly report?: ((note: string) => void) | undefined;
}

const checkOptions = optionsOf<MergeFilesOptions>("mergeFiles", {
  method: required(objectOf<MergeMethod>("a method such as average()")),
  out: required(string),
  base: string,
  dtype: oneOf(...mergedTypes),
  encryptTo: string,
  signal: matching<AbortSignal>("an AbortSignal", (value) => value instanceof AbortSignal),
  report: functionOf("(note) => …"),
});
const pathsType = listOf(string, "paths");
const checkPaths = optionsOf<{ readonly models: readonly string[] }>("mergeFiles", { models: required(pathsType) });

/** A tensor of the result. */
export interface MergedTensor extends StoredTensor {
  /**
   * Scalar products of the models' tensors with each other, [models][models]; with a base those of their differences from it. `undefined`
   * for what was taken from the first model.
   */
  readonly products: readonly (readonly number[])[] | undefined;
}

/** What `mergeFiles` made. */
export interface MergedFiles {
  /** The folder. */
  readonly out: string;
  /** The files in it that hold weights. */
  readonly files: readonly string[];
  /** Bytes of those files. */
  readonly bytes: number;
  /** Every tensor. */
  readonly tensors: readonly MergedTensor[];
  /** Files taken from the first model as they are. */
  readonly copied: readonly string[];
  /** What somebody should know, such as what was taken from the first model since it is no float. */
  readonly notes: readonly string[];
}

/**
 * Merges models that lie in files, tensor by tensor: safetensors files, Hugging Face folders with one file or shards, folders of runs. The
 * result is like the first: files of the same names, with its config and tokenizer; of a run a run's folder, which opens as the first did,
 * with the weights alone of its checkpoint: it is not trained on. Floats are computed in float32 and stored in the type that they had, or in
 * `dtype`. What is no float must be equal, else it is the first model's. `merge.json` says what was merged. The folder appears whole or not
 * at all.
 *
 * Throws OptionError, ShapeError or DTypeError that names what differs between the models, OptionError for a folder that is not empty,
 * FileError for what cannot be read or written, NonFiniteError for a result that is not finite, and what the method throws.
 * @example await mergeFiles(["runs/a", "runs/b"], { method: average(), out: "runs/soup" });
 */
export async function mergeFiles(models: readonly string[], options: MergeFilesOptions): Promise<MergedFiles> {
  const { method, out, base } = checkOptions(options);
  checkPaths({ models });
  method.requireModels(models.length);
  requireBase(method, base !== undefined);
  requireFree(out);
  const opened: WeightFiles[] = [];
  try {
    for (const path of models) opened.push(openWeights(path));
    const from = base === undefined ? undefined : openWeights(base);
    if (from) opened.push(from);
    requireCompatible(opened.map(({ facts }) => facts));
    return await intoFolder(resolve(out), (folder) =>
      new Merging(opened.slice(0, models.length), from, options).write(folder),
    );
  } finally {
    for (const files of opened) files.close();
  }
}

/** Files of a Hugging Face folder that belong to the model beside its weights: config, tokenizer, templates. */
const isBesideWeights = (name: string): boolean =>
  /\.(json|txt|model|jinja|tiktoken)$/.test(name) && !name.endsWith(".index.json") && name !== recordName;

/** Files of a run by which it opens. Its report, log and evaluation are of the run that was trained. */
const modelName = "model.onnx";
const runParts = ["run.json", "deployment.json", "prepare.onnx", modelName];
const recordName = "merge.json";

/** One merge under way. */
class Merging {
  readonly #models: readonly WeightFiles[];
  readonly #first: WeightFiles;
  readonly #base: WeightFiles | undefined;
  readonly #options: MergeFilesOptions;
  readonly #tensors: MergedTensor[] = [];
  readonly #notes: string[] = [];

  constructor(models: readonly WeightFiles[], base: WeightFiles | undefined, options: MergeFilesOptions) {
    [this.#models, this.#first] = [models, models[0] as WeightFiles];
    [this.#base, this.#options] = [base, options];
  }

  async write(folder: string): Promise<MergedFiles> {
    const { shards, kind } = this.#first;
    const { encryptTo: to } = this.#options;
    const encryption = to === undefined ? encryptionOfFolder(this.#first.folder) : await encryptionOf(encryptTo(to));
    await writeFilesAtomic(folder, encryption, []);
    let bytes = 0;
    for (const shard of shards) bytes += await this.#writeShard(folder, shard, this.#fileOf(shard));
    const files = shards.map((shard) => this.#fileOf(shard));
    if (shards.length > 1) await this.#writeIndex(folder);
    if (kind === "run") this.#noteRuns();
    const copied = kind === "file" ? [] : await this.#copy(folder);
    if (kind === "run") await this.#writeModel(folder);
    await writeFileAtomic(join(folder, recordName), `${JSON.stringify(this.#record(), null, 2)}\n`);
    const { out } = this.#options;
    return { out: resolve(out), files, bytes, tensors: this.#tensors, copied, notes: this.#notes };
  }

  /** The name of a file of the result: one file alone has the name by which it is found. */
  #fileOf({ file }: WeightShard): string {
    return this.#first.kind === "file" && this.#first.shards.length === 1 ? "model.safetensors" : file;
  }

  #note(note: string): void {
    this.#notes.push(note);
    this.#options.report?.(note);
  }

  /** Writes a file like one of the first model's. Returns its bytes. */
  #writeShard(folder: string, { header }: WeightShard, file: string): Promise<number> {
    const { kind } = this.#first;
    const isWritten = (name: string) => kind !== "run" || !name.startsWith(memoryPrefix);
    const tensors = header.entries
      .filter(({ name }) => isWritten(name))
      .map((entry) => ({ ...entry, type: this.#typeOf(entry.type), stored: entry.type }));
    const merged = new Set(this.#first.tensorNames);
    return writeSafetensors(
      join(folder, file),
      tensors,
      ({ name, type }) => {
        this.#options.signal?.throwIfAborted();
        return merged.has(name) ? this.#merged(name, type) : this.#first.bytes(name);
      },
      header.metadata,
    );
  }

  /** The type in which a tensor is written. */
  #typeOf(type: string): string {
    const { dtype } = this.#options;
    return dtype !== undefined && isFloatType(type) ? writtenTypes[dtype] : type;
  }

  /** The bytes of a merged tensor. */
  #merged(name: string, type: string): Uint8Array {
    const entry = this.#first.entry(name);
    const facts = { name, ...storedTypeOf({ type, shape: entry.shape }) };
    if (!isFloatType(entry.type)) {
      const own = this.#first.bytes(name);
      if (!this.#models.every((model) => sameBytes(own, model.bytes(name))))
        this.#note(`${name} (${facts.type}) differs between the models, and is taken from the first`);
      this.#tensors.push({ ...facts, products: undefined });
      return own;
    }
    const values = this.#models.map((model) => model.floats(name));
    const base = this.#base?.floats(name);
    this.#tensors.push({ ...facts, products: productsOf(base ? taskVectors(values, base) : values) });
    return encoded(name, this.#options.method.combine({ path: name, values, base }), type);
  }

  async #writeIndex(folder: string): Promise<void> {
    const map = this.#first.shards.flatMap((shard) =>
      shard.header.entries.map(({ name }) => [name, this.#fileOf(shard)] as const),
    );
    const total = this.#tensors.reduce((sum, { shape, bits }) => sum + Math.ceil((size(shape) * bits) / 8), 0);
    const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(map) };
    await writeFileAtomic(join(folder, "model.safetensors.index.json"), `${JSON.stringify(index, null, 2)}\n`);
  }

  /** Copies what belongs to the first model beside its weights. Returns the names. */
  async #copy(folder: string): Promise<readonly string[]> {
    const from = this.#first.folder;
    const wanted = (name: string) => (this.#first.kind === "run" ? runParts.includes(name) : isBesideWeights(name));
    const names = readdirSync(from)
      .filter((name) => wanted(name) && statSync(join(from, name)).isFile())
      .sort();
    for (const name of names) {
      const file = openBeside(from, name);
      try {
        const { dtype } = this.#options;
        const isConfig = name === "config.json" && dtype !== undefined;
        const content = isConfig ? retyped(readJson(file), dtype) : file.read(0, file.size);
        await writeFileAtomic(join(folder, name), content);
      } finally {
        file.close();
      }
    }
    // Written anew with the merged weights.
    return names.filter((name) => name !== modelName);
  }

  /** Notes what other runs were trained with that the first was not, since the result has what the first has. */
  #noteRuns(): void {
    const [first, ...others] = this.#models.map(({ kind, folder, name }) => {
      const record = kind === "run" ? jsonBeside(folder, "run.json") : {};
      const { facts } = kind === "run" ? jsonBeside(folder, "deployment.json") : {};
      const { settings } = record;
      return { name, facts: JSON.stringify(facts), seed: isPlainObject(settings) ? settings["seed"] : undefined };
    });
    for (const { name, facts, seed } of others) {
      if (seed !== undefined && seed !== first?.seed)
        this.#note(
          `${name} was trained with the seed ${seed}, not ${first?.seed}: where the seed splits the data, a test of the result may hold what ${name} was trained on`,
        );
      if (facts !== undefined && facts !== first?.facts)
        this.#note(
          `what ${name} learned of its data, such as scales or words, is not what ${first?.name} learned; the result has those of ${first?.name}`,
        );
    }
  }

  /** Writes model.onnx of a run anew, with the merged weights, for programs that read it alone. */
  async #writeModel(folder: string): Promise<void> {
    const path = join(folder, modelName);
    if (!existsSync(path)) return;
    const { inputs } = jsonBeside(folder, "deployment.json");
    const model = await loadModel(folder);
    const { bytes } = encodeSavedModel(model, { inputs: inputs as TypeTree });
    await writeFileAtomic(path, bytes);
  }

  /** What was merged, for whoever finds the folder. */
  #record() {
    const { method, dtype } = this.#options;
    return {
      format: "sardonyx-merge-1",
      method: method.name,
      settings: method.settings,
      models: this.#models.map(({ name }) => name),
      ...(this.#base && { base: this.#base.name }),
      ...(dtype && { dtype }),
      notes: this.#notes,
    };
  }
}

/** The object of a JSON file in a folder; empty where there is none. */
function jsonBeside(folder: string, name: string): Readonly<Record<string, unknown>> {
  if (!existsSync(join(folder, name))) return {};
  const file = openBeside(folder, name);
  try {
    return readJson(file);
  } catch (error) {
    throw atPlace(name, error);
  } finally {
    file.close();
  }
}

const isFloatType = (type: string): boolean => Object.values<string>(writtenTypes).includes(type);

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0;

/** A config that says in which type the weights are. */
function retyped(config: Readonly<Record<string, unknown>>, dtype: MergedType): string {
  const key = "dtype" in config ? "dtype" : "torch_dtype";
  return `${JSON.stringify({ ...config, [key]: dtype }, null, 2)}\n`;
}

/** The largest finite number of each type, and what rounds to it. */
const limitOf: Readonly<Record<string, number>> = { F16: 65519.99, BF16: 3.3961e38 };

/** Elements as bytes of a type. Throws NonFiniteError for elements that are not finite there. */
function encoded(name: string, values: Float32Array, type: string): Uint8Array {
  const limit = limitOf[type] ?? Number.MAX_VALUE;
  const stray = values.find((value) => !(Math.abs(value) <= limit));
  if (stray !== undefined)
    throw new NonFiniteError(
      `the merged tensor "${name}" holds ${stray}, which ${type} does not; ${Number.isFinite(stray) ? "write float32 (dtype), or take smaller weights" : "look at that tensor in the models"}`,
    );
  const elements = type === "F32" ? values : type === "F16" ? float32ToFloat16(values) : float32ToBfloat16(values);
  return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
}
