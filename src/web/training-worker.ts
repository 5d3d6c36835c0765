/** The worker's end of training in a worker: takes what a page asks for, tells it how the run goes, gives it the result. */
import { OptionError } from "../core/errors.ts";
import { packError } from "../data/pipeline/worker-messages.ts";
import type { Callback } from "../train/callbacks/callback.ts";
import type { FromTrainer, ToTrainer } from "./training-messages.ts";

/** What a worker is given beside the page's options. */
export interface TrainingPage {
  /** To be among the callbacks of `fit`: tells the page of batches and epochs, and ends the run when the page says so. */
  readonly progress: Callback;
}

/** What a worker sends and hears by: itself, or a port. */
export type TrainingPort = {
  postMessage(message: unknown, options: { transfer: ArrayBuffer[] }): void;
  addEventListener(type: "message", heard: (event: MessageEvent) => void): void;
};

/** Milliseconds between what a page is told of batches. */
const interval = 100;

/** Lets messages in: between the steps of a run a worker has no other turn for them. */
const nextTurn = () => new Promise<void>((resolve) => setTimeout(resolve));

/** The buffers of a result that are handed over rather than copied: those of arrays, on the first level of it. */
function buffersOf(result: unknown): ArrayBuffer[] {
  const values =
    result !== null && typeof result === "object" && !ArrayBuffer.isView(result) ? Object.values(result) : [result];
  const buffers = values.map((value) => (ArrayBuffer.isView(value) ? value.buffer : value));
  return [...new Set(buffers.filter((buffer) => buffer instanceof ArrayBuffer))];
}

/**
 * Makes this worker one that trains for a page: `train` is called with the options that the page gave to `trainInWorker`, and what it returns
 * goes to the page: bytes, numbers, arrays, plain objects. What it throws is thrown there. Call it once, at the top of the worker's module.
 * @param port what is heard and told by; default the worker itself
 * @example
 * trainingWorker(async ({ epochs }: { epochs: number }, { progress }) => {
 *   const model = sequential([dense(2)]);
 *   await fit(model, data, { loss: crossEntropy(), optimizer: adam(), epochs, callbacks: [progress] });
 *   return encodeSavedModel(model).bytes;
 * });
 */
export function trainingWorker<Options>(
  train: (options: Options, page: TrainingPage) => unknown,
  port: TrainingPort = globalThis.self,
): void {
  let running: { readonly id: number; isStopped: boolean } | undefined;
  let last = 0;
  const tell = (message: FromTrainer, buffers: ArrayBuffer[] = []) => port.postMessage(message, { transfer: buffers });

  const run = async (id: number, options: Options) => {
    const own = { id, isStopped: false };
    running = own;
    last = id;
    tell({ kind: "begun", id });
    let told = Number.NEGATIVE_INFINITY;
    const obey: NonNullable<Callback["onStart"]> = async (run) => {
      await nextTurn();
      if (own.isStopped) run.stop("the page stopped it");
    };
    const progress: Callback = {
      name: "pageProgress",
      onStart: obey,
      async onBatch(run, { loss }) {
        if (performance.now() - told < interval) return;
        told = performance.now();
        const { epoch, epochs, batchInEpoch: batch, batchesPerEpoch } = run;
        tell({ kind: "batch", id, progress: { epoch, epochs, batch, batchesPerEpoch, loss } });
        await obey(run);
      },
      async onEpoch(run, results) {
        tell({ kind: "epoch", id, progress: { epoch: run.epoch, epochs: run.epochs, results } });
        await obey(run);
      },
    };
    try {
      const result = await train(options, { progress });
      tell({ kind: "done", id, result }, buffersOf(result));
    } catch (error) {
      tell({ kind: "error", id, error: packError(error) });
    } finally {
      running = undefined;
    }
  };

  port.addEventListener("message", ({ data }: MessageEvent<ToTrainer>) => {
    if (data.kind === "stop" && running?.id === data.id) running.isStopped = true;
    // The page says it twice to a worker that was still loading.
    if (data.kind !== "train" || data.id === last) return;
    if (!running) void run(data.id, data.options as Options);
    else {
      const error = new OptionError("this worker trains already; wait for its result, or start another worker");
      tell({ kind: "error", id: data.id, error: packError(error) });
    }
  });
  tell({ kind: "ready" });
}
