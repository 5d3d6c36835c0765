/** What a federated algorithm is: what clients change of their training, and how the server moves the parameters. */
import type { Optimizer } from "../../train/optimizers/optimizer.ts";

/** Vectors by name, each as long as the model's values: the trained parameters first, then the buffers. */
export type Vectors = Readonly<Record<string, Float32Array>>;

/** What a client's training came to. */
export interface LocalChange {
  /** The values after it minus those before. */
  readonly change: Float32Array;
  /** Elements of the trained parameters, which come first. */
  readonly trained: number;
  /** Sum of the learning rates of all steps: of K steps at a rate η, K · η. */
  readonly rates: number;
  /** What the server sent beside the values. */
  readonly sent: Vectors;
  /** What the client remembers of earlier rounds. */
  readonly own: Vectors;
}

/** What a strategy changes at clients. */
export interface LocalRule {
  /** What the server sends beside the values: names of its own vectors. */
  readonly sends: readonly string[];
  /** What a client remembers from round to round, zero at first, and what it returns beside its change: vectors of these names. */
  readonly remembers: readonly string[];
  /** μ of the proximal term μ/2 · |w - w₀|², whose gradient is added; default 0. */
  readonly proximal?: number;
  /** What is added to the gradient of every step: a vector that stays the same for the round. Default nothing. */
  offset?(sent: Vectors, own: Vectors): Float32Array;
  /** What the client remembers next. The difference to what it remembered is returned to the server. */
  remember?(change: LocalChange): Vectors;
  /** Throws OptionError for an optimizer that the rule does not hold for. */
  requireOptimizer?(optimizer: Pick<Optimizer, "name" | "settings">): void;
}

/** What came of a round. */
export interface RoundChange {
  /** The change of the clients, as the aggregation combines it. */
  readonly change: Float32Array;
  /** Elements of the trained parameters, which come first. */
  readonly trained: number;
  /** What clients returned beside it: the means, all counting alike. */
  readonly returned: Vectors;
  /** Clients of the round, as a share of all. */
  readonly share: number;
}

/** What the server has: the values of the model, and vectors of its own, which are changed in place. */
export interface ServerState {
  readonly values: Float32Array;
  readonly slots: Vectors;
}

/** A federated algorithm. Make one with `fedAvg` or another. */
export interface Strategy {
  /** By which clients know it. */
  readonly name: string;
  /** Numbers that define it; with the name they are all of it. */
  readonly settings: Readonly<Record<string, number>>;
  /** Whether clients count by their samples, or all alike. */
  readonly weights: "samples" | "equal";
  /** What it changes at clients; default nothing. */
  readonly local?: LocalRule;
  /** Names of the server's vectors, with their first value. */
  readonly slots: Readonly<Record<string, number>>;
  /** Moves the server's values by what came of a round. */
  advance(state: ServerState, round: RoundChange): void;
}

/** Adds a share of the change to the values, from an element on. */
export function addChange(values: Float32Array, change: Float32Array, rate: number, from = 0): void {
  for (let i = from; i < values.length; i++) values[i] = (values[i] as number) + rate * (change[i] as number);
}
