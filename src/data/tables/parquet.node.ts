/**
 * Parquet files, read in a thread of its own: what a damaged file says keeps the library's loops turning for ever, or fills the memory,
 * and only a thread can be ended.
 */
import { stat } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { FileError } from "../../core/errors.ts";
import { systemReason } from "../../storage/atomic.node.ts";

/** What a file may take: so much at least, and so much for each of its bytes; some ten times what files of good faith take. */
const allowance = {
  seconds: (bytes: number): number => 5 + 2e-6 * bytes,
  megabytes: (bytes: number): number => Math.ceil(512 + 30e-6 * bytes),
};

/** The thread, in JavaScript, so that it needs no loader. Its packages are found from here. */
const source = `
const { parentPort, workerData: { path, hyparquet, codecs } } = require("node:worker_threads");
(async () => {
  const [{ asyncBufferFromFile, parquetReadObjects }, { compressors }] = await Promise.all([import(hyparquet), import(codecs)]);
  parentPort.postMessage({ begun: true });
  parentPort.postMessage({ rows: await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors }) });
})();
`;

type Row = Readonly<Record<string, unknown>>;
type Message = { readonly begun: true } | { readonly rows: readonly Row[] };

/**
 * The rows of a Parquet file, as its columns hold them. Throws FileError for a file that is missing or damaged, and for one that takes much
 * more time or memory than files of its size do.
 */
export async function readParquet(path: string): Promise<readonly Row[]> {
  const status = await stat(path).catch(() => undefined);
  if (!status?.isFile()) throw new FileError(`records: there is no file ${path}; check the path`);
  const [seconds, megabytes] = [allowance.seconds(status.size), allowance.megabytes(status.size)];
  const worker = new Worker(source, {
    eval: true,
    workerData: {
      path,
      hyparquet: import.meta.resolve("hyparquet"),
      codecs: import.meta.resolve("hyparquet-compressors"),
    },
    resourceLimits: { maxOldGenerationSizeMb: megabytes },
  });
  const refusal = (why: string, cause?: unknown) =>
    new FileError(`${path}: cannot be read as Parquet (${why}); it is cut off or damaged, get it anew`, { cause });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      worker.on("message", (message: Message) => {
        if ("rows" in message) return resolve(message.rows);
        timer = setTimeout(() => reject(refusal(`it takes more than ${Math.round(seconds)} s`)), 1000 * seconds);
      });
      worker.on("error", (error: NodeJS.ErrnoException) => {
        const isFull = error.code === "ERR_WORKER_OUT_OF_MEMORY";
        reject(refusal(isFull ? `it takes more than ${megabytes} MB of memory` : systemReason(error), error));
      });
      worker.on("exit", () => reject(refusal("its reader ended early")));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
