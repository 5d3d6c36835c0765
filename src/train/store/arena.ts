/** Arenas: shards in the host's memory, whose loops are WebAssembly. Each parameter has a view in every vector. */
import { OptionError } from "../../core/errors.ts";
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { input, type Value } from "../../graph/ir.ts";
import { type CompileOptions, compile, type Executable } from "../../jit/compile.ts";
import { type FusedKernel, fuse, vectorAlignment } from "../../jit/fused.ts";
import { type LoopMemory, type MakeLoopMemory, ownMemory } from "../../runtime/loops.ts";
import {
  type GradientPlaces,
  gradientsName,
  type LoopBody,
  type Shard,
  type Slot,
  type WholeRewrite,
} from "./shard.ts";

/** What one WebAssembly memory can hold. */
const memoryBytes = 2 ** 32;

/** Vectors in one WebAssembly memory. A model has one such shard for every 4 GiB of vectors. */
export class Arena implements Shard {
  readonly memory: LoopMemory;
  readonly slots: readonly Slot[];
  /** Elements of each vector. */
  readonly length: number;
  readonly #vectors = new Map<string, Float32Array>();
  readonly #compile: CompileOptions;

  constructor(
    { slots, length }: Extent,
    names: readonly string[],
    options: CompileOptions = {},
    makeMemory: MakeLoopMemory = ownMemory,
  ) {
    this.slots = slots;
    this.length = length;
    this.#compile = options;
    this.memory = makeMemory(names.length * length * 4);
    for (const [i, name] of names.entries())
      this.#vectors.set(name, new Float32Array(this.memory.buffer, i * length * 4, length));
  }

  vector(name: string): Float32Array {
    const vector = this.#vectors.get(name);
    if (!vector)
      throw new OptionError(`no vector is named "${name}"; there are ${[...this.#vectors.keys()].join(", ")}`);
    return vector;
  }

  view(name: string, { parameter, offset, length }: Slot): Tensor<"float32"> {
    return new Tensor("float32", parameter.shape, this.vector(name).subarray(offset, offset + length));
  }

  async fetch(): Promise<void> {}

  written(): void {}

  async settle(): Promise<void> {}

  loop(names: readonly string[], scalars: number, build: LoopBody): FusedKernel {
    return fuse(
      this.memory,
      names.map((name) => this.vector(name)),
      scalars,
      build,
    );
  }

  rewriteWhole(name: string, build: (whole: Value) => Value): WholeRewrite {
    const compiled = new Map<string, Promise<Executable>>();
    return {
      run: async (slots) => {
        for (const slot of slots) {
          const view = this.view(name, slot);
          const key = `${view.shape}`;
          const whole = input("float32", view.shape);
          const made = compiled.get(key) ?? compile([whole], [build(whole)], this.#compile);
          compiled.set(key, made);
          const [result] = await (await made).run([view]);
          view.data.set(result?.data as Float32Array);
        }
      },
      async release() {
        for (const made of compiled.values()) await (await made).session.release();
        compiled.clear();
      },
    };
  }

  gather(gradients: readonly Value[]): GradientPlaces {
    return { outputs: gradients, places: this.slots.map((slot) => this.view(gradientsName, slot)), filled() {} };
  }

  async release(): Promise<void> {}
}

/** Which parameters lie in a shard, and how long its vectors are. */
export interface Extent {
  readonly slots: readonly Slot[];
  readonly length: number;
}

/** How parameters are laid out. */
export interface LayoutOptions {
  /** The bytes that the vectors of one shard may take together. */
  readonly limit: number;
  /** Each parameter begins at a multiple of this many elements. */
  readonly alignment: number;
  /** Parameters that lie side by side only with their like; default all. */
  readonly kindOf?: (path: string) => number;
}

/** Lays parameters out for as few shards as hold `vectors` vectors. Throws OptionError for a parameter that none holds. */
export function layOutSlots(
  parameters: readonly (readonly [string, { readonly shape: Shape }])[],
  vectors: number,
  { limit, alignment, kindOf = () => 0 }: LayoutOptions,
): readonly Extent[] {
  const most = Math.floor(limit / 4 / vectors / alignment) * alignment;
  const extents: Extent[] = [];
  let slots: Slot[] = [];
  let offset = 0;
  const close = () => {
    if (slots.length > 0) extents.push({ slots, length: offset });
    slots = [];
    offset = 0;
  };
  for (const [path, parameter] of parameters) {
    const length = size(parameter.shape);
    const padded = Math.ceil(length / alignment) * alignment;
    if (padded > most)
      throw new OptionError(
        `parameter "${path}" has ${length} elements, training holds at most ${most} in one tensor; split it`,
      );
    const last = slots.at(-1);
    if (offset + padded > most || (last && kindOf(last.path) !== kindOf(path))) close();
    slots.push({ path, parameter, offset, length });
    offset += padded;
  }
  close();
  return extents;
}

/** How shards are made in the host's memory. */
export interface ArenaOptions {
  /** For what optimizers compile. */
  readonly compile?: CompileOptions;
  /** The bytes of one memory; default what WebAssembly has. */
  readonly limit?: number;
  /** Default memory of one thread. */
  readonly makeMemory?: MakeLoopMemory | undefined;
}

/** Shards in the host's memory for parameters, with a vector of each name, all zero. */
export const allocateArenas = (
  parameters: readonly (readonly [string, { readonly shape: Shape }])[],
  names: readonly string[],
  { compile: compileOptions, limit = memoryBytes, makeMemory }: ArenaOptions = {},
): readonly Arena[] =>
  layOutSlots(parameters, names.length, { limit, alignment: vectorAlignment }).map(
    (extent) => new Arena(extent, names, compileOptions, makeMemory),
  );
