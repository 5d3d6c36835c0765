/** What a run reports as it goes. */
import type { Callback } from "./callback.ts";

/** Hands the number of every `every`-th batch (default every one) and its learning rate to `log`. */
export function logLearningRate(log: (batch: number, learningRate: number) => void, every = 1): Callback {
  return {
    name: "logLearningRate",
    onBatch(run, { learningRate }) {
      if (run.trainer.batches % every === 0) log(run.trainer.batches, learningRate);
    },
  };
}

/**
 * Hands each record of a run to `write`: of every `every`-th batch (default 50) its loss, rate, gradient norm and what
 * gradient transforms report; of every epoch its results.
 */
export function records(
  write: (record: Readonly<Record<string, unknown>>) => void | Promise<void>,
  every = 50,
): Callback {
  return {
    name: "records",
    onBatch(run, { step, loss, learningRate, gradientNorm, reports }) {
      const batch = run.trainer.batches;
      const turn = step === "" ? {} : { step };
      if (batch % every === 0)
        return write({
          type: "batch",
          batch,
          epoch: run.epoch + 1,
          ...turn,
          loss,
          learningRate,
          gradientNorm,
          ...reports,
        });
    },
    onEpoch: (run, results) => write({ type: "epoch", epoch: run.epoch, batch: run.trainer.batches, ...results }),
  };
}
