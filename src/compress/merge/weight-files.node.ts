/** The weights of a model in safetensors files, opened to be read tensor by tensor. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ByteSource } from "../../core/byte-source.ts";
import { atPlace, DTypeError, FileError } from "../../core/errors.ts";
import { asFloat32 } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import { isMemory } from "../../formats/files/checkpoints.ts";
import { isSafetensors, readJson, refusedFormat, shardsOf } from "../../formats/files/file-kinds.ts";
import { logicalTensors } from "../../formats/stored-tensors.ts";
import { storedTypeOf } from "../../formats/stored-types.ts";
import { openBeside } from "../../storage/file-source.node.ts";
import {
  readSafetensorsHeader,
  readSafetensorsTensor,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from "../../storage/safetensors.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import type { ModelFacts } from "./compatible.ts";

/** One of the files of a model. */
export interface WeightShard {
  /** Its name in the folder. */
  readonly file: string;
  readonly header: SafetensorsHeader;
  readonly source: ByteSource & { close(): void };
}

/** A tensor with the file that it lies in. */
interface Placed {
  readonly shard: WeightShard;
  readonly entry: SafetensorsEntry;
}

const names = {
  run: "run.json",
  checkpoint: "checkpoint.safetensors",
  weights: "model.safetensors",
  index: "model.safetensors.index.json",
} as const;

/** A model's weights, opened. `close` lets go of its files. */
export class WeightFiles {
  /** As a person types it. */
  readonly name: string;
  readonly folder: string;
  /** A file or an index alone, a folder with a config, or the folder of a run. */
  readonly kind: "file" | "folder" | "run";
  readonly shards: readonly WeightShard[];
  readonly #tensors = new Map<string, Placed>();

  constructor(path: string, kind: WeightFiles["kind"], folder: string, shards: readonly WeightShard[]) {
    this.name = shownPath(path);
    [this.kind, this.folder, this.shards] = [kind, folder, shards];
    for (const shard of shards)
      for (const entry of shard.header.entries) {
        if (this.#tensors.has(entry.name))
          throw new FileError(`the tensor "${entry.name}" lies in two of the files; download them again`);
        this.#tensors.set(entry.name, { shard, entry });
      }
  }

  /** Names of the tensors to merge, in the order of the files: of a run the parameters and buffers. */
  get tensorNames(): readonly string[] {
    return [...this.#tensors.keys()].filter((name) => this.kind !== "run" || !isMemory(name));
  }

  /** What is compared with other models. */
  get facts(): ModelFacts {
    return {
      name: this.name,
      tensors: new Map(this.tensorNames.map((name) => [name, this.entry(name)])),
    };
  }

  entry(name: string): SafetensorsEntry {
    return this.#placed(name).entry;
  }

  /** The elements of a tensor of floats, exactly. */
  floats(name: string): Float32Array {
    const { shard, entry } = this.#placed(name);
    return asFloat32(readSafetensorsTensor(shard.source, shard.header, entry)).data;
  }

  /** The bytes of a tensor as they are stored. */
  bytes(name: string): Uint8Array {
    const { shard, entry } = this.#placed(name);
    return shard.source.read(shard.header.dataStart + entry.begin, entry.end - entry.begin);
  }

  close(): void {
    for (const { source } of this.shards) source.close();
  }

  #placed(name: string): Placed {
    const placed = this.#tensors.get(name);
    if (placed) return placed;
    throw new FileError(`${this.name} has no tensor "${name}"`);
  }
}

/** Parts of matrices that this package packs, after the path of the parameter. */
const ownParts = /#\d+\.\w+$/;

/** Throws DTypeError for tensors that are packed in few bits, of which a mean means nothing. */
function requireUnpacked({ shards }: WeightFiles): void {
  const stored = shards.flatMap(({ header }) =>
    header.entries.map((entry) => ({ name: entry.name, ...storedTypeOf(entry) })),
  );
  const packed = logicalTensors(stored).find(({ packing, isScale, name }) => packing || isScale || ownParts.test(name));
  if (packed)
    throw new DTypeError(
      `its weights are packed in few bits ("${packed.name}"${packed.packing ? ` by ${packed.packing}` : ""}), and a mean of those means nothing; merge the models as float16, bfloat16 or float32`,
    );
  const foreign = shards
    .flatMap(({ header }) => header.entries)
    .find(({ type }) => type.startsWith("F") && !["F16", "F32"].includes(type));
  if (foreign)
    throw new DTypeError(
      `the tensor "${foreign.name}" is ${foreign.type}, expected F32, F16 or BF16; convert it first`,
    );
}

/**
 * Opens a model's weights: a safetensors file, an index of several, a folder with `model.safetensors` or its shards, or the folder of a run
 * with its `checkpoint.safetensors`. Throws FileError for what is none of these or damaged, DTypeError for weights that are packed.
 */
export function openWeights(path: string): WeightFiles {
  if (!existsSync(path)) throw new FileError(`there is no file or folder ${path}; check the path`);
  try {
    if (!statSync(path).isDirectory()) return openNamed(path, "file", dirname(path), basename(path));
    const has = (name: string) => existsSync(join(path, name));
    if (has(names.run)) {
      if (has(names.checkpoint)) return openNamed(path, "run", path, names.checkpoint);
      throw new FileError(`it is the folder of a run without ${names.checkpoint}; train on`);
    }
    const found = [names.weights, names.index].find(has);
    if (found) return openNamed(path, "folder", path, found);
    throw new FileError(
      `it holds no weights to merge: looked for ${names.weights}, ${names.index} and, of a run, ${names.run}; name a safetensors file or such a folder`,
    );
  } catch (error) {
    throw atPlace(shownPath(path), error);
  }
}

function openNamed(path: string, kind: WeightFiles["kind"], folder: string, file: string): WeightFiles {
  const opened: WeightShard["source"][] = [];
  const open = (name: string) => {
    const source = openBeside(folder, name);
    opened.push(source);
    return source;
  };
  try {
    const first = open(file);
    const head = first.read(0, Math.min(64, first.size));
    const shard = (name: string, source: WeightShard["source"]): WeightShard => {
      try {
        return { file: name, header: readSafetensorsHeader(source), source };
      } catch (error) {
        throw atPlace(name, error);
      }
    };
    const model = isSafetensors(head, first.size)
      ? new WeightFiles(path, kind, folder, [shard(file, first)])
      : new WeightFiles(
          path,
          kind,
          folder,
          filesOf(first, head).map((name) => shard(name, open(name))),
        );
    requireUnpacked(model);
    return model;
  } catch (error) {
    for (const source of opened) source.close();
    throw error;
  }
}

/** The files of an index. Throws FileError for what is none. */
function filesOf(file: ByteSource, head: Uint8Array): readonly string[] {
  const foreign = refusedFormat(head);
  if (foreign !== undefined) throw new FileError(`it is ${foreign}`);
  if (!/^\s*\{/.test(String.fromCharCode(...head)))
    throw new FileError("it is no safetensors file and no index of such files; name one of them, or a folder with one");
  const { weight_map: map } = readJson(file);
  if (!isPlainObject(map)) throw new FileError("it is JSON without weight_map, by which an index names its files");
  return shardsOf(map);
}
