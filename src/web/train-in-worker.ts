/** The page's end of training in a worker, so that the page stays responsive. */
import { RuntimeError } from "../core/errors.ts";
import { unpackError } from "../data/pipeline/worker-messages.ts";
import type { BatchProgress, EpochProgress, FromTrainer, ToTrainer } from "./training-messages.ts";

/** What a page hears of a training. */
export interface TrainingListener {
  /** After batches, some ten times a second at most. */
  readonly onBatch?: (progress: BatchProgress) => void;
  /** After every epoch and its validation. */
  readonly onEpoch?: (progress: EpochProgress) => void;
}

/** A training that goes on in a worker. */
export interface WorkerTraining<Result> {
  /** What the worker's function returns; rejected with what it throws, and where the worker cannot be loaded. */
  readonly result: Promise<Result>;
  /** Ends the run after the batch under way. The worker's function goes on from there, so that `result` is of what was learned. */
  stop(): void;
}

/** What is heard and told of a worker, or of a port to one. */
export type TrainingWorker = Pick<EventTarget, "addEventListener" | "removeEventListener"> & {
  postMessage(message: unknown): void;
};

let lastId = 0;

/** Milliseconds in which a worker answers, unless its module is still loading. */
const patience = 10_000;

/**
 * Trains in a worker whose module calls `trainingWorker`. `options` are for its function: plain data, arrays, Files. The worker stays for a
 * further training; `worker.terminate()` ends it.
 * @example
 * const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
 * const training = trainInWorker<Uint8Array>(worker, { epochs: 20 }, { onEpoch: ({ epoch, results }) => show(epoch, results.loss) });
 * button.onclick = () => training.stop();
 * const bytes = await training.result;
 */
export function trainInWorker<Result = Uint8Array>(
  worker: TrainingWorker,
  options: unknown,
  { onBatch, onEpoch }: TrainingListener = {},
): WorkerTraining<Result> {
  lastId++;
  const id = lastId;
  const tell = (message: ToTrainer) => worker.postMessage(message);
  const ended = new AbortController();
  // A worker that failed to load before anyone listened says nothing any more.
  const waiting = setTimeout(() => {
    console.warn(
      "Sardonyx: the worker that is to train has not answered for 10 seconds: it is still loading, its address is wrong, or its module does not call trainingWorker.",
    );
  }, patience);
  const result = new Promise<Result>((resolve, reject) => {
    const hear = <E extends Event>(type: "message" | "messageerror" | "error", heard: (event: E) => void) => {
      worker.addEventListener(type, heard as EventListener);
      ended.signal.addEventListener("abort", () => worker.removeEventListener(type, heard as EventListener));
    };
    hear("message", ({ data }: MessageEvent<FromTrainer>) => {
      // A worker whose module was still loading may have missed it.
      if (data.kind === "ready") tell({ kind: "train", id, options });
      else if (data.id !== id) return;
      else if (data.kind === "begun") clearTimeout(waiting);
      else if (data.kind === "batch") onBatch?.(data.progress);
      else if (data.kind === "epoch") onEpoch?.(data.progress);
      else if (data.kind === "done") resolve(data.result as Result);
      else reject(unpackError(data.error));
    });
    hear("error", (event: ErrorEvent) =>
      reject(
        new RuntimeError(
          `the worker that is to train cannot run (${event.message || "its module does not load"}); open its address in the browser, and look at the console`,
        ),
      ),
    );
    hear("messageerror", () =>
      reject(new RuntimeError("the worker's result cannot be sent; return bytes, numbers, arrays or plain objects")),
    );
    tell({ kind: "train", id, options });
  }).finally(() => {
    clearTimeout(waiting);
    ended.abort();
  });
  return { result, stop: () => tell({ kind: "stop", id }) };
}
