/** Large files from a server: continued where a download ended, by one process at a time, and named once they are verified. */
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { FileError } from "../core/errors.ts";
import { syncFolder } from "./atomic.node.ts";
import { differenceOf, type ExpectedFile } from "./checksum.node.ts";
import { makeFolder, onDisk } from "./disk.node.ts";
import type { DownloadProgress } from "./download.node.ts";
import { persistently, type Reply, RequestError, request } from "./http.ts";
import { type Release, tryLock } from "./process-lock.node.ts";

/** A file of a server. */
export interface ServedFile extends ExpectedFile {
  /** For progress and errors. */
  readonly name: string;
  readonly url: string;
}

export interface ResumableOptions {
  /** Sent as a bearer token to the server of the address alone. */
  readonly token?: string | undefined;
  /** Called as bytes arrive, and first with those that are there. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Seconds without a byte after which a connection is given up. */
  readonly stallSeconds: number;
  /** Tries in a row that may bring nothing. */
  readonly attempts: number;
  /** Looks at the server's answer before its body is taken; throws where it is another file. */
  readonly onReply?: ((reply: Reply) => void) | undefined;
}

/** Seconds between looks at whether another process is done. */
const lockSeconds = 0.2;

/**
 * Downloads `file` to `path`, unless a file is there. What has arrived lies in `<path>.incomplete`, from which this and later calls go
 * on; it becomes `path` when size and checksum agree, and is deleted where they do not. While another process downloads the same file,
 * this one waits. Throws RequestError for what the server refuses, FileError for damage and for a disk that takes no more.
 */
export async function downloadResumably(path: string, file: ServedFile, options: ResumableOptions): Promise<void> {
  makeFolder(dirname(path));
  const release = await lockFor(path);
  if (release === undefined) return;
  try {
    const partial = `${path}.incomplete`;
    const state: Begun = { isContinued: (await sizeOf(partial)) > 0 };
    for (;;) {
      let received = 0;
      await persistently(() => fill(partial, file, options, state, (bytes) => (received = Math.max(received, bytes))), {
        attempts: options.attempts,
        progress: () => received,
      });
      const difference = await differenceOf(partial, file);
      if (difference === undefined) break;
      await rm(partial, { force: true });
      // The parts may have been of different files.
      if (!state.isContinued)
        throw new FileError(`${file.name} arrived damaged: ${difference}; it was deleted; run it again`);
      state.isContinued = false;
    }
    await onDisk(path, () => rename(partial, path));
    await syncFolder(dirname(path));
  } finally {
    release();
  }
}

/** A lock for a file; `undefined` once the file is there. */
async function lockFor(path: string): Promise<Release | undefined> {
  for (;;) {
    if ((await stat(path).catch(() => undefined)) !== undefined) return undefined;
    const locked = await onDisk(path, async () => tryLock(`${path}.lock`));
    if ("release" in locked) {
      if ((await stat(path).catch(() => undefined)) === undefined) return locked.release;
      locked.release();
      return undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, lockSeconds * 1000));
  }
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

/** A file whose beginning is here. */
interface Begun {
  /** Whether its bytes came of several answers. */
  isContinued: boolean;
  /** What says that the server's file is still the same. */
  etag?: string | undefined;
}

/** Asks for what is missing of a partial file and appends it. */
async function fill(
  partial: string,
  file: ServedFile,
  options: ResumableOptions,
  state: Begun,
  onBytes: (received: number) => void,
): Promise<void> {
  const { name, url, bytes: total } = file;
  // The end of the file is written to, wherever that is; not "a", which would not allow to cut it.
  const handle = await onDisk(partial, () => open(partial, constants.O_RDWR | constants.O_CREAT));
  try {
    let received = (await handle.stat()).size;
    const restart = async () => {
      await onDisk(partial, () => handle.truncate(0));
      received = 0;
      state.isContinued = false;
    };
    if (received > total) await restart();
    if (received === total && total > 0) return;
    const reply = await ask();
    try {
      options.onReply?.(reply);
      if (reply.status !== 206 && received > 0) await restart();
      if (reply.status === 206 && !continues(reply.headers, received, total)) {
        await restart();
        throw new RequestError("it sent another part than was asked for", "passing");
      }
      state.etag = strongEtag(reply.headers);
      if (received > 0) state.isContinued = true;
      options.onProgress?.({ name, received, total });
      for await (const chunk of reply.chunks()) {
        if (received + chunk.length > total) {
          await restart();
          throw new FileError(`${name}: more than the expected ${total} bytes arrived; nothing of them was kept`);
        }
        await write(handle, chunk, received, partial);
        received += chunk.length;
        onBytes(received);
        options.onProgress?.({ name, received, total });
      }
    } finally {
      reply.close();
    }
    if (received < total) throw new RequestError(`it ended after ${received} of ${total} bytes`, "passing");
    await onDisk(partial, () => handle.sync());

    async function ask(): Promise<Reply> {
      const { etag } = state;
      const range = received > 0 && { range: `bytes=${received}-`, ...(etag !== undefined && { "if-range": etag }) };
      const { token, stallSeconds } = options;
      try {
        return await request(url, { token, stallSeconds, headers: { ...range } });
      } catch (error) {
        // A range that the server does not have is of another file: from the beginning.
        if (!(error instanceof RequestError && error.reply?.status === 416) || received === 0) throw error;
        await restart();
        return request(url, { token, stallSeconds });
      }
    }
  } finally {
    await handle.close();
  }
}

/** Whether a part of a file begins where it was asked to, of a file of that size (RFC 9110, section 14.4). */
function continues(headers: Headers, from: number, total: number): boolean {
  const [, begin, size] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
  return Number(begin) === from && (size === "*" || Number(size) === total);
}

/** The tag of a file that is the same byte for byte: weak ones are none (RFC 9110, section 13.1.5). */
function strongEtag(headers: Headers): string | undefined {
  const etag = headers.get("etag");
  return etag?.startsWith('"') ? etag : undefined;
}

async function write(handle: FileHandle, chunk: Uint8Array, position: number, path: string): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await onDisk(
      path,
      () => handle.write(chunk, written, chunk.length - written, position + written),
      "what has arrived is kept, and the next download goes on from there",
    );
    written += bytesWritten;
  }
}
