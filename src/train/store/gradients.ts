/** The gradients of a step, as they lie in the vectors. */
import { square } from "../../ops/index.ts";
import type { Shard } from "./arena.ts";
import { gradientsName } from "./parameter-store.ts";

/** Gradients of all parameters that are trained together, in the vectors `gradients` of their shards. */
export class Gradients {
  readonly shards: readonly Shard[];
  /** What the vectors have still to be multiplied by, which the update does: cheaper than a pass over them. */
  scale = 1;
  /** For each shard, the sum of squares of a range. */
  readonly #squares: readonly ((start: number, end: number) => number)[];
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

  /** Hands the gradient of each parameter to be changed in place, in the order of the parameters, the scale applied. */
  edit(change: (gradient: Float32Array, path: string) => void): "changed" {
    for (const shard of this.shards)
      for (const slot of shard.slots) {
        const { data } = shard.view(gradientsName, slot);
        if (this.scale !== 1) for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) * this.scale;
        change(data, slot.path);
      }
    this.scale = 1;
    this.changed();
    return "changed";
  }

  /** Euclidean norm of all gradients, with the scale. */
  norm(): number {
    this.#norm ??= Math.sqrt(
      this.shards.reduce((sum, { length }, i) => sum + (this.#squares[i]?.(0, length) ?? Number.NaN), 0),
    );
    return this.#norm * this.scale;
  }

  /** Euclidean norm of each parameter's gradient, by path, with the scale. */
  norms(): Record<string, number> {
    const slots = this.shards.flatMap((shard, i) =>
      // What lies between a parameter and the next is zero.
      shard.slots.map(({ path, offset, length }) => {
        const squares = this.#squares[i]?.(offset, offset + length) ?? Number.NaN;
        return [path, Math.sqrt(squares) * this.scale] as const;
      }),
    );
    return Object.fromEntries(slots);
  }
}
