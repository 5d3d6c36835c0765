/** Models by their names on Hugging Face's hub, as its tools keep them on this machine; nothing is downloaded here. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { command } from "../../core/printable.ts";

/** The folder of Hugging Face's tools: HF_HOME, or ~/.cache/huggingface. */
export function hubHome(): string {
  const { HF_HOME, XDG_CACHE_HOME } = process.env;
  return HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface");
}

/** Where they keep models: HF_HUB_CACHE, or the folder hub of their own. */
export function hubCache(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = process.env;
  return HF_HUB_CACHE ?? HUGGINGFACE_HUB_CACHE ?? join(hubHome(), "hub");
}

/** The folder of a model in the cache, with its `blobs`, `refs` and `snapshots`. */
export const modelFolder = (name: string, cacheDir: string): string =>
  join(cacheDir, `models--${name.replaceAll("/", "--")}`);

/** `owner/name`, maybe with `@revision`, and before it `hf:` or the hub's address. */
const hubName = /^(?:hf:(?:\/\/)?|https:\/\/huggingface\.co\/)?([\w.-]+\/[\w.-]+?)(?:@([\w./-]+))?\/?$/;

/** How paths begin, and how names of files end. */
const isPath = /^\.{0,2}\/|\.(onnx|safetensors|gguf|keras|h5|hdf5|json|[cm]?[jt]s)$/;

/** Whether a text is a model's name on the hub, and not a path. */
export const isHubName = (text: string): boolean => hubName.test(text) && !isPath.test(text) && !existsSync(text);

/** A model on the hub. */
export interface HubReference {
  /** `owner/name`. */
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision?: string;
}

/** The parts of a model's name on the hub; `undefined` for other texts. */
export function hubReference(text: string): HubReference | undefined {
  const [, name, revision] = hubName.exec(text) ?? [];
  return name === undefined ? undefined : { name, ...(revision !== undefined && { revision }) };
}

/** A name with its revision, as it is written on the command line. */
export const referenceText = ({ name, revision }: HubReference): string =>
  revision === undefined ? name : `${name}@${revision}`;

/**
 * The folder of a model in the cache: of the revision that is named, else of main, else of the one that was fetched last. Throws FileError
 * for a model or a revision that is not there, with the command that fetches it.
 */
export function cachedModel(text: string, cacheDir: string = hubCache()): string {
  const { name, revision } = hubReference(text) ?? { name: text };
  const folder = modelFolder(name, cacheDir);
  const snapshots = join(folder, "snapshots");
  const commits = existsSync(snapshots) ? readdirSync(snapshots) : [];
  const commit = revision === undefined ? (named("main") ?? latest()) : (named(revision) ?? revision);
  if (commit !== undefined && commits.includes(commit)) return join(snapshots, commit);
  const what = commits.length === 0 ? `no model of that name` : `no revision ${revision ?? "main"} of it`;
  throw new FileError(
    `there is no file or folder ${text}, and ${what} in ${cacheDir}; check the path, or fetch it: ${command`sardonyx download ${referenceText({ name, ...(revision !== undefined && { revision }) })}`}`,
  );

  /** The commit that a branch or a tag stands for. */
  function named(reference: string): string | undefined {
    const path = join(folder, "refs", reference);
    const isWithin = !reference.split("/").includes("..");
    return isWithin && existsSync(path) && statSync(path).isFile() ? readFileSync(path, "utf8").trim() : undefined;
  }
  function latest(): string | undefined {
    const time = (own: string) => statSync(join(snapshots, own)).mtimeMs;
    return [...commits].sort((a, b) => time(b) - time(a))[0];
  }
}
