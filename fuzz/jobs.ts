/** What workers are told and tell. */

/** Inputs of one target, which one process reads. */
export interface Job {
  /** The module that exports `targets`, and the name of one. */
  readonly module: string;
  readonly target: string;
  readonly seed: number;
  /** The first number, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** In place of numbers: a folder with the files of one input. */
  readonly folder?: string;
  /** Seconds of the processor that the reading of an input may take; default 10. */
  readonly seconds?: number;
  /** Bytes by which the process may grow at an input; default 1 GB. */
  readonly memory?: number;
}

/** What is wrong with what a reader did. */
export type Fault = "crash" | "defect" | "message" | "stray" | "hang" | "memory" | "death";

/** A line of a worker. */
export type Report =
  | { readonly ready: true }
  | { readonly start: number; readonly resident: number; readonly processor: number }
  | {
      readonly end: number;
      /** Of the processor. */
      readonly seconds: number;
      /** Bytes by which the process grew. */
      readonly memory: number;
      /** The code of the error by which the input was refused. */
      readonly refused?: string;
      readonly fault?: Fault;
      readonly what?: string;
    };
