/** The parameters of one optimizer: their vectors, and the update. */
import { Tensor } from "../../core/tensor.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { inNode, selectBackend } from "../../runtime/select.ts";
import { type BoundOptimizer, type Optimizer, rateAt, type Segment } from "../optimizers/optimizer.ts";
import { boundsOf, partOf, shareVector, slotsWithin } from "../store/ownership.ts";
import { type Allocate, type Named, ParameterStore } from "../store/parameter-store.ts";
import { parametersName, type Shard } from "../store/shard.ts";
import type { UpdateSettings } from "./parameter-groups.ts";

/** A parameter and how it is updated. */
export type Member = readonly [...named: Named<Parameter>, settings: UpdateSettings];

/** A shard with the compiled update, and its ranges with equal settings. */
interface BoundShard {
  readonly update: BoundOptimizer;
  readonly segments: readonly (Segment & { readonly settings: UpdateSettings })[];
}

/** Where the parts of ranks begin in a shard, and the end of the last. */
type Bounds = readonly number[];

/** Ranks, each of which updates its part of the parameters. */
export interface Sharing {
  readonly communicator: Communicator;
  /** Names of vectors that each remembers of its part alone, beside those of the optimizer. */
  readonly remembered: readonly string[];
}

export class Updater {
  readonly optimizer: Optimizer;
  readonly store: ParameterStore<Parameter>;
  readonly #compile: CompileOptions;
  readonly #ranks: Communicator | undefined;
  /** Names of vectors of which this rank has its part; without ranks all of it. */
  readonly #parted: readonly string[];
  readonly #bounds = new Map<Shard, Bounds>();
  /** The rates of the parameters, or what gives them. */
  #schedules: readonly UpdateSettings["learningRate"][] = [];
  #bound: readonly BoundShard[] = [];

  /**
   * @param remembered names of vectors that others remember, beside those of the optimizer
   * @param parked see ParameterStore
   * @param compile for what the optimizer compiles
   * @param allocate where the vectors lie; default in the host's memory
   * @param sharing default this process updates all
   */
  constructor(
    optimizer: Optimizer,
    remembered: readonly string[],
    parked: Map<string, Tensor>,
    compile: CompileOptions = {},
    allocate?: Allocate,
    sharing?: Sharing,
  ) {
    this.optimizer = optimizer;
    this.#compile = compile;
    this.#ranks = sharing?.communicator;
    this.#parted = [...optimizer.slots, ...(sharing?.remembered ?? [])];
    this.store = new ParameterStore([...optimizer.slots, ...remembered], parked, allocate);
  }

  /** Makes these the parameters that are updated. Returns whether anything changed. */
  async layOut(members: readonly Member[]): Promise<boolean> {
    const alike = groupedBySettings(members);
    const ordered = alike.flat().map(([path, parameter]): Named<Parameter> => [path, parameter]);
    if (this.store.holds(ordered)) return false;
    // Elsewhere the engine of the host is not loaded where a card computes.
    const makeMemory = inNode() ? (await selectBackend()).loopMemories?.(this.#compile.threads) : undefined;
    this.store.onHost = { compile: this.#compile, makeMemory };
    await this.release();
    // Others may remember of a parameter from here on.
    for (const [shard, bounds] of this.#bounds)
      for (const name of this.#parted) if (this.#ranks) await shareVector(this.#ranks, shard, name, bounds);
    await this.store.fetch();
    await this.store.release();
    const kinds = new Map(alike.flatMap((own, kind) => own.map(([path]) => [path, kind] as const)));
    this.#bounds.clear();
    this.store.layOut(
      ordered,
      (path) => kinds.get(path) ?? 0,
      (name, shard, slot) => !this.#parted.includes(name) || this.#own(shard).slots.includes(slot),
    );
    const settings = new Map(members.map(([path, , own]) => [path, own]));
    this.#schedules = [...new Set(members.map(([, , own]) => own.learningRate))];
    this.#bound = this.store.shards.map((shard) => ({
      update: this.optimizer.bind(shard, this.#compile),
      segments: segmentsOf(this.#own(shard), settings),
    }));
    return true;
  }

  /**
   * Moves the parameters, of ranks that share the work each its own: `share` comes after it.
   * @param update its number, 0 for the first
   * @param scale what the gradients have still to be multiplied by
   * @param agree puts the rates of rank 0 in the place of those of others, whose clocks may say otherwise
   */
  async update(update: number, scale: number, agree?: (rates: Float64Array) => Promise<void>): Promise<void> {
    const rates = Float64Array.from(this.#schedules, (own) => rateAt(own, update));
    if (this.#schedules.some((own) => typeof own === "function")) await agree?.(rates);
    for (const { update: bound, segments } of this.#bound)
      for (const { settings, ...segment } of segments) {
        const rate = rates[this.#schedules.indexOf(settings.learningRate)] ?? Number.NaN;
        const learningRate = rate * settings.learningRateScale;
        const step = { step: update + 1, learningRate, decayScale: settings.weightDecayScale, scale };
        await bound.update(segment, step);
      }
  }

  /** Gives the parameters that this rank moved to the others, and takes theirs. */
  async share(): Promise<void> {
    for (const shard of this.store.shards) {
      if (this.#ranks) await shareVector(this.#ranks, shard, parametersName, this.#boundsOf(shard));
    }
  }

  /** What ranks remember, each of its part, whole on rank 0: by `name/path`, until the next update. */
  async gather(): Promise<Readonly<Record<string, Tensor>>> {
    const whole: Record<string, Tensor> = {};
    if (!this.#ranks) return whole;
    for (const shard of this.store.shards)
      for (const name of this.#parted) {
        const { start, end } = this.#own(shard);
        // Apart from the vector, so that what others remember takes no memory here for long.
        const all = new Float32Array(shard.length);
        await shard.fetch(name);
        all.set(shard.vector(name).subarray(start, end), start);
        await this.#ranks.share(all, this.#boundsOf(shard));
        if (this.#ranks.rank > 0) continue;
        for (const { path, parameter, offset, length } of shard.slots)
          whole[`${name}/${path}`] = new Tensor("float32", parameter.shape, all.subarray(offset, offset + length));
      }
    return whole;
  }

  #boundsOf(shard: Shard): Bounds {
    const known = this.#bounds.get(shard) ?? boundsOf(shard, this.#ranks?.size ?? 1);
    this.#bounds.set(shard, known);
    return known;
  }

  /** What this rank updates of a shard. */
  #own(shard: Shard): Segment {
    const { start, end } = partOf(this.#boundsOf(shard), this.#ranks?.rank ?? 0);
    return { slots: slotsWithin(shard.slots, start, end), start, end };
  }

  /** Lets go of what the optimizer compiled; it is compiled anew when it is needed. */
  async release(): Promise<void> {
    for (const { update } of this.#bound) await update.release?.();
  }
}

/** The members that are updated alike together, in the order of their first. */
function groupedBySettings(members: readonly Member[]): readonly (readonly Member[])[] {
  const groups: Member[][] = [];
  for (const member of members) {
    const own = groups.find(([first]) => first && sameSettings(first[2], member[2]));
    if (own) own.push(member);
    else groups.push([member]);
  }
  return groups;
}

/** Runs of parameters with equal settings. */
function segmentsOf(
  { slots, end: last }: Segment,
  settings: ReadonlyMap<string, UpdateSettings>,
): BoundShard["segments"] {
  const segments: BoundShard["segments"][number][] = [];
  for (const [i, slot] of slots.entries()) {
    const own = settings.get(slot.path) as UpdateSettings;
    const end = slots[i + 1]?.offset ?? last;
    const before = segments.at(-1);
    if (before && sameSettings(before.settings, own))
      segments[segments.length - 1] = { ...before, end, slots: [...before.slots, slot] };
    else segments.push({ start: slot.offset, end, slots: [slot], settings: own });
  }
  return segments;
}

const sameSettings = (a: UpdateSettings, b: UpdateSettings): boolean =>
  a.learningRate === b.learningRate &&
  a.learningRateScale === b.learningRateScale &&
  a.weightDecayScale === b.weightDecayScale;
