/** The parameters of one optimizer: their vectors, and the update. */
import type { Tensor } from "../../core/tensor.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { type BoundOptimizer, type Optimizer, rateAt, type Segment } from "../optimizers/optimizer.ts";
import { type Allocate, type Named, ParameterStore } from "../store/parameter-store.ts";
import type { Shard } from "../store/shard.ts";
import type { UpdateSettings } from "./parameter-groups.ts";

/** A parameter and how it is updated. */
export type Member = readonly [...named: Named<Parameter>, settings: UpdateSettings];

/** A shard with the compiled update, and its ranges with equal settings. */
interface BoundShard {
  readonly update: BoundOptimizer;
  readonly segments: readonly (Segment & { readonly settings: UpdateSettings })[];
}

export class Updater {
  readonly optimizer: Optimizer;
  readonly store: ParameterStore<Parameter>;
  readonly #compile: CompileOptions;
  #bound: readonly BoundShard[] = [];

  /**
   * @param remembered names of vectors that others remember, beside those of the optimizer
   * @param parked see ParameterStore
   * @param compile for what the optimizer compiles
   * @param allocate where the vectors lie
   */
  constructor(
    optimizer: Optimizer,
    remembered: readonly string[],
    parked: Map<string, Tensor>,
    compile: CompileOptions = {},
    allocate?: Allocate,
  ) {
    this.optimizer = optimizer;
    this.#compile = compile;
    this.store = new ParameterStore([...optimizer.slots, ...remembered], parked, allocate);
  }

  /** Makes these the parameters that are updated. Returns whether anything changed. */
  async layOut(members: readonly Member[]): Promise<boolean> {
    const alike = groupedBySettings(members);
    const ordered = alike.flat().map(([path, parameter]): Named<Parameter> => [path, parameter]);
    if (this.store.holds(ordered)) return false;
    await this.release();
    await this.store.fetch();
    await this.store.release();
    const kinds = new Map(alike.flatMap((own, kind) => own.map(([path]) => [path, kind] as const)));
    this.store.layOut(ordered, (path) => kinds.get(path) ?? 0);
    const settings = new Map(members.map(([path, , own]) => [path, own]));
    this.#bound = this.store.shards.map((shard) => ({
      update: this.optimizer.bind(shard, this.#compile),
      segments: segmentsOf(shard, settings),
    }));
    return true;
  }

  /**
   * Moves the parameters.
   * @param update its number, 0 for the first
   * @param scale what the gradients have still to be multiplied by
   */
  async update(update: number, scale: number): Promise<void> {
    for (const { update: bound, segments } of this.#bound)
      for (const { settings, ...segment } of segments) {
        const learningRate = rateAt(settings.learningRate, update) * settings.learningRateScale;
        const step = { step: update + 1, learningRate, decayScale: settings.weightDecayScale, scale };
        await bound.update(segment, step);
      }
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
function segmentsOf({ slots, length }: Shard, settings: ReadonlyMap<string, UpdateSettings>): BoundShard["segments"] {
  const segments: BoundShard["segments"][number][] = [];
  for (const [i, slot] of slots.entries()) {
    const own = settings.get(slot.path) as UpdateSettings;
    const end = slots[i + 1]?.offset ?? length;
    const last = segments.at(-1);
    if (last && sameSettings(last.settings, own))
      segments[segments.length - 1] = { ...last, end, slots: [...last.slots, slot] };
    else segments.push({ start: slot.offset, end, slots: [slot], settings: own });
  }
  return segments;
}

const sameSettings = (a: UpdateSettings, b: UpdateSettings): boolean =>
  a.learningRate === b.learningRate &&
  a.learningRateScale === b.learningRateScale &&
  a.weightDecayScale === b.weightDecayScale;
