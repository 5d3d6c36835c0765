/**
 * Arenas: flat float32 vectors that hold all parameters one after the other, all gradients, and whatever an optimizer
 * remembers, so that an update is a loop over long vectors. Each parameter has a view in every vector.
 */
import { OptionError } from "../../core/errors.ts";
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type FusedKernel, fuse, vectorAlignment } from "../../jit/fused.ts";

const pageBytes = 1 << 16;
/** What one WebAssembly memory can hold. */
const memoryBytes = 2 ** 32;

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

/** Equally long vectors in one memory. A model has one shard for every 4 GiB of vectors. */
export class Shard {
  readonly memory: WebAssembly.Memory;
  readonly slots: readonly Slot[];
  /** Elements of each vector. */
  readonly length: number;
  readonly #vectors = new Map<string, Float32Array>();

  constructor(slots: readonly Slot[], length: number, names: readonly string[]) {
    this.slots = slots;
    this.length = length;
    this.memory = new WebAssembly.Memory({ initial: Math.ceil((names.length * length * 4) / pageBytes) });
    for (const [i, name] of names.entries())
      this.#vectors.set(name, new Float32Array(this.memory.buffer, i * length * 4, length));
  }

  /**
   * One of the vectors by its name: `parameters`, `gradients`, or what an optimizer remembers. Throws OptionError for
   * another name.
   */
  vector(name: string): Float32Array {
    const vector = this.#vectors.get(name);
    if (!vector)
      throw new OptionError(`no vector is named "${name}"; there are ${[...this.#vectors.keys()].join(", ")}`);
    return vector;
  }

  /** The tensor of one parameter inside a vector; writing to it writes to the vector. */
  view(name: string, { parameter, offset, length }: Slot): Tensor<"float32"> {
    return new Tensor("float32", parameter.shape, this.vector(name).subarray(offset, offset + length));
  }

  /**
   * Compiles a loop over vectors, in place; see `fuse`. Throws OptionError for an operator that is not elementwise.
   * @example
   * // gradients <- 0.5 gradients
   * const halve = shard.loop(["gradients"], 0, ([g]) => ({ results: [mul(g, 0.5)] }));
   * halve(0, shard.length, []);
   */
  loop(
    names: readonly string[],
    scalars: number,
    build: (elements: readonly Value[], scalars: readonly Value[]) => LoopResults,
  ): FusedKernel {
    return fuse(
      this.memory,
      names.map((name) => this.vector(name)),
      scalars,
      build,
    );
  }
}

/** Lays parameters out in as few shards as hold a vector of each name, all zero. */
export function allocateShards(
  parameters: readonly (readonly [string, { readonly shape: Shape }])[],
  names: readonly string[],
  limit = memoryBytes,
): readonly Shard[] {
  const most = Math.floor(limit / 4 / names.length / vectorAlignment) * vectorAlignment;
  const shards: Shard[] = [];
  let slots: Slot[] = [];
  let offset = 0;
  const close = () => {
    if (slots.length > 0) shards.push(new Shard(slots, offset, names));
    slots = [];
    offset = 0;
  };
  for (const [path, parameter] of parameters) {
    const length = size(parameter.shape);
    const padded = Math.ceil(length / vectorAlignment) * vectorAlignment;
    if (padded > most)
      throw new OptionError(
        `parameter "${path}" has ${length} elements, training holds at most ${most} in one tensor; split it`,
      );
    if (offset + padded > most) close();
    slots.push({ path, parameter, offset, length });
    offset += padded;
  }
  close();
  return shards;
}
