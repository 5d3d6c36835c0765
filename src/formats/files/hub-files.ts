/** Which files of a repository on Hugging Face's hub a model is made of, by their names. */
import { FileError, OptionError } from "../../core/errors.ts";
import { count } from "../../core/number-text.ts";
import { Pattern } from "../../core/pattern/pattern.ts";

/** Beside the weights: the configuration of a model, its tokenizer, how its inputs are prepared. */
const besideWeights: ReadonlySet<string> = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "vocab.json",
  "vocab.txt",
  "merges.txt",
  "preprocessor_config.json",
]);

/** Weights, those of one file before those of shards, and what is learned beside a model's own. */
const weights = "model.safetensors";
const index = "model.safetensors.index.json";
const adapter = ["adapter_config.json", "adapter_model.safetensors"] as const;

/** Files of Python objects, which are code. */
const pickled = /\.(bin|bin\.index\.json|pt|pth|ckpt|pkl)$/;
/** Files that hold models in other formats that are read. */
const otherModels = /\.(gguf|onnx|keras|h5)$|(^|\/)model\.json$/;

/** Names in an error. */
const some = (names: readonly string[]): string =>
  names.length <= 8 ? names.join(", ") : `${names.slice(0, 8).join(", ")} and ${count(names.length - 8)} more`;

/** What to fetch of a repository. */
export interface WantedFiles {
  readonly files: readonly string[];
  /** Among the files: an index of safetensors, whose shards are wanted too. */
  readonly index?: string;
}

/**
 * The files that `loadModel` reads of a repository's: configuration and tokenizer, and safetensors, those of an adapter too. Patterns
 * choose others in place of the safetensors; `*` stands for any characters, `?` for one. Throws FileError where there are no such
 * files, OptionError for a pattern that no file has.
 * @param name of the repository, for errors
 */
export function wantedFiles(name: string, files: readonly string[], patterns?: readonly string[]): WantedFiles {
  const beside = files.filter((file) => besideWeights.has(file));
  if (patterns !== undefined && patterns.length > 0) {
    const chosen = patterns.flatMap((pattern) => matching(name, files, pattern));
    return { files: [...new Set([...beside, ...chosen])] };
  }
  const own = adapter.filter((file) => files.includes(file));
  if (files.includes(weights)) return { files: [...beside, ...own, weights] };
  if (files.includes(index)) return { files: [...beside, ...own, index], index };
  if (own.length === adapter.length) return { files: [...beside, ...own] };
  const models = files.filter((file) => otherModels.test(file));
  if (models.length > 0)
    throw new FileError(`${name} has no ${weights}, and ${some(models)}; choose of these: --files "${models[0]}"`);
  const pickles = files.filter((file) => pickled.test(file));
  if (pickles.length > 0)
    throw new FileError(
      `${name} has its weights only as ${some(pickles)}, Python pickles, which are code that is never run here; take a repository or a revision with ${weights}, or save the weights as safetensors`,
    );
  throw new FileError(`${name} holds no model: looked for ${weights} and ${index}; found ${some(files) || "nothing"}`);
}

/** The files of a pattern. */
function matching(name: string, files: readonly string[], pattern: string): readonly string[] {
  const escaped = pattern.replace(/[.+^${}()|[\]\\/]/g, "\\$&").replace(/\*+/g, "[\\s\\S]*");
  const expression = new Pattern(`^${escaped.replaceAll("?", "[\\s\\S]")}$`, "u");
  const found = files.filter((file) => expression.test(file));
  if (found.length === 0) throw new OptionError(`files: no file of ${name} is "${pattern}"; it has ${some(files)}`);
  return found;
}

/**
 * Refuses paths that would lead out of a folder, or that some system reads otherwise. Throws FileError.
 * @param what has the path
 */
export function requireSafePath(what: string, path: string): void {
  const isHostile =
    path === "" ||
    /[\\\p{Cc}]/u.test(path) ||
    path.split("/").some((part) => part === "" || part === "." || part === ".." || /^[a-z]:/i.test(part));
  if (isHostile)
    throw new FileError(
      `${what} names the file ${JSON.stringify(path)}, which may lead out of its folder; nothing was downloaded; do not trust this repository`,
    );
}
