/** What a page and the worker that trains for it say to each other. */
import type { SentError } from "../data/pipeline/worker-messages.ts";
import type { EpochResult } from "../train/engine/running-sums.ts";

/** A batch that was trained on. */
export interface BatchProgress {
  /** Epochs completed. */
  readonly epoch: number;
  /** Epochs that the run is to have. */
  readonly epochs: number;
  /** Batches done in this epoch. */
  readonly batch: number;
  /** Batches in an epoch, if the data knows. */
  readonly batchesPerEpoch: number | undefined;
  /** Mean loss of the batch. */
  readonly loss: number;
}

/** An epoch that was completed. */
export interface EpochProgress {
  /** Its number, from 1. */
  readonly epoch: number;
  /** Epochs that the run is to have. */
  readonly epochs: number;
  /** Its mean loss and figures, those of validation data under `validation_…`. */
  readonly results: EpochResult;
}

/** To the worker: train with these options, which is said again where the worker was not there yet, or stop. */
export type ToTrainer =
  | { readonly kind: "train"; readonly id: number; readonly options: unknown }
  | { readonly kind: "stop"; readonly id: number };

/** To the page: the worker listens; or it has begun a training, and what becomes of that. */
export type FromTrainer =
  | { readonly kind: "ready" }
  | { readonly kind: "begun"; readonly id: number }
  | { readonly kind: "batch"; readonly id: number; readonly progress: BatchProgress }
  | { readonly kind: "epoch"; readonly id: number; readonly progress: EpochProgress }
  | { readonly kind: "done"; readonly id: number; readonly result: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: SentError };
