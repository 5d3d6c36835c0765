/** Checkpoints that outlive a page, in the browser's storage: IndexedDB, whose transactions take place whole or not at all. */
import { FileError, OptionError } from "../core/errors.ts";
import type { Callback } from "../train/callbacks/callback.ts";
import { type CheckpointOptions, checkpointBy } from "../train/callbacks/checkpoint.ts";
import { decodeCheckpoint } from "../train/checkpoint.ts";
import type { Progress } from "../train/fit.ts";

/** Where a run's checkpoint is kept; `browserStore` is one, of your own it may be a server. */
export interface CheckpointStore {
  /** The progress that was saved last, for `training.resume` of `fit`; `undefined` where there is none. */
  load(): Promise<Progress | undefined>;
  /** Takes a checkpoint (`encodeCheckpoint`) in the place of the one before, or leaves that one and throws FileError. */
  save(bytes: Uint8Array): Promise<void>;
  /** Removes the checkpoint, so that the next run begins anew. */
  remove(): Promise<void>;
}

const databaseName = "sardonyx";
const table = "checkpoints";

/** What a request of IndexedDB gives. */
const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function openDatabase(): Promise<IDBDatabase> {
  // Within the function: a browser may throw where a page only asks for it.
  const request = globalThis.indexedDB.open(databaseName, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(table);
  return settled(request);
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** How much of its storage the page has used, where the browser says so. */
async function usage(): Promise<string> {
  const { usage: used, quota } = (await globalThis.navigator?.storage?.estimate?.().catch(() => undefined)) ?? {};
  return used === undefined || quota === undefined
    ? ""
    : `; this site uses ${mebibytes(used)} of the ${mebibytes(quota)} that it may`;
}

/**
 * A place for one run's checkpoint in the browser, under a name, for the pages and workers of one site. Its methods throw FileError where the
 * browser lets a page store nothing, or has no room. The browser may clear the storage of sites that are seldom visited; where that must not be,
 * ask for `navigator.storage.persist()`.
 * @example
 * const store = browserStore("digits");
 * await fit(model, train, { ...options, training: { resume: await store.load() }, callbacks: [storedCheckpoint(store)] });
 */
export function browserStore(name: string): CheckpointStore {
  if (typeof name !== "string" || name === "")
    throw new OptionError(`browserStore: the name is ${JSON.stringify(name)}, expected a text such as "my-run"`);
  const within = async <T>(mode: IDBTransactionMode, act: (rows: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    let database: IDBDatabase | undefined;
    try {
      database = await openDatabase();
      const transaction = database.transaction(table, mode, { durability: "strict" });
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      const [result] = await Promise.all([settled(act(transaction.objectStore(table))), done]);
      return result;
    } catch (cause) {
      throw await refusal(name, cause);
    } finally {
      database?.close();
    }
  };
  return {
    async load() {
      const bytes = await within<Uint8Array | undefined>("readonly", (rows) => rows.get(name));
      return bytes && decodeCheckpoint(bytes);
    },
    async save(bytes) {
      await within("readwrite", (rows) => rows.put(bytes, name));
    },
    async remove() {
      await within("readwrite", (rows) => rows.delete(name));
    },
  };
}

/** What a browser refuses, with what to do. */
async function refusal(name: string, cause: unknown): Promise<FileError> {
  const where = `the checkpoint "${name}"`;
  if (cause instanceof Error && cause.name === "QuotaExceededError")
    return new FileError(
      `${where}: the browser's storage is full${await usage()}, and the checkpoint of before stays; free space on the disk, or remove other checkpoints and data of this site`,
      { cause },
    );
  const words = cause instanceof Error ? cause.message : String(cause);
  return new FileError(
    `${where}: the browser lets this page store nothing (${words}); open it outside a private window, from a server, and allow the site to store data`,
    { cause },
  );
}

/**
 * Saves the run's progress in a store: in intervals, after every epoch, and at the end. Where a checkpoint cannot be saved, the one of before
 * stays, the console says why, training goes on, and the run's notes say so if that held to its end. A page that is closed meanwhile leaves the
 * one of before.
 */
export function storedCheckpoint(store: CheckpointStore, options: CheckpointOptions = {}): Callback {
  let refused: FileError | undefined;
  const save = async (bytes: Uint8Array) => {
    try {
      await store.save(bytes);
      refused = undefined;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      if (!refused) console.warn(`Sardonyx: ${error.message}`);
      refused = error;
    }
  };
  return {
    ...checkpointBy(save, options),
    notes: () => (refused ? [`the last checkpoint was not saved: ${refused.message}`] : []),
  };
}
