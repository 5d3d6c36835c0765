/** The gradients of a step, as they lie in the vectors. */
import { square } from "../../ops/index.ts";
import { gradientsName, type Shard } from "./shard.ts";

/** Gradients of all parameters that are trained together, in the vectors `gradients` of their shards. */
export class Gradients {
  readonly shards: readonly Shard[];
  /** What the vectors have still to be multiplied by, which the update does: cheaper than a pass over them. */
  scale = 1;
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

  /** Hands the gradient of each parameter to be changed in place, in the order of the parameters, the scale applied. */
  async edit(change: (gradient: Float32Array, path: string) => void): Promise<"changed"> {
    for (const shard of this.shards) {
      await shard.fetch(gradientsName);
      for (const slot of shard.slots) {
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

  /** Euclidean norm of all gradients, with the scale. */
  async norm(): Promise<number> {
    if (this.#norm === undefined) {
      let sum = 0;
      for (const [i, { length }] of this.shards.entries()) sum += (await this.#squares[i]?.(0, length)) ?? Number.NaN;
      this.#norm = Math.sqrt(sum);
    }
    return this.#norm * this.scale;
  }

  /** Euclidean norm of each parameter's gradient, by path, with the scale. */
  async norms(): Promise<Record<string, number>> {
    const norms: Record<string, number> = {};
    // What lies between a parameter and the next is zero.
    for (const [i, shard] of this.shards.entries())
      for (const { path, offset, length } of shard.slots) {
        const squares = (await this.#squares[i]?.(offset, offset + length)) ?? Number.NaN;
        norms[path] = Math.sqrt(squares) * this.scale;
      }
    return norms;
  }
}
