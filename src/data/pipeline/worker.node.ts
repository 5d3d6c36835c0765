/** Datasets made in worker threads, ahead of the training step that uses them. */
import type { Worker } from "node:worker_threads";
import type { ArrayOf, DType } from "../../core/dtype.ts";
import { SardonyxError } from "../../core/errors.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { startThread } from "../../core/thread.node.ts";
import { type Batch, Dataset } from "./dataset.ts";
import type { Source } from "./source.ts";
import { type FromWorker, type SentTensor, type ToWorker, unpackError, type WorkerSetup } from "./worker-messages.ts";

/** Options of `inWorker`. */
export interface WorkerOptions {
  /** Elements that each worker makes before they are asked for; default 4. */
  readonly ahead?: number;
  /** Workers; of n, worker k makes elements k, k + n, … Costs nothing extra only where elements can be had in any order; default 1. */
  readonly threads?: number;
}

const checkOptions = optionsOf<WorkerOptions>("inWorker", { ahead: count(), threads: count() });

/** A worker thread and its messages in the order of their arrival. */
class DataWorker {
  readonly #worker: Worker;
  readonly #arrived: FromWorker[] = [];
  #wake = () => {};

  constructor(setup: WorkerSetup) {
    this.#worker = startThread("./worker-entry.node.js", import.meta.url, setup, setup.module);
    const arrive = (message: FromWorker) => {
      this.#arrived.push(message);
      this.#wake();
    };
    const fail = (name: string, message: string, stack?: string) =>
      arrive({ kind: "error", error: { name, message, stack } });
    this.#worker.on("message", arrive);
    this.#worker.on("error", (error) => fail(error.name, `data worker: ${error.message}`, error.stack));
    this.#worker.on("exit", (code) =>
      fail(SardonyxError.name, `data worker: ended with exit code ${code} before its data did`),
    );
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /**
   * The next message, for which the process stays alive; while nobody waits for one, as of an iterator that was left, it may end. Throws
   * the worker's error, in the class that it had there.
   */
  async next(): Promise<Exclude<FromWorker, { kind: "error" }>> {
    this.#worker.ref();
    while (this.#arrived.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#worker.unref();
    const message = this.#arrived.shift() as FromWorker;
    if (message.kind === "error") throw unpackError(message.error);
    return message;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

const unpackElement = (tensors: Readonly<Record<string, SentTensor>>): Batch =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
      name,
      new Tensor(dtype as DType, shape, data as ArrayOf),
    ]),
  );

/** Elements of one epoch, taken from the workers in turn. The workers end with the iteration, however it ends. */
async function* readInTurn(
  workers: readonly DataWorker[],
  epoch: number,
  skip: number,
  ahead: number,
): AsyncGenerator<Batch> {
  try {
    for (const [k, worker] of workers.entries()) {
      worker.send({ kind: "epoch", epoch, skip: skip + k, stride: workers.length, credit: ahead });
    }
    for (let turn = 0; ; turn++) {
      const worker = workers[turn % workers.length] as DataWorker;
      const message = await worker.next();
      if (message.kind !== "element") return;
      worker.send({ kind: "more" });
      yield unpackElement(message.tensors);
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

/** Workers with their dataset made, and its length. */
async function startWorkers(setup: WorkerSetup, threads: number) {
  const workers = Array.from({ length: threads }, () => new DataWorker(setup));
  try {
    const replies = await Promise.all(workers.map((worker) => worker.next()));
    const [first] = replies;
    return { workers, length: first?.kind === "ready" ? first.length : undefined };
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.end()));
    throw error;
  }
}

/**
 * A dataset whose elements are made in worker threads while the caller computes. The default export of the module at
 * `moduleUrl` is `(options) => Dataset<Batch>`, or a promise of one; `options` must be structured-cloneable. Elements and
 * their order are those of that dataset, whatever the number of threads; their arrays are handed over without a copy.
 * Workers start now, for the first epoch, and again with each later one; they end with its iteration. Errors in a worker
 * arrive in the class they had.
 * @example const data = await inWorker(new URL("./my-data.ts", import.meta.url), { batchSize: 64 }, { threads: 2 });
 */
export async function inWorker<B extends Batch = Batch>(
  moduleUrl: URL | string,
  options: unknown,
  workerOptions: WorkerOptions = {},
): Promise<Dataset<B>> {
  const { ahead = 4, threads = 1 } = checkOptions(workerOptions);
  const setup: WorkerSetup = { module: String(moduleUrl), options };
  const first = await startWorkers(setup, threads);
  let waiting: readonly DataWorker[] | undefined = first.workers;
  const source: Source<Batch> = {
    length: first.length,
    fresh: true,
    async *epoch(epoch, skip) {
      const ready = waiting;
      waiting = undefined;
      yield* readInTurn(ready ?? (await startWorkers(setup, threads)).workers, epoch, skip, ahead);
    },
  };
  // What the module makes is what its caller says that it makes.
  return new Dataset(source) as Dataset<Batch> as Dataset<B>;
}
