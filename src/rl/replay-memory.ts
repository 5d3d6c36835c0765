/** The latest transitions of an agent, to learn from again and in another order (Lin 1992; Mnih et al. 2015). */
import { OptionError } from "../core/errors.ts";
import type { Random } from "../core/random.ts";
import type { Transition } from "./environment.ts";

/** Numbers that a transition is kept as. */
const width = 5;

/** A memory as plain data, for checkpoints. */
export interface SavedMemory {
  /** [transitions, 5], row by row. */
  readonly rows: Float32Array;
  /** How many were ever added. */
  readonly added: number;
}

/** A ring of transitions: a new one takes the place of the oldest. States are kept exactly up to 2^24. */
export class ReplayMemory {
  readonly capacity: number;
  readonly #rows: Float32Array;
  #added = 0;

  constructor(capacity: number, saved?: SavedMemory) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new OptionError(`replay memory: capacity is ${capacity}; pass a whole number of transitions from 1`);
    this.capacity = capacity;
    this.#rows = new Float32Array(capacity * width);
    if (!saved) return;
    this.#rows.set(saved.rows);
    this.#added = saved.added;
  }

  /** Transitions in memory. */
  get size(): number {
    return Math.min(this.#added, this.capacity);
  }

  /** Adds a transition, in the place of the oldest where the memory is full. */
  add({ state, action, reward, next, done }: Transition): void {
    this.#rows.set([state, action, reward, next, Number(done)], (this.#added++ % this.capacity) * width);
  }

  /** `count` transitions, each drawn from all with equal chance. Throws OptionError when there are none. */
  sample(count: number, random: Random): Transition[] {
    if (this.size === 0) throw new OptionError("replay memory: it is empty; add transitions before sampling");
    return Array.from({ length: count }, () => {
      const at = random.integer(this.size) * width;
      const [state = 0, action = 0, reward = 0, next = 0, done = 0] = this.#rows.subarray(at, at + width);
      return { state, action, reward, next, done: done === 1 };
    });
  }

  /** The memory as plain data, which the constructor takes; its rows are a view, not a copy. */
  save(): SavedMemory {
    return { rows: this.#rows.subarray(0, this.size * width), added: this.#added };
  }
}
