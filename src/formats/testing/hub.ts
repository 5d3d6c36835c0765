/** A hub on this machine for tests: repositories that are listed and served as Hugging Face's hub does, large files by a second server. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Loopback, type Sending, sendFile, startLoopback } from "../../storage/testing/loopback.ts";

/** Git's name of a file. */
export const gitBlob = (content: Uint8Array): string =>
  createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
export const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

/** A repository: its files, of which safetensors and other large ones are served by the second server. */
export interface Repository {
  readonly commit: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

const isLarge = (name: string): boolean => /\.(safetensors|bin|gguf|onnx)$/.test(name);

/** The hub, and what a test changes of it. */
export interface TestHub {
  readonly hub: Loopback;
  /** Where large files lie, as those of the hub do. */
  readonly storage: Loopback;
  /** By name, with the revision behind it: `owner/name@main`. */
  readonly repositories: Record<string, Repository>;
  /** Answers in place of the hub or the storage where it returns true. */
  before: (path: string, request: IncomingMessage, response: ServerResponse) => boolean;
  /** How files are sent, by name and number of the request. */
  sending: (name: string, content: Uint8Array) => Sending & { readonly content?: Uint8Array };
  close(): void;
}

/** Starts the two servers. */
export async function startHub(): Promise<TestHub> {
  const send = (
    name: string,
    content: Uint8Array,
    request: IncomingMessage,
    response: ServerResponse,
    headers = {},
  ) => {
    const { content: other = content, ...sending } = test.sending(name, content);
    sendFile(other, request, response, { ...sending, headers: { ...headers, ...sending.headers } });
  };
  const stored = new Map<string, readonly [name: string, content: Uint8Array]>();
  const storage = await startLoopback((path, request, response) => {
    if (test.before(path, request, response)) return;
    const [name, content] = stored.get(path) ?? [];
    if (name === undefined || content === undefined) response.writeHead(404).end();
    else send(name, content, request, response);
  });
  const hub = await startLoopback((path, request, response) => {
    if (test.before(path, request, response)) return;
    const [, name = "", revision = ""] =
      /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^?]+)\?blobs=true$/.exec(path) ?? [];
    const repository = test.repositories[`${name}@${decodeURIComponent(revision)}`];
    if (name !== "") {
      if (repository) return void response.end(JSON.stringify(listed(repository)));
      return void response.writeHead(404).end();
    }
    const model = /^\/api\/models\/([^/]+\/[^/]+)$/.exec(path)?.[1];
    if (model !== undefined) {
      const isThere = Object.keys(test.repositories).some((own) => own.startsWith(`${model}@`));
      return void response.writeHead(isThere ? 200 : 404).end("{}");
    }
    const [, owner = "", commit, file = ""] = /^\/([^/]+\/[^/]+)\/resolve\/([0-9a-f]+)\/(.+)$/.exec(path) ?? [];
    const found = Object.entries(test.repositories).find(
      ([own, { commit: at }]) => own.startsWith(`${owner}@`) && at === commit,
    );
    const content = found?.[1].files[decodeURIComponent(file)];
    if (content === undefined) return void response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
    if (!isLarge(file)) return send(file, content, request, response, { etag: `"${gitBlob(content)}"` });
    stored.set(`/${sha256(content)}`, [file, content]);
    response
      .writeHead(302, { location: `${storage.address}/${sha256(content)}`, "x-linked-etag": `"${sha256(content)}"` })
      .end();
  });
  const test: TestHub = {
    hub,
    storage,
    repositories: {},
    before: () => false,
    sending: () => ({}),
    close() {
      hub.close();
      storage.close();
    },
  };
  return test;
}

/** A repository as the hub lists it. */
const listed = ({ commit, files }: Repository) => ({
  sha: commit,
  siblings: Object.entries(files).map(([rfilename, content]) => ({
    rfilename,
    size: content.length,
    // Of a large file it is git's name of the pointer to it.
    blobId: isLarge(rfilename) ? "0".repeat(40) : gitBlob(content),
    ...(isLarge(rfilename) && { lfs: { sha256: sha256(content), size: content.length, pointerSize: 134 } }),
  })),
});
