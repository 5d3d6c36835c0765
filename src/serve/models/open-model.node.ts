/** What a path names, as a model that is served: a run, a file, or the folder of a pretrained model. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileError, OptionError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { byteText } from "../../core/number-text.ts";
import { command } from "../../core/printable.ts";
import { isPlainObject } from "../../core/tree.ts";
import { cachedModel, isHubName } from "../../formats/files/hub-cache.node.ts";
import { findRun, isRun } from "../../runs/folder/run-folder.node.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import type { ServedModel } from "../served-model.ts";
import { servedFile } from "./file-model.node.ts";
import type { ModelSource } from "./model-store.ts";
import { servedPretrained } from "./pretrained-model.node.ts";
import { servedRun } from "./run-model.node.ts";
import type { ServedOptions } from "./served-options.ts";

/** Where a model lies, and what its files are. */
interface Place {
  readonly kind: "run" | "pretrained" | "file";
  readonly path: string;
  readonly files: readonly string[];
}

const weightFiles = /\.(onnx|onnx_data|data|safetensors|gguf|keras|h5|hdf5|bin|json|jinja)$/;

function placeOf(path: string): Place {
  if (isRun(path)) {
    const folder = findRun(path);
    return { kind: "run", path: folder, files: filesOf(folder) };
  }
  // A server fetches nothing: a model of the hub is served from the cache.
  if (!existsSync(path)) return isHubName(path) && isCached(path) ? placeOf(cachedModel(path)) : refuseMissing(path);
  if (!statSync(path).isDirectory()) return { kind: "file", path, files: [path] };
  const files = filesOf(path);
  return { kind: existsSync(join(path, "config.json")) ? "pretrained" : "file", path, files };
}

function isCached(name: string): boolean {
  try {
    return existsSync(cachedModel(name));
  } catch {
    return false;
  }
}

function refuseMissing(path: string): never {
  const fetched = isHubName(path) ? `, or fetch it from the hub first: ${command`sardonyx download ${path}`}` : "";
  throw new FileError(`there is no run, file or folder ${path}; check the path${fetched}`);
}

const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => weightFiles.test(name) && !name.startsWith("."))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

/** A text that differs once files do. */
function fingerprintOf(files: readonly string[]): string {
  return files
    .map((path) => {
      const { mtimeMs, size, ino } = statSync(path);
      return `${path}:${mtimeMs}:${size}:${ino}`;
    })
    .join("\n");
}

/** Refuses a model whose weights do not fit beside the engine's copy of them. Throws OptionError. */
function requireFits({ path, files }: Place, free: number): void {
  const bytes = files.reduce((sum, own) => sum + (/\.(json|jinja)$/.test(own) ? 0 : statSync(own).size), 0);
  if (2 * bytes > free)
    throw new OptionError(
      `${shownPath(path)} has ${byteText(bytes)} of weights, which take some ${byteText(2 * bytes)} of memory beside the engine's copy, and ${byteText(free)} are free; free some, serve fewer models (--idle), or compress it: sardonyx compress`,
    );
}

/** Whether a pretrained model is one of its files alone, without a tokenizer. */
async function architectureOf(folder: string): Promise<string> {
  const path = join(folder, "config.json");
  if (!existsSync(path)) return "";
  const config = parseJson(new TextDecoder().decode(await readBytes(path, "config")));
  const [name] = isPlainObject(config) && Array.isArray(config["architectures"]) ? config["architectures"] : [];
  return String(name ?? "");
}

/** A model of a path, under a name. Throws FileError for what is not there. */
export function modelSource(name: string, path: string, options: ServedOptions): ModelSource {
  const { kind } = placeOf(path);
  const adapters = kind === "pretrained" ? options.adapters : [];
  return {
    name,
    adapters: adapters.map((own) => own.name),
    async open(): Promise<ServedModel> {
      const place = placeOf(path);
      requireFits(place, options.free());
      if (place.kind === "run") return servedRun(place.path, options);
      if (place.kind === "file") return servedFile(place.path, options);
      return servedPretrained(place.path, await architectureOf(place.path), options);
    },
    async fingerprint() {
      try {
        return fingerprintOf([path, ...adapters.map((own) => own.path)].flatMap((own) => placeOf(own).files));
      } catch {
        // They are being replaced.
        return undefined;
      }
    },
  };
}
