/** Hugging Face's hub as a server: its address, the token, the list of a model's files, and what its refusals mean. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { command } from "../../core/printable.ts";
import { persistently, RequestError, type RequestOptions, request, textOf } from "../../storage/http.ts";
import type { ServedFile } from "../../storage/resumable.node.ts";
import { type HubReference, hubHome, referenceText } from "./hub-cache.node.ts";
import { requireSafePath } from "./hub-files.ts";

/** The address of the hub: HF_ENDPOINT, or https://huggingface.co. Throws FileError for what is no address. */
export function hubEndpoint(): string {
  const address = process.env["HF_ENDPOINT"] || "https://huggingface.co";
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new FileError(`HF_ENDPOINT is "${address}"; set it to an address such as https://huggingface.co`);
  return address.replace(/\/+$/, "");
}

/**
 * The token that shows who asks: HF_TOKEN, or the file that HF_TOKEN_PATH names, or the file `token` of Hugging Face's folder, which
 * its tools write. `undefined` where there is none.
 */
export function hubToken(): string | undefined {
  const { HF_TOKEN, HF_TOKEN_PATH } = process.env;
  const token = (HF_TOKEN || readToken(HF_TOKEN_PATH || join(hubHome(), "token"))).trim();
  if (token === "") return undefined;
  // Headers carry no other characters. The token itself belongs into no message.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new FileError("the token of Hugging Face (HF_TOKEN) has spaces or special characters; copy it again");
  return token;
}

function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Whether the hub may not be asked: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE, which its tools follow too. */
export const isOffline = (): boolean =>
  ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].some((name) => /^(1|on|yes|true)$/i.test(process.env[name] ?? ""));

/** How to ask. */
export interface HubOptions extends RequestOptions {
  readonly endpoint: string;
  readonly attempts: number;
}

/** A file of a repository. */
export interface HubFile extends ServedFile {
  /** Its name in the cache: the SHA-256 of a large file, git's name of a small one. */
  readonly etag: string;
}

/** The files of a revision. */
export interface HubListing {
  /** The commit that the revision stands for. */
  readonly commit: string;
  readonly files: readonly HubFile[];
}

const hex = (digits: number) => z.string().check(z.regex(new RegExp(`^[0-9a-f]{${digits}}$`)));
const bytes = z.int().check(z.gte(0));
const listing = z.object({
  sha: hex(40),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.optional(bytes),
      blobId: z.optional(hex(40)),
      lfs: z.nullish(z.object({ sha256: hex(64), size: bytes })),
    }),
  ),
});

/** A list of 100,000 files is smaller than this. */
const mostListBytes = 2 ** 26;

/** A path in an address. */
const encoded = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

/** The files of a model's revision, main where none is named. Throws FileError with what the hub refuses. */
export async function listFiles(reference: HubReference, options: HubOptions): Promise<HubListing> {
  const { name, revision = "main" } = reference;
  const { endpoint } = options;
  const model = `${endpoint}/api/models/${encoded(name)}`;
  const ask = (address: string) =>
    persistently(async () => textOf(await request(address, options), mostListBytes), options);
  const answer = await ask(`${model}/revision/${encodeURIComponent(revision)}?blobs=true`).catch(async (error) => {
    const isModelThere = () =>
      ask(model).then(
        () => true,
        () => false,
      );
    const is404 = error instanceof RequestError && error.reply?.status === 404;
    const hasCode = is404 && error.reply?.headers.has("x-error-code");
    throw hubError(error, reference, options, is404 && !hasCode && (await isModelThere()));
  });
  const { data, error } = z.safeParse(listing, json(answer));
  const problem = error?.issues[0];
  if (data === undefined)
    throw new FileError(
      `${endpoint} lists ${name} in another form than Hugging Face's hub (${problem?.path.join(".")}: ${problem?.message}); check HF_ENDPOINT`,
    );
  const files = data.siblings.map(({ rfilename, size, blobId, lfs }): HubFile => {
    requireSafePath(name, rfilename);
    const url = `${endpoint}/${encoded(name)}/resolve/${data.sha}/${encoded(rfilename)}`;
    if (lfs) return { name: rfilename, url, bytes: lfs.size, sha256: lfs.sha256, etag: lfs.sha256 };
    if (blobId !== undefined && size !== undefined)
      return { name: rfilename, url, bytes: size, gitBlob: blobId, etag: blobId };
    throw new FileError(`${endpoint} lists ${rfilename} of ${name} without its size and checksum; check HF_ENDPOINT`);
  });
  return { commit: data.sha, files };
}

function json(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** The tag that the hub itself gives a file, before it redirects to where large files lie. */
export function tagOf(headers: Headers): string | undefined {
  const tag = headers.get("x-linked-etag") ?? headers.get("etag");
  return tag?.replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
}

/**
 * What a failed request means for the one who asked for the model, as FileError; errors of other kinds come back as they are.
 * @param isModelThere whether the model is known to exist
 */
export function hubError(
  error: unknown,
  reference: HubReference,
  { endpoint, token }: Pick<HubOptions, "endpoint" | "token">,
  isModelThere = false,
): unknown {
  if (!(error instanceof RequestError)) return error;
  const { name, revision = "main" } = reference;
  const code = error.reply?.headers.get("x-error-code") ?? "";
  const again = command`sardonyx download ${referenceText(reference)}`;
  const sentence = () => {
    const status = error.reply?.status;
    const withToken =
      token === undefined ? "set HF_TOKEN to a token of your account" : "check that HF_TOKEN is a valid token of yours";
    if (code === "GatedRepo" || status === 403)
      return `${name} is gated: accept its licence at ${endpoint}/${name}, and ${token === undefined ? withToken : "check that HF_TOKEN belongs to the account that did"}`;
    if (status === 401)
      return `${endpoint} does not show ${name}: there is no such model, or it is private or gated; check the name, accept its licence at ${endpoint}/${name} if it has one, and ${withToken}`;
    if (code === "RevisionNotFound" || (status === 404 && isModelThere))
      return `${name} has no revision ${revision}; check the branch, tag or commit after @`;
    if (code === "EntryNotFound") return `a file of ${name} is not there any more; run it again: ${again}`;
    if (status === 404) return `there is no model ${name} at ${endpoint}; check the name`;
    if (error.kind === "unreachable")
      return `${endpoint} cannot be reached (${error.message}); connect to the network and run: ${again}`;
    if (error.kind === "passing")
      return `${endpoint} gave up (${error.message}); what has arrived is kept; go on with: ${again}`;
    return `${endpoint} does not give ${name} (${error.message}); check HF_ENDPOINT`;
  };
  return new FileError(`${referenceText(reference)}: ${sentence()}`, { cause: error });
}
