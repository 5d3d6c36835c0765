/** What a data worker and the thread that reads from it say to each other; errors keep their class on the way. */
import * as errors from "../../core/errors.ts";

/** What a worker is started with. */
export interface WorkerSetup {
  /** Address of a module whose default export makes the dataset. */
  readonly module: string;
  readonly options: unknown;
}

/** To the worker: begin an epoch with credit for so many elements, or here is credit for one more. */
export type ToWorker =
  | {
      readonly kind: "epoch";
      readonly epoch: number;
      readonly skip: number;
      readonly stride: number;
      readonly credit: number;
    }
  | { readonly kind: "more" };

/** A tensor as it travels: its array's buffer is handed over, not copied. */
export interface SentTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

export type FromWorker =
  | { readonly kind: "ready"; readonly length: number | undefined }
  | { readonly kind: "element"; readonly tensors: Readonly<Record<string, SentTensor>> }
  | { readonly kind: "end" }
  | { readonly kind: "error"; readonly error: SentError };

export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

export function packError(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined };
  return { name: error.name, message: error.message, stack: error.stack };
}

/** The error anew, of the class of Sardonyx that it had; an Error where it was of none. */
export function unpackError(sent: SentError): Error {
  const known = new Map<string, unknown>(Object.entries(errors)).get(sent.name);
  const isOurs =
    known === errors.SardonyxError || (typeof known === "function" && known.prototype instanceof errors.SardonyxError);
  const error = isOurs ? new (known as typeof errors.SardonyxError)(sent.message) : new Error(sent.message);
  if (sent.stack !== undefined) error.stack = sent.stack; // where it happened, in the worker
  return error;
}
