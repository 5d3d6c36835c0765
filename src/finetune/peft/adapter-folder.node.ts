/** Adapters in folders, as PEFT writes and reads them: adapter_config.json beside adapter_model.safetensors. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { atPlace, FileError } from "../../core/errors.ts";
import { string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { readJson, refusedFormat } from "../../formats/files/file-kinds.ts";
import type { AnyModule } from "../../nn/index.ts";
import { readBytes, writeFilesAtomic } from "../../storage/atomic.node.ts";
import { openFile } from "../../storage/file-source.node.ts";
import type { AdapterSet } from "../adapters/adapter-set.ts";
import type { Place } from "../adapters/method.ts";
import { checkDecode, type DecodePeftOptions, decodePeft } from "./decode.ts";
import { type EncodePeftOptions, encodePeft } from "./encode.ts";

/** Options of `saveAdapter`. */
export interface SaveAdapterOptions extends EncodePeftOptions {
  /** Which adapter; default the one in use, else the first. */
  readonly name?: string;
}

const checkSave = optionsOf<SaveAdapterOptions>("saveAdapter", { name: string, base: string });

const files = {
  config: "adapter_config.json",
  weights: "adapter_model.safetensors",
  pickled: "adapter_model.bin",
} as const;

/**
 * Saves one adapter, without its base, in a folder, which is made if it is missing: `adapter_config.json` and `adapter_model.safetensors`, from
 * which `loadAdapter` and PEFT's `PeftModel.from_pretrained` read it. Both files are on the disk before either takes the place of an old one. Throws OptionError for a kind that PEFT's files do not
 * have and FileError where the folder cannot be written.
 * @example
 * await saveAdapter(lora, "adapters/poems", { base: "openai-community/gpt2" });
 */
export async function saveAdapter<O, P extends Place>(
  set: AdapterSet<O, P>,
  folder: string,
  options: SaveAdapterOptions = {},
): Promise<void> {
  const { name = set.active ?? set.names[0] ?? "default", ...others } = checkSave(options);
  const { config, weights } = encodePeft(set, name, others);
  const sorted = Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFilesAtomic(folder, {
    [files.weights]: weights,
    [files.config]: `${JSON.stringify(sorted, null, 2)}\n`,
  });
}

/** A warning of the process, which Node prints. */
const warn = (note: string): void => process.emitWarning(note, { type: "LoadWarning" });

/**
 * Adds the adapter of a folder that `saveAdapter` or PEFT wrote to the model that it was trained on, and puts it into use. A model has several
 * under names of their own. `report` is told of fields that are not known; default a warning of the process (LoadWarning). Throws as
 * decodePeft, and FileError for files that are missing, and for pickled ones, which are code.
 * @example
 * const model = await loadModel("models/gpt2");
 * const adapters = await loadAdapter(model, "adapters/poems", { name: "poems" });
 */
export async function loadAdapter(
  model: AnyModule,
  folder: string,
  options: DecodePeftOptions = {},
): Promise<AdapterSet> {
  checkDecode(options);
  if (!existsSync(folder)) throw new FileError(`there is no folder ${folder}; check the path`);
  if (!statSync(folder).isDirectory())
    throw new FileError(`${folder} is a file; pass the folder that holds ${files.config} and ${files.weights}`);
  const [config, weights] = [join(folder, files.config), join(folder, files.weights)];
  if (!existsSync(config))
    throw new FileError(`${folder} has no ${files.config}, which says what kind of adapter it holds; check the path`);
  if (!existsSync(weights)) throw withoutWeights(folder);
  try {
    return await decodePeft(model, readConfig(config), await readBytes(weights, "the adapter"), {
      report: warn,
      ...options,
    });
  } catch (error) {
    throw atPlace(folder, error);
  }
}

function readConfig(path: string) {
  const file = openFile(path);
  try {
    return readJson(file);
  } catch (error) {
    throw atPlace(files.config, error);
  } finally {
    file.close();
  }
}

function withoutWeights(folder: string): FileError {
  const pickled = join(folder, files.pickled);
  if (!existsSync(pickled))
    return new FileError(`${folder} has no ${files.weights}, which holds its tensors; copy it there`);
  const file = openFile(pickled);
  try {
    const what =
      refusedFormat(file.read(0, Math.min(64, file.size))) ?? "pickled code by its name, which is never run here";
    return new FileError(
      `${pickled} is ${what}; of an adapter: load it with PEFT, and save_pretrained(folder) writes ${files.weights}`,
    );
  } finally {
    file.close();
  }
}
