/** The pretrained model of a fine-tuning: a file, a folder, a run, or the name of a model on Hugging Face's hub. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { FileError, OptionError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { isPlainObject } from "../../core/tree.ts";
import { loadChatTemplate } from "../../data/index.node.ts";
import { type ChatTemplate, chatTemplate, type Tokenizer, tokenizerOf } from "../../data/index.ts";
import { cachedModel, isHubName } from "../../formats/files/hub-cache.node.ts";
import { downloadModel } from "../../formats/files/hub-download.node.ts";
import { loadModel } from "../../formats/files/load-model.node.ts";
import { modelFromConfig } from "../../formats/huggingface.ts";
import type { AnyModule } from "../../nn/index.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import type { DownloadProgress } from "../../storage/download.node.ts";
import type { VectorPooling } from "../heads/text-vectors.ts";
import type { PixelScaling } from "./image-classification.ts";

/** A pretrained model, and where what belongs to it lies. */
export interface Base {
  /** The file or folder. */
  readonly path: string;
  /** The model, traced. */
  readonly model: AnyModule;
  /** The longest sequence that it reads, where its config says so. */
  readonly positions: number | undefined;
}

/** How a base is opened. */
export interface BaseOptions {
  /** Whether the weights are loaded, too; default true. Without them a model is known by its config alone. */
  readonly weights?: boolean;
  /** As bytes of a model on the hub arrive. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** Where a base lies; a name on the hub is downloaded unless it is in the cache. */
async function pathOf(base: string, { onProgress }: BaseOptions): Promise<string> {
  if (!isHubName(base)) return base;
  try {
    return cachedModel(base);
  } catch {
    return downloadModel(base, { ...(onProgress && { onProgress }) });
  }
}

const folderOf = (path: string): string => (statSync(path).isDirectory() ? path : dirname(path));

async function readJson(path: string): Promise<unknown> {
  try {
    return parseJson(new TextDecoder().decode(await readBytes(path, "config")));
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`${path}: is no JSON (${(error as Error).message}); get the file anew`, { cause: error });
  }
}

/** Opens a base. Throws what `loadModel` and `downloadModel` throw. */
export async function openBase(base: string, options: BaseOptions = {}): Promise<Base> {
  const path = await pathOf(base, options);
  if (!existsSync(path))
    throw new FileError(`there is no file or folder ${path}; check the path of the pretrained model`);
  const config = join(folderOf(path), "config.json");
  const configured = existsSync(config) ? modelFromConfig(await readJson(config)) : undefined;
  const positions = configured && "x" in configured.inputs ? configured.maxPositions : undefined;
  if (options.weights === false && configured) {
    const model = configured.build();
    model.trace(configured.inputs);
    return { path, model, positions };
  }
  return { path, model: await loadModel(path), positions };
}

/** The tokenizer beside a base, or within the folder of a run. Throws FileError where there is none. */
export async function tokenizerBeside({ path }: Pick<Base, "path">): Promise<Tokenizer> {
  const folder = folderOf(path);
  const own = join(folder, "tokenizer.json");
  if (existsSync(own)) return tokenizerOf((await readJson(own)) as never);
  const deployment = join(folder, "deployment.json");
  const record = existsSync(deployment) ? await readJson(deployment) : undefined;
  for (const name of ["writer", "reader"]) {
    const part = isPlainObject(record) ? record[name] : undefined;
    if (isPlainObject(part) && part["tokenizer"]) return tokenizerOf(part["tokenizer"] as never);
  }
  throw new FileError(
    `${folder} has no tokenizer.json, by which texts become the tokens of the model; put the one of the model there`,
  );
}

/** The chat template beside a base, or a built-in one by its name. */
export async function templateBeside({ path }: Pick<Base, "path">, name: string): Promise<ChatTemplate> {
  if (name !== "") return chatTemplate(name, await specialTokens(path));
  return loadChatTemplate(folderOf(path));
}

async function specialTokens(path: string): Promise<{ readonly bos?: string; readonly eos?: string }> {
  const file = join(folderOf(path), "tokenizer_config.json");
  const config = existsSync(file) ? await readJson(file) : {};
  const textOf = (value: unknown) => (isPlainObject(value) ? value["content"] : value);
  const token = (name: string) => (isPlainObject(config) ? textOf(config[name]) : undefined);
  const [bos, eos] = [token("bos_token"), token("eos_token")];
  return { ...(typeof bos === "string" && { bos }), ...(typeof eos === "string" && { eos }) };
}

/** Names of poolings in the files of Sentence Transformers. */
const poolings = {
  pooling_mode_cls_token: "first",
  pooling_mode_mean_tokens: "mean",
  pooling_mode_max_tokens: "max",
  pooling_mode_lasttoken: "last",
} as const;

/**
 * How the states of tokens become a text's vector, as the files of Sentence Transformers beside a base say; nothing where there are none.
 * Throws OptionError for what they do beyond that, such as a dense layer.
 */
export async function poolingBeside({ path }: Pick<Base, "path">): Promise<VectorPooling | undefined> {
  const folder = folderOf(path);
  const list = join(folder, "modules.json");
  const modules = existsSync(list) ? await readJson(list) : [];
  for (const item of Array.isArray(modules) ? modules : []) {
    const kind = isPlainObject(item) ? String(item["type"]).split(".").at(-1) : "";
    if (!["Transformer", "Pooling", "Normalize"].includes(kind ?? ""))
      throw new OptionError(
        `${list}: the vectors of this model go through a part "${kind}", which is not read; expected Transformer, Pooling and Normalize: pass another model, or one without modules.json, whose states are averaged`,
      );
  }
  const file = join(folder, "1_Pooling", "config.json");
  const config = existsSync(file) ? await readJson(file) : undefined;
  if (!isPlainObject(config)) return undefined;
  const chosen = Object.keys(config).filter((name) => name.startsWith("pooling_mode_") && config[name] === true);
  const [only = "", ...others] = chosen;
  if (chosen.length === 0) return undefined;
  if (others.length > 0 || !Object.hasOwn(poolings, only))
    throw new OptionError(
      `${file}: chooses ${chosen.join(" and ")}, expected one of ${Object.keys(poolings).join(", ")}; set the others to false`,
    );
  return poolings[only as keyof typeof poolings];
}

/** The usual rate of recorded speech, in samples a second. */
export const usualRate = 16_000;

/** Samples a second of the sounds that a base reads, as `preprocessor_config.json` says; nothing where there is none. */
export async function samplingRateBeside({ path }: Pick<Base, "path">): Promise<number | undefined> {
  const file = join(folderOf(path), "preprocessor_config.json");
  const config = existsSync(file) ? await readJson(file) : undefined;
  const rate = isPlainObject(config) ? config["sampling_rate"] : undefined;
  return typeof rate === "number" ? rate : undefined;
}

/** What is done with pixels, as `preprocessor_config.json` says; nothing where there is none. */
export async function pixelScalingBeside({ path }: Pick<Base, "path">): Promise<PixelScaling | undefined> {
  const file = join(folderOf(path), "preprocessor_config.json");
  const config = existsSync(file) ? await readJson(file) : undefined;
  if (!isPlainObject(config) || config["do_normalize"] === false) return undefined;
  const { image_mean: mean, image_std: deviation } = config;
  const isRow = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isFinite);
  return isRow(mean) && isRow(deviation) ? { mean, deviation } : undefined;
}
