/**
 * Shards: flat float32 vectors that hold parameters one after the other, their gradients, and whatever an optimizer remembers, so that an
 * update is a loop over long vectors. Where they lie is the shard's own: in memory of the host (`arena.ts`) or of a device (`device-shard.ts`).
 */
import type { Shape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";

/** Names of the vectors of every shard: what is trained, and its gradients. */
export const [parametersName, gradientsName] = ["parameters", "gradients"] as const;

/** Where a parameter lies in the vectors of its shard. */
export interface Slot {
  /** Path of the parameter. */
  readonly path: string;
  /** The parameter, by its shape. */
  readonly parameter: { readonly shape: Shape };
  readonly offset: number;
  readonly length: number;
}

/** What a loop writes: to the vectors of its order, `undefined` leaving one alone; and a sum that it returns. */
export interface LoopResults {
  readonly results: readonly (Value | undefined)[];
  /** An elementwise value whose sum over all elements is returned. */
  readonly sum?: Value;
}

/** What a loop computes of one element of each vector, and of scalars. */
export type LoopBody = (elements: readonly Value[], scalars: readonly Value[]) => LoopResults;

/** A compiled loop over the elements `start` to `end` of its vectors; it gives the sum, on a device once that is known. */
export type Loop = (start: number, end: number, scalars: readonly number[]) => number | Promise<number>;

/** Where a graph puts the gradients of the parameters of a shard. */
export interface GradientPlaces {
  /** What the graph is to give. */
  readonly outputs: readonly Value[];
  /** Into which tensors. */
  readonly places: readonly Tensor[];
  /** To be called after each run. */
  filled(): void;
}

/** A graph from the tensor of one parameter to what takes its place, for whole parameters of a shard. */
export interface WholeRewrite {
  run(slots: readonly Slot[]): Promise<void>;
  /** Lets go of what was compiled, until the next run. */
  release(): Promise<void>;
}

/** Equally long vectors in one memory. */
export interface Shard {
  readonly slots: readonly Slot[];
  /** Elements of each vector. */
  readonly length: number;
  /**
   * One of the vectors by its name: `parameters`, `gradients`, or what an optimizer remembers. On a device it is a copy: `await
   * fetch(name)` before reading, and `written(name)` after writing. Throws OptionError for another name, DataError for a copy that is old.
   */
  vector(name: string): Float32Array;
  /** The tensor of one parameter inside a vector; writing to it writes to the vector. */
  view(name: string, slot: Slot): Tensor<"float32">;
  /** Copies a vector to where `vector` and `view` show it, unless it is there. */
  fetch(name: string): Promise<void>;
  /** To be called when a vector was written into on the host. */
  written(name: string): void;
  /** Brings what was written on the host to where graphs read it. */
  settle(): Promise<void>;
  /**
   * Compiles a loop over vectors, in place. Throws OptionError for an operator that is not elementwise.
   * @example
   * // gradients <- 0.5 gradients
   * const halve = shard.loop(["gradients"], 0, ([g]) => ({ results: [mul(g, 0.5)] }));
   * await halve(0, shard.length, []);
   */
  loop(names: readonly string[], scalars: number, build: LoopBody): Loop;
  /** Compiles what takes the place of whole parameters in a vector, such as an orthogonalized matrix. */
  rewriteWhole(name: string, build: (whole: Value) => Value): WholeRewrite;
  /** Where a graph that gives these gradients, in the order of the slots, puts them. */
  gather(gradients: readonly Value[]): GradientPlaces;
  /** Lets go of a device's memory; the vectors are the host's then, until they are needed there again. */
  release(): Promise<void>;
}
