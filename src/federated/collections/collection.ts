/** How the updates of a round are collected: what its clients are asked, one question after another, and what their answers come to. */
import type { RoundTask } from "../messages.ts";
import type { ModelDescription } from "../model-description.ts";
import type { FederationParts } from "../rounds.ts";
import type { Vectors } from "../strategies/strategy.ts";

/** What the updates of a round come to. */
export interface Collected {
  /** The clients whose updates count, in order. */
  readonly clients: readonly string[];
  /** Their change, as the aggregation combines it. */
  readonly change: Float32Array;
  /** The means of what they returned beside it, all counting alike. */
  readonly returned: Vectors;
  /** Samples of these clients; where noise protects them, how many they are. */
  readonly samples: number;
  /** Mean training loss of these samples; not known where noise protects it. */
  readonly loss: number | undefined;
}

/** What a collection is told of its round. */
export interface CollectedRound {
  readonly description: ModelDescription;
  readonly federation: FederationParts;
  /** Tells the federation from others. */
  readonly id: string;
  readonly round: number;
  /** How often it had begun before. */
  readonly attempt: number;
  /** The clients that were drawn, in order. */
  readonly drawn: readonly string[];
  /** The fewest updates that it is made of. */
  readonly least: number;
  /** The bytes of a client's task. */
  readonly task: (client: string, more: Pick<RoundTask, "noise" | "secure">) => Uint8Array;
}

/** An answer that was read. */
export interface Answer {
  /** The round that it is of. */
  readonly round: number;
  /** Keeps it. */
  readonly take: () => void;
}

/** What comes after a question that all have answered, or whose time is over: another one, the end, too few answers to go on, or more time for it. */
export type NextStep = "asks" | "ends" | "lacks" | "waits";

/** The updates of a round as they come. */
export interface Collection {
  /** The clients that are asked the question under way, in order. */
  readonly asked: readonly string[];
  /** Those of them that neither answered nor were dropped. */
  readonly waiting: readonly string[];
  /** Of those drawn, the ones whose updates do not count, with the reason. */
  readonly dropped: ReadonlyMap<string, string>;
  /** Updates so far. */
  readonly updates: number;
  /** The question under way, by a name that no other of the round has. */
  readonly asking: string;
  /** Whether it is for updates. */
  readonly asksForUpdates: boolean;
  /** The bytes of the question for a client. */
  question(client: string): Uint8Array;
  /** Reads an answer; `undefined` for one to an earlier question. Throws FederationError, naming the client, for one that is refused. */
  read(client: string, bytes: Uint8Array): Answer | undefined;
  /** Waits no longer for a client. */
  drop(client: string, reason: string): void;
  /** Ends the question under way: who has not answered is dropped for this reason. */
  next(reason: string): NextStep;
  /** What came of it. Throws FederationError for sums that cannot be. */
  result(): Promise<Collected>;
}
