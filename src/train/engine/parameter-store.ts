/** The parameters that are trained together: their flat vectors, and what is remembered of each. */
import { asFloat32, Tensor } from "../../core/tensor.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { allocateShards, type Shard, type Slot } from "./arena.ts";

/** A parameter with its path. */
export type Named = readonly [path: string, parameter: Parameter];

/** Names of the vectors of every store: what is trained, and its gradients. */
export const [parametersName, gradientsName] = ["parameters", "gradients"] as const;

/**
 * Holds parameters in flat vectors, beside their gradients and vectors of other names, which are remembered from step to step.
 * `Parameter.value` is the truth: while a parameter is here its value is a view into the vectors, and a value that was put in its
 * place is taken up by `sync`.
 */
export class ParameterStore {
  readonly #remembered: readonly string[];
  #members: readonly Named[] = [];
  #shards: readonly Shard[] = [];
  #slots: readonly {
    readonly shard: Shard;
    readonly slot: Slot;
    readonly parameter: Parameter;
    readonly view: Tensor;
  }[] = [];
  /** What is remembered of parameters that are not here now: restored, or frozen meanwhile; by `name/path`. */
  readonly #parked = new Map<string, Tensor>();

  constructor(remembered: readonly string[]) {
    this.#remembered = remembered;
  }

  get shards(): readonly Shard[] {
    return this.#shards;
  }

  /** The parameters that are here, in the order of their vectors. */
  get members(): readonly Named[] {
    return this.#members;
  }

  /** Views of the gradients, in the order of the parameters. */
  gradients(): readonly Tensor<"float32">[] {
    return this.#slots.map(({ shard, slot }) => shard.view(gradientsName, slot));
  }

  /**
   * Makes these the parameters that are here. What is remembered of each stays, also of one that leaves, until it comes back.
   * Returns whether anything changed: then the vectors are new.
   */
  layOut(members: readonly Named[]): boolean {
    const same =
      members.length === this.#members.length &&
      members.every(([path, parameter], i) => this.#members[i]?.[0] === path && this.#members[i]?.[1] === parameter);
    if (same) return false;
    const staying = new Set(members.map(([, parameter]) => parameter));
    for (const [name, tensor] of Object.entries(this.memories())) this.#parked.set(name, tensor);
    for (const { slot, parameter, view } of this.#slots) {
      if (staying.has(parameter)) continue;
      // With arrays of its own, so that the vectors it lay in can go.
      if (parameter.value === view) parameter.value = copyOf(view);
      for (const name of this.#remembered) {
        const key = `${name}/${slot.path}`;
        this.#parked.set(key, copyOf(this.#parked.get(key) as Tensor));
      }
    }
    const shards = allocateShards(members, [parametersName, gradientsName, ...this.#remembered]);
    const byPath = new Map(members);
    this.#members = members;
    this.#shards = shards;
    this.#slots = shards.flatMap((shard) =>
      shard.slots.map((slot) => ({
        shard,
        slot,
        parameter: byPath.get(slot.path) as Parameter,
        view: shard.view(parametersName, slot),
      })),
    );
    this.sync();
    for (const { shard, slot } of this.#slots)
      for (const name of this.#remembered) {
        const key = `${name}/${slot.path}`;
        const parked = this.#parked.get(key);
        if (parked) shard.view(name, slot).data.set(asFloat32(parked).data);
        this.#parked.delete(key);
      }
    return true;
  }

  /** Takes up the values of parameters that were replaced since: loaded, copied, or trained elsewhere. */
  sync(): void {
    for (const { parameter, view } of this.#slots) {
      if (parameter.value === view) continue;
      if (parameter.value) (view.data as Float32Array).set(asFloat32(parameter.value).data);
      parameter.value = view;
    }
  }

  /** Everything that is remembered, by `name/path`. */
  memories(): Readonly<Record<string, Tensor>> {
    const own = this.#slots.flatMap(({ shard, slot }) =>
      this.#remembered.map((name) => [`${name}/${slot.path}`, shard.view(name, slot)] as const),
    );
    return Object.fromEntries([...this.#parked, ...own]);
  }

  /** Takes up what was remembered once; see `memories`. */
  restore(memories: Readonly<Record<string, Tensor>>): void {
    for (const [key, tensor] of Object.entries(memories)) this.#parked.set(key, tensor);
  }
}

const copyOf = (tensor: Tensor): Tensor =>
  new Tensor("float32", tensor.shape, Float32Array.from(tensor.data as Float32Array));
