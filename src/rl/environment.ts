/** What an agent acts in: numbered states, numbered actions, rewards. */
import type { Tensor } from "../core/tensor.ts";

/** What came of an action. */
export interface Transition {
  /** Where the agent was. */
  readonly state: number;
  /** What it did. */
  readonly action: number;
  /** What it got for it. */
  readonly reward: number;
  /** Where it came to. */
  readonly next: number;
  /** Whether the episode ends in `next`, after which nothing is to be had. */
  readonly done: boolean;
}

/** What an agent acts in: numbered states, in each of which it takes one of the numbered actions and is rewarded. */
export interface Environment {
  /** How many actions there are in each state. */
  readonly actions: number;
  /** States in which episodes begin. */
  readonly starts: readonly number[];
  /** Steps after which an episode is given up; its last state is not an end. */
  readonly patience: number;
  /** What comes of an action in a state. */
  step(state: number, action: number): Transition;
  /** States as inputs of a model, float32 [N, …]. */
  observe(states: readonly number[]): Tensor;
}
