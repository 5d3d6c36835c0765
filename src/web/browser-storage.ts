/** What pages and workers of a site keep in the browser: IndexedDB, whose transactions take place whole or not at all. */
import { FileError, OptionError } from "../core/errors.ts";

const databaseName = "sardonyx";
/** What is kept, each in a table of its own. */
const tables = ["checkpoints", "values"] as const;

/** A row of a table. */
export interface StoredRow<T> {
  /** What was saved last; `undefined` where there is nothing. */
  load(): Promise<T | undefined>;
  /** Takes a value in the place of the one before, or leaves that one and throws FileError. */
  save(value: T): Promise<void>;
  /** Removes it. */
  remove(): Promise<void>;
}

/** What a request of IndexedDB gives. */
const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function openDatabase(): Promise<IDBDatabase> {
  // Within the function: a browser may throw where a page only asks for it.
  const request = globalThis.indexedDB.open(databaseName, 2);
  request.onupgradeneeded = () => {
    const { result } = request;
    for (const table of tables) if (!result.objectStoreNames.contains(table)) result.createObjectStore(table);
  };
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

/** What a browser refuses, with what to do. */
async function refusal(what: string, cause: unknown): Promise<FileError> {
  if (cause instanceof Error && cause.name === "QuotaExceededError")
    return new FileError(
      `${what}: the browser's storage is full${await usage()}, and what was kept before stays; free space on the disk, or remove other checkpoints and data of this site`,
      { cause },
    );
  const words = cause instanceof Error ? cause.message : String(cause);
  return new FileError(
    `${what}: the browser lets this page store nothing (${words}); open it outside a private window, from a server, and allow the site to store data`,
    { cause },
  );
}

/**
 * The row of a name in a table.
 * @param where the function that was given the name, for its error
 * @param what what is kept, for errors, such as `the checkpoint "digits"`
 */
export function storedRow<T>(where: string, table: (typeof tables)[number], name: string, what: string): StoredRow<T> {
  if (typeof name !== "string" || name === "")
    throw new OptionError(`${where}: the name is ${JSON.stringify(name)}, expected a text such as "my-run"`);
  const within = async <R>(mode: IDBTransactionMode, act: (rows: IDBObjectStore) => IDBRequest<R>): Promise<R> => {
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
      throw await refusal(what, cause);
    } finally {
      database?.close();
    }
  };
  return {
    load: () => within<T | undefined>("readonly", (rows) => rows.get(name)),
    async save(value) {
      await within("readwrite", (rows) => rows.put(value, name));
    },
    async remove() {
      await within("readwrite", (rows) => rows.delete(name));
    },
  };
}

/**
 * A place in the browser for a value of the page's own beside checkpoints, under a name: texts, numbers, arrays, Files, plain objects of these.
 * Its methods throw FileError where the browser lets a page store nothing, or has no room.
 * @example
 * const text = browserValue<string>("my-text");
 * await text.save(area.value);
 */
export const browserValue = <T>(name: string): StoredRow<T> =>
  storedRow("browserValue", "values", name, `what is kept as "${name}"`);
