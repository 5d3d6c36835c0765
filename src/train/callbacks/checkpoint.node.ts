/** Callbacks that write checkpoints to files. */
import * as z from "zod";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { encodeCheckpoint } from "../checkpoint.ts";
import { type Callback, requireResult, resultOf, signOf } from "./callback.ts";
import { type CheckpointOptions, checkpointBy } from "./checkpoint.ts";
import { type SavedParameters, saveParameters } from "./saved-parameters.ts";

/**
 * Writes the run's progress to the file `path`: in intervals, after every epoch, and at the end. Pass what
 * `decodeCheckpoint` reads of it to `fit` as `training.resume`.
 * @example
 * await fit(model, train, { ...options, callbacks: [checkpoint("run.safetensors", { seconds: 60 })] });
 */
export function checkpoint(path: string, options: CheckpointOptions = {}): Callback {
  return checkpointBy((bytes) => writeFileAtomic(path, bytes), options);
}

/** A figure, which may be infinite. */
const stateSchema = z.object({ best: z.custom<number>((value) => typeof value === "number") });

/**
 * Writes the progress of the best epoch so far to the file `path`, by a result such as `validation_accuracy`; default
 * `validation_loss`.
 */
export const checkpointBest = (path: string, monitor = "validation_loss"): Callback =>
  checkpointBestBy((bytes) => writeFileAtomic(path, bytes), monitor);

/** As `checkpointBest`, wherever the bytes are kept. */
export function checkpointBestBy(save: (bytes: Uint8Array) => Promise<void>, monitor: string): Callback {
  let best = Number.NEGATIVE_INFINITY;
  // What the epoch's validation measured, which need not be what is trained.
  let measured: SavedParameters | undefined;
  return {
    name: "checkpointBest",
    leads: true,
    onStart: (run) => requireResult(run, monitor),
    onValidation(run) {
      if (monitor.startsWith("validation_")) measured = saveParameters(run.model);
    },
    async onEpoch(run, results) {
      const value = signOf(run, monitor) * resultOf(results, monitor);
      // So written, NaN is never the best.
      if (!(value > best)) return;
      best = value;
      await save(encodeCheckpoint(run.progress(measured)));
    },
    state: () => ({ best }),
    restore(state) {
      best = state === undefined ? Number.NEGATIVE_INFINITY : stateSchema.parse(state).best;
    },
  };
}
