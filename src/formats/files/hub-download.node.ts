/** Models from Hugging Face's hub, by their names, into the cache that its own tools use. */
import { copyFile, lstat, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { FileError, OptionError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { count, functionOf, listOf, positive, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { command } from "../../core/printable.ts";
import { isPlainObject } from "../../core/tree.ts";
import { temporaryBeside, writeFileAtomic } from "../../storage/atomic.node.ts";
import { makeFolder, refusedWrite, systemReason } from "../../storage/disk.node.ts";
import type { DownloadProgress } from "../../storage/download.node.ts";
import { downloadResumably } from "../../storage/resumable.node.ts";
import { shardsOf } from "./file-kinds.ts";
import {
  cachedModel,
  type HubReference,
  hubCache,
  hubReference,
  modelFolder,
  referenceText,
} from "./hub-cache.node.ts";
import { requireSafePath, wantedFiles } from "./hub-files.ts";
import {
  type HubFile,
  type HubOptions,
  hubEndpoint,
  hubError,
  hubToken,
  isOffline,
  listFiles,
  tagOf,
} from "./hub-server.node.ts";

/** Options of `downloadModel`. */
export interface DownloadModelOptions {
  /**
   * Files to fetch in place of the safetensors, by name or pattern: `["*.gguf"]`; `*` stands for any characters, `?` for one. Default:
   * `model.safetensors`, or the shards of its index, and an adapter. The configuration and the tokenizer come always.
   */
  readonly files?: readonly string[];
  /** Folder of the cache; default that of Hugging Face's tools (HF_HUB_CACHE, HF_HOME, `~/.cache/huggingface/hub`). */
  readonly cacheDir?: string;
  /** Is called as bytes of a file arrive, with its size; default: nothing is told. Not called for files that are in the cache. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Seconds without a byte after which a connection is given up; default 30. */
  readonly stallSeconds?: number;
  /** Tries in a row that may bring nothing, while the hub is busy or connections break; default 5. */
  readonly attempts?: number;
}

const checkOptions = optionsOf<DownloadModelOptions>("downloadModel", {
  files: listOf(string, "names or patterns of files"),
  cacheDir: string,
  onProgress: functionOf("(progress) => …"),
  stallSeconds: positive,
  attempts: count(),
});

/** Owners and names as the hub has them. */
const ownerOrName = /^(?!.*(--|\.\.))[A-Za-z0-9_]([\w.-]{0,94}[A-Za-z0-9_])?$/;

/**
 * Downloads a model of Hugging Face's hub into the cache of its tools, and returns the folder of the snapshot, for `loadModel`. The
 * environment says what it says to these tools: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE; with HF_HUB_OFFLINE=1 no request is made, and
 * the folder is that of the cache.
 *
 * Files that are there are not fetched again. A download that ended goes on where it ended, also in a later process; a file gets its name
 * once its size and checksum agree, and the snapshot once all its files are there. Only safetensors, configuration and tokenizer are
 * fetched unless `files` says others.
 *
 * Throws OptionError for what is no name of a model. Throws FileError where the hub has no such model or revision, asks for a token or
 * a licence, cannot be reached, or holds only pickles; where a file arrives damaged, and where the disk is full.
 * @param reference `owner/name`, or `owner/name@revision` with a branch, a tag or a commit; default main
 * @example
 * const folder = await downloadModel("openai-community/gpt2");
 * const model = await loadModel(folder);
 */
export async function downloadModel(reference: string, options: DownloadModelOptions = {}): Promise<string> {
  const { files: patterns, cacheDir = hubCache(), onProgress, stallSeconds = 30, attempts = 5 } = checkOptions(options);
  const model = checkedReference(reference);
  if (isOffline()) return offline(model, cacheDir);
  const server: HubOptions = { endpoint: hubEndpoint(), token: hubToken(), stallSeconds, attempts };
  const folder = modelFolder(model.name, cacheDir);
  const { commit, files } = await listFiles(model, server);
  const byName = new Map(files.map((file) => [file.name, file]));
  const wanted = wantedFiles(model.name, [...byName.keys()], patterns);
  const fetched = new Map<HubFile, string>();
  for (const name of wanted.files) await fetchFile(name);
  if (wanted.index !== undefined) for (const name of await shardsIn(wanted.index)) await fetchFile(name);
  // Links come last, and the revision's name after them: what others find in the cache is whole.
  const snapshot = join(folder, "snapshots", commit);
  for (const [file, blob] of fetched) await placeLink(blob, join(snapshot, file.name));
  const { revision = "main" } = model;
  if (revision !== commit) await writeFileAtomic(join(folder, "refs", revision), commit);
  return snapshot;

  async function fetchFile(name: string): Promise<void> {
    const file = byName.get(name);
    if (file === undefined)
      throw new FileError(`${model.name} has no ${name}, which its ${wanted.index} names; take another revision`);
    const blob = join(folder, "blobs", file.etag);
    await downloadResumably(blob, file, {
      ...server,
      onProgress,
      onReply: ({ own }) => requireSame(file, tagOf(own), model),
    }).catch((error) => {
      throw hubError(error, model, server);
    });
    fetched.set(file, blob);
  }

  async function shardsIn(index: string): Promise<readonly string[]> {
    const file = byName.get(index);
    const text = await readFile(join(folder, "blobs", file?.etag ?? ""), "utf8");
    const map = weightMapOf(text);
    if (map === undefined) throw new FileError(`${index} of ${model.name} is no index of safetensors; report it there`);
    const shards = shardsOf(map);
    for (const name of shards) requireSafePath(`${index} of ${model.name}`, name);
    return shards;
  }
}

function weightMapOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const document: unknown = parseJson(text);
    const map = isPlainObject(document) ? document["weight_map"] : undefined;
    return isPlainObject(map) ? map : undefined;
  } catch {
    return undefined;
  }
}

function checkedReference(text: string): HubReference {
  const found = hubReference(text);
  const { name, revision } = found ?? { name: "" };
  if (found === undefined || !name.split("/").every((part) => ownerOrName.test(part)))
    throw new OptionError(`"${text}" is no name of a model; pass owner/name, such as openai-community/gpt2`);
  if (revision?.split("/").some((part) => part === "" || part === "." || part === ".."))
    throw new OptionError(`"${revision}" is no revision; pass a branch, a tag or a commit, such as ${name}@main`);
  return found;
}

/** The model in the cache, since nothing may be asked for. */
function offline(model: HubReference, cacheDir: string): string {
  const text = referenceText(model);
  try {
    return cachedModel(text, cacheDir);
  } catch (cause) {
    throw new FileError(
      `${text} is not in ${cacheDir}, and HF_HUB_OFFLINE forbids to fetch it; unset that, and run: ${command`sardonyx download ${text}`}`,
      { cause },
    );
  }
}

/** Throws FileError where the hub says that it sends another file than it listed. */
function requireSame(file: HubFile, tag: string | undefined, model: HubReference): void {
  const isTag = tag !== undefined && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(tag);
  if (!isTag || tag === file.etag) return;
  throw new FileError(
    `${file.name} of ${model.name} is another file (${tag}) than the hub listed (${file.etag}); it changes there at this moment; run it again: ${command`sardonyx download ${referenceText(model)}`}`,
  );
}

/** What systems say that have no links, or allow none to this user, as Windows does. */
const noLinks = ["EPERM", "EACCES", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL", "UNKNOWN"];

/** Whether a file is a copy, as far as its kind and size show. */
async function isCopy(blob: string, path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() === true && found.size === (await lstat(blob)).size;
}

/** Makes a file of a snapshot: a relative link to its blob, or a copy where links cannot be made. */
export async function placeLink(blob: string, path: string, link: typeof symlink = symlink): Promise<void> {
  const target = relative(dirname(path), blob);
  if ((await readlink(path).catch(() => undefined)) === target || (await isCopy(blob, path))) return;
  const temporary = temporaryBeside(path);
  try {
    makeFolder(dirname(path));
    await link(target, temporary).catch((error) => {
      if (!noLinks.includes(systemReason(error))) throw error;
      return copyFile(blob, temporary);
    });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw refusedWrite(path, cause);
  }
}
