/** The callback that saves a run's progress in intervals, wherever its bytes are kept. */
import { count, functionOf, nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { encodeCheckpoint } from "../checkpoint.ts";
import type { Run } from "../fit.ts";
import type { Callback } from "./callback.ts";

/** How often progress is saved. */
export interface CheckpointOptions {
  /** Seconds between checkpoints inside an epoch; default 30. */
  readonly seconds?: number;
  /** Batches between checkpoints; default: only by time. */
  readonly batches?: number;
  /** Seconds between checkpoints after epochs, where they are shorter; default 0: one after every epoch. */
  readonly epochSeconds?: number;
  /** Clock in seconds; default that of the process. */
  readonly now?: () => number;
}

const checkOptions = optionsOf<CheckpointOptions>("checkpoint", {
  seconds: nonNegative,
  batches: count(),
  epochSeconds: nonNegative,
  now: functionOf("a clock in seconds: () => performance.now() / 1000"),
});

/** Saves the run's progress (`encodeCheckpoint`) in intervals, after the first epoch and every one that has not just been saved, and at the end. */
export function checkpointBy(save: (bytes: Uint8Array) => Promise<void>, options: CheckpointOptions = {}): Callback {
  const {
    seconds = 30,
    batches = Number.POSITIVE_INFINITY,
    epochSeconds = 0,
    now = () => performance.now() / 1000,
  } = checkOptions(options);
  const began = now();
  let last: number | undefined;
  const isDue = ({ trainer }: Run) => trainer.batches % batches === 0 || now() - (last ?? began) >= seconds;
  const isDueAfterEpoch = (run: Run) => last === undefined || now() - last >= epochSeconds || isDue(run);
  const write = async (run: Run) => {
    last = now();
    await run.trainer.sync();
    await save(encodeCheckpoint(run.progress()));
  };
  return {
    name: "checkpoint",
    leads: true,
    saves: isDue,
    onBatch: (run) => (isDue(run) ? write(run) : undefined),
    onEpoch: (run) => (isDueAfterEpoch(run) ? write(run) : undefined),
    onEnd: write,
  };
}
