/** The parameters that are trained together: their flat vectors, and what is remembered of each. */
import { ShapeError } from "../../core/errors.ts";
import { type Shape, sameShape, showShape } from "../../core/shape.ts";
import { asFloat32, copyOf, type Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { type ArenaOptions, allocateArenas } from "./arena.ts";
import { type GradientPlaces, gradientsName, parametersName, type Shard, type Slot } from "./shard.ts";

/** What a store holds: a parameter, or whatever else has a value that may be replaced. */
export interface Stored {
  readonly shape: Shape;
  value: Tensor | undefined;
}

/** A parameter with its path. */
export type Named<P extends Stored = Stored> = readonly [path: string, parameter: P];

/** Makes shards for parameters, with a vector of each name. `kindOf`: which of them are updated alike. */
export type Allocate = (
  parameters: readonly (readonly [string, { readonly shape: Shape }])[],
  names: readonly string[],
  kindOf: (path: string) => number,
) => readonly Shard[];

/**
 * Holds parameters in flat vectors, beside their gradients and vectors of other names, which are remembered from step to step.
 * `Parameter.value` is the truth: while a parameter is here its value is a view into the vectors, and a value that was put in its
 * place is taken up by `sync`.
 */
export class ParameterStore<P extends Stored = Stored> {
  /** How vectors lie in the host's memory, from the next `layOut` on. */
  onHost: ArenaOptions = {};
  readonly #remembered: readonly string[];
  #members: readonly Named<P>[] = [];
  #shards: readonly Shard[] = [];
  #slots: readonly {
    readonly shard: Shard;
    readonly slot: Slot;
    readonly parameter: Stored;
    readonly view: Tensor;
  }[] = [];
  readonly #parked: Map<string, Tensor>;
  readonly #allocate: Allocate;

  /**
   * @param remembered names of the vectors beside parameters and gradients
   * @param parked what is remembered of parameters that are not here now, restored or frozen meanwhile, by `name/path`
   * @param allocate where the vectors lie; default in the host's memory
   */
  constructor(
    remembered: readonly string[],
    parked = new Map<string, Tensor>(),
    allocate: Allocate = (parameters, names) => allocateArenas(parameters, names, this.onHost),
  ) {
    this.#remembered = remembered;
    this.#parked = parked;
    this.#allocate = allocate;
  }

  /** The vectors, in as few memories as hold them. */
  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /** The parameters that are here, in the order of their vectors. */
  get members(): readonly Named<P>[] {
    return this.#members;
  }

  /** Views of the gradients, in the order of the parameters. */
  gradients(): readonly Tensor<"float32">[] {
    return this.#slots.map(({ shard, slot }) => shard.view(gradientsName, slot));
  }

  /** Where a graph that gives these gradients, in the order of the parameters, puts them. */
  gather(gradients: readonly Value[]): GradientPlaces {
    let next = 0;
    const gathered = this.#shards.map((shard) => {
      const first = next;
      next += shard.slots.length;
      return shard.gather(gradients.slice(first, next));
    });
    return {
      outputs: gathered.flatMap(({ outputs }) => outputs),
      places: gathered.flatMap(({ places }) => places),
      filled: () => {
        for (const { filled } of gathered) filled();
      },
    };
  }

  /** Copies all vectors to where the host can read them. */
  async fetch(): Promise<void> {
    for (const shard of this.#shards) for (const name of [parametersName, ...this.#remembered]) await shard.fetch(name);
  }

  /** Lets go of a device's memory. */
  async release(): Promise<void> {
    for (const shard of this.#shards) await shard.release();
  }

  /** Whether these are the parameters that are here. */
  holds(members: readonly Named<P>[]): boolean {
    return (
      members.length === this.#members.length &&
      members.every(([path, parameter], i) => this.#members[i]?.[0] === path && this.#members[i]?.[1] === parameter)
    );
  }

  /**
   * Makes these the parameters that are here. What is remembered of each stays, also of one that leaves, until it comes back.
   * Returns whether anything changed: then the vectors are new. On a device `fetch` comes before.
   * @param kindOf parameters that are updated alike have one number; default all
   * @param remembers which vectors are remembered here of a parameter; default all
   */
  layOut(
    members: readonly Named<P>[],
    kindOf: (path: string) => number = () => 0,
    remembers: (name: string, shard: Shard, slot: Slot) => boolean = () => true,
  ): boolean {
    if (this.holds(members)) return false;
    const byPath = new Map(members);
    const staying = new Set<Stored>(byPath.values());
    for (const [name, tensor] of Object.entries(this.memories())) this.#parked.set(name, tensor);
    for (const { slot, parameter, view } of this.#slots) {
      if (staying.has(parameter)) continue;
      // With arrays of its own, so that the vectors it lay in can go.
      if (parameter.value === view) parameter.value = copyOf(view);
      for (const name of this.#remembered) {
        const key = `${name}/${slot.path}`;
        // Of another parameter that takes its path nothing is remembered.
        if (byPath.has(slot.path)) this.#parked.delete(key);
        else this.#parked.set(key, copyOf(this.#parked.get(key) as Tensor));
      }
    }
    const shards = this.#allocate(members, [parametersName, gradientsName, ...this.#remembered], kindOf);
    this.#members = members;
    this.#shards = shards;
    this.#slots = shards.flatMap((shard) =>
      shard.slots.map((slot) => ({
        shard,
        slot,
        parameter: byPath.get(slot.path) as Stored,
        view: shard.view(parametersName, slot),
      })),
    );
    this.sync();
    for (const { shard, slot } of this.#slots)
      for (const name of this.#remembered) {
        const key = `${name}/${slot.path}`;
        const parked = this.#parked.get(key);
        if (parked && remembers(name, shard, slot)) {
          shard.view(name, slot).data.set(asFloat32(parked).data);
          shard.written(name);
        }
        this.#parked.delete(key);
      }
    return true;
  }

  /** Makes what is remembered zero, as it is at first. */
  async forget(): Promise<void> {
    this.#parked.clear();
    for (const shard of this.#shards)
      for (const name of this.#remembered) {
        await shard.fetch(name);
        shard.vector(name).fill(0);
        shard.written(name);
      }
  }

  /** As `sync`, and brings everything to where graphs read it. */
  async settle(): Promise<void> {
    const replaced = this.#slots.filter(({ parameter, view }) => parameter.value !== view);
    for (const shard of new Set(replaced.map((own) => own.shard))) await shard.fetch(parametersName);
    if (replaced.length > 0) this.sync();
    for (const shard of this.#shards) await shard.settle();
  }

  /**
   * Takes up the values of parameters that were replaced since: loaded, copied, or trained elsewhere. Throws ShapeError. On a device
   * `settle` does so.
   */
  sync(): void {
    for (const { shard, slot, parameter, view } of this.#slots) {
      const { value } = parameter;
      if (value === view) continue;
      if (value && !sameShape(value.shape, view.shape))
        throw new ShapeError(
          `the parameter "${slot.path}" is ${showShape(view.shape)}, and a value of ${showShape(value.shape)} was put into it; give it one of its own shape`,
        );
      if (value) (view.data as Float32Array).set(asFloat32(value).data);
      shard.written(parametersName);
      parameter.value = view;
    }
  }

  /** What is remembered of the parameters that are here, by `name/path`. */
  memories(): Readonly<Record<string, Tensor>> {
    return Object.fromEntries(
      this.#slots.flatMap(({ shard, slot }) =>
        this.#remembered.map((name) => [`${name}/${slot.path}`, shard.view(name, slot)] as const),
      ),
    );
  }
}
