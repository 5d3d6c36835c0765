/** What a primary and its workers tell each other. A connection goes with its message, as the handle that Node sends. */
import type { Counts } from "../metrics.ts";

/** The variable of the environment by which a process knows that it is a worker; its value is `Assignment` as JSON. */
export const assignmentVariable = "SARDONYX_WORKER";

/** What a worker is told as it is started. */
export interface Assignment {
  /** Its number, from 1; one that is started in place of another has that one's. */
  readonly number: number;
  /** The host and port where the primary listens. */
  readonly authority: string;
  /** Threads that it computes with. */
  readonly threads: number;
}

/** Why a worker cannot serve: the code of a mistake in the input, the stack of a defect. */
export interface Failure {
  readonly message: string;
  readonly code?: string | undefined;
  readonly stack?: string | undefined;
}

/** From the primary to a worker. */
export type ToWorker =
  | { readonly kind: "connection" }
  /** Finish what began, and end. */
  | { readonly kind: "end" }
  /** What all have counted, for the first of the worker's questions that is open. */
  | { readonly kind: "metrics"; readonly text: string };

/** From a worker to the primary. */
export type ToPrimary =
  /** Its models are loaded: connections are taken from now on. */
  | { readonly kind: "serving" }
  /** Whether it takes the first connection that it was handed and has not answered for. */
  | { readonly kind: "connection"; readonly isTaken: boolean }
  /** What it has counted up to now. */
  | { readonly kind: "counts"; readonly counts: Counts }
  /** Asks what all have counted. */
  | { readonly kind: "metrics"; readonly counts: Counts }
  /** It takes no more connections, and ends once it has finished what began. */
  | { readonly kind: "ending" }
  | { readonly kind: "failed"; readonly failure: Failure };
