/**
 * Parquet files, read in a thread of its own: what a damaged file says keeps the library's loops turning for ever, or fills the memory,
 * and only a thread can be ended. The thread asks for the parts of the file that it reads, which are decrypted where the file is encrypted.
 */
import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { FileError } from "../../core/errors.ts";
import { append } from "../../core/lists.ts";
import { systemReason } from "../../storage/disk.node.ts";
import { openFile } from "../../storage/file-source.node.ts";

/** What a file may take: so much at least, and so much for each of its bytes; some ten times what files of good faith take. */
const allowance = {
  seconds: (bytes: number): number => 5 + 2e-6 * bytes,
  megabytes: (bytes: number): number => Math.ceil(512 + 30e-6 * bytes),
};

/** The thread, in JavaScript, so that it needs no loader. Its packages are found from here. A group of rows is read when it is asked for. */
const source = `
const { parentPort, workerData: { size, hyparquet, codecs } } = require("node:worker_threads");
const waiting = [];
const file = {
  byteLength: size,
  slice: (start, end = size) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      parentPort.postMessage({ part: [start, end] });
    }),
};
let readGroup;
parentPort.on("message", (message) => (typeof message === "number" ? readGroup(message) : waiting.shift()(message)));
(async () => {
  const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] = await Promise.all([import(hyparquet), import(codecs)]);
  parentPort.postMessage({ begun: true });
  const metadata = await parquetMetadataAsync(file);
  const starts = [0];
  for (const group of metadata.row_groups) starts.push(starts.at(-1) + Number(group.num_rows));
  parentPort.postMessage({ names: parquetSchema(metadata).children.map(({ element }) => element.name), starts });
  readGroup = async (group) => {
    parentPort.postMessage({ rows: await parquetReadObjects({ file, metadata, compressors, rowStart: starts[group], rowEnd: starts[group + 1] }) });
  };
})();
`;

/** A row by the names of its columns. */
type Row = Readonly<Record<string, unknown>>;
interface Opened {
  readonly names: readonly string[];
  /** The first row of each group of rows, and behind the last how many there are. */
  readonly starts: readonly number[];
}
type Message =
  | { readonly begun: true }
  | { readonly part: readonly [start: number, end: number] }
  | Opened
  | { readonly rows: readonly Row[] };

/** A thread that reads a file; `close` ends it. */
export interface ParquetReader extends Opened {
  read(group: number): Promise<readonly Row[]>;
  close(): Promise<unknown>;
}

/** Opens a file, whose groups of rows are read one by one. Throws as `readParquet`. */
export async function openParquet(path: string): Promise<ParquetReader> {
  const status = await stat(path).catch(() => undefined);
  if (!status?.isFile()) throw new FileError(`records: there is no file ${path}; check the path`);
  const [seconds, megabytes] = [allowance.seconds(status.size), allowance.megabytes(status.size)];
  const file = openFile(path);
  const worker = new Worker(source, {
    eval: true,
    workerData: {
      size: file.size,
      hyparquet: import.meta.resolve("hyparquet"),
      codecs: import.meta.resolve("hyparquet-compressors"),
    },
    resourceLimits: { maxOldGenerationSizeMb: megabytes },
  });
  const refusal = (why: string, cause?: unknown) =>
    new FileError(`${path}: cannot be read as Parquet (${why}); it is cut off or damaged, get it anew`, { cause });
  /** Waits for a message of a kind; the clock begins when the thread's packages are loaded. */
  const next = <T extends Message>(kind: string, isBegun: boolean): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      // While nobody waits for it the process may end.
      worker.ref();
      let timer: NodeJS.Timeout | undefined;
      const end = () => {
        clearTimeout(timer);
        worker.unref();
        worker.off("message", onMessage).off("error", onError).off("exit", onExit);
      };
      const refuse = (why: string, cause?: unknown) => {
        end();
        reject(refusal(why, cause));
      };
      const begin = () => {
        timer = setTimeout(() => refuse(`it takes more than ${Math.round(seconds)} s`), 1000 * seconds);
      };
      const onMessage = (message: Message) => {
        if ("begun" in message) begin();
        if ("part" in message)
          try {
            const [start, end] = message.part.map((at) => Math.min(Math.max(at, 0), file.size)) as [number, number];
            const { buffer } = file.read(start, Math.max(end - start, 0));
            worker.postMessage(buffer, [buffer as ArrayBuffer]);
          } catch (error) {
            end();
            reject(error);
          }
        if (!(kind in message)) return;
        end();
        resolve(message as T);
      };
      const onError = (error: NodeJS.ErrnoException) => {
        const isFull = error.code === "ERR_WORKER_OUT_OF_MEMORY";
        refuse(isFull ? `it takes more than ${megabytes} MB of memory` : systemReason(error), error);
      };
      const onExit = () => refuse("its reader ended early");
      worker.on("message", onMessage).on("error", onError).on("exit", onExit);
      if (isBegun) begin();
    });
  try {
    const { names, starts } = await next<Opened>("names", false);
    return {
      names,
      starts,
      async read(group) {
        const answer = next<{ readonly rows: readonly Row[] }>("rows", true);
        worker.postMessage(group);
        return (await answer).rows;
      },
      close() {
        file.close();
        return worker.terminate();
      },
    };
  } catch (error) {
    file.close();
    await worker.terminate();
    throw error;
  }
}

/** The names of a Parquet file's columns. Throws as `readParquet`. */
export async function parquetNames(path: string): Promise<readonly string[]> {
  const reader = await openParquet(path);
  await reader.close();
  return reader.names;
}

/** The rows of a Parquet file, one group of rows at a time. Throws as `readParquet`. */
export async function* parquetRows(path: string): AsyncGenerator<readonly Row[]> {
  const reader = await openParquet(path);
  try {
    for (let group = 0; group < reader.starts.length - 1; group++) yield await reader.read(group);
  } finally {
    await reader.close();
  }
}

/**
 * The rows of a Parquet file, as its columns hold them. Throws FileError for a file that is missing or damaged, and for one that takes much
 * more time or memory than files of its size do.
 */
export async function readParquet(path: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const group of parquetRows(path)) append(rows, group);
  return rows;
}
