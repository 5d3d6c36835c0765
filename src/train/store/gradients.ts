/** The gradients of a step, as they lie in the vectors. */

import type { Range } from "../../distributed/communicator.ts";
import { square } from "../../ops/index.ts";
import { slotsWithin } from "./ownership.ts";
import { gradientsName, type Shard, type Slot } from "./shard.ts";

/** Of gradients that ranks share out, those of this one. */
export interface GradientPart {
  /** The elements of a shard's vector that are right here; those of others are of no use. */
  range(shard: Shard): Range;
  /** Replaces numbers by their sums over all ranks. */
  sum(values: Float64Array): Promise<void>;
}

/** Gradients of all parameters that are trained together, in the vectors `gradients` of their shards. */
export class Gradients {
  readonly shards: readonly Shard[];
  /** What the vectors have still to be multiplied by, which the update does: cheaper than a pass over them. */
  scale = 1;
  /** Where ranks share the gradients out, what is this one's; else it has all. */
  part: GradientPart | undefined;
  /** For each shard, the sum of squares of a range. */
  readonly #squares: readonly ((start: number, end: number) => number | Promise<number>)[];
  #norm: number | undefined;

  constructor(shards: readonly Shard[]) {
    this.shards = shards;
    this.#squares = shards.map((shard) => {
      const sum = shard.loop([gradientsName], 0, ([g]) => ({ results: [], ...(g && { sum: square(g) }) }));
      return (start, end) => sum(start, end, []);
    });
  }

  /** To be called when the vectors were written. */
  changed(): void {
    this.#norm = undefined;
  }

  /** Makes all zero. */
  async clear(): Promise<void> {
    for (const shard of this.shards) {
      await shard.fetch(gradientsName);
      shard.vector(gradientsName).fill(0);
      shard.written(gradientsName);
    }
    this.changed();
  }

  /**
   * Hands the gradient of each parameter to be changed in place, in the order of the parameters, the scale applied; where ranks share the
   * gradients out, of those that are this one's.
   */
  async edit(change: (gradient: Float32Array, path: string) => void): Promise<"changed"> {
    for (const shard of this.shards) {
      await shard.fetch(gradientsName);
      for (const slot of this.#slots(shard)) {
        const { data } = shard.view(gradientsName, slot);
        if (this.scale !== 1) for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) * this.scale;
        change(data, slot.path);
      }
      shard.written(gradientsName);
    }
    this.scale = 1;
    this.changed();
    return "changed";
  }

  /** Euclidean norm of all gradients, with the scale. Where ranks share them out all ask for it, or none. */
  async norm(): Promise<number> {
    if (this.#norm === undefined) {
      const sum = new Float64Array(1);
      for (const [i, shard] of this.shards.entries()) {
        const { start, end } = this.#range(shard);
        sum[0] = (sum[0] ?? 0) + ((await this.#squares[i]?.(start, end)) ?? Number.NaN);
      }
      await this.part?.sum(sum);
      this.#norm = Math.sqrt(sum[0] ?? Number.NaN);
    }
    return this.#norm * this.scale;
  }

  /** Euclidean norm of each parameter's gradient, by path, with the scale. Where ranks share them out all ask for it, or none. */
  async norms(): Promise<Record<string, number>> {
    const paths = this.shards.flatMap(({ slots }) => slots.map(({ path }) => path));
    const squares = new Float64Array(paths.length);
    // What lies between a parameter and the next is zero.
    for (const [i, shard] of this.shards.entries())
      for (const { path, offset, length } of this.#slots(shard))
        squares[paths.indexOf(path)] = (await this.#squares[i]?.(offset, offset + length)) ?? Number.NaN;
    await this.part?.sum(squares);
    return Object.fromEntries(paths.map((path, i) => [path, Math.sqrt(squares[i] ?? Number.NaN) * this.scale]));
  }

  #range(shard: Shard): Range {
    return this.part?.range(shard) ?? { start: 0, end: shard.length };
  }

  #slots(shard: Shard): readonly Slot[] {
    const { start, end } = this.#range(shard);
    return slotsWithin(shard.slots, start, end);
  }
}
