/** What is done with a batch: one objective, the parameters that it trains, transforms of their gradients, their updates. */
import { OptionError } from "../../core/errors.ts";
import { groupBy } from "../../core/group-by.ts";
import { foldIn, type Key, keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { anyOf, leadersNumbers } from "../../distributed/communicator.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { SessionCache, type SessionLimits } from "../../jit/session-cache.ts";
import type { AnyModule } from "../../nn/module.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { ownsMemory } from "../../runtime/session.ts";
import { type Optimizer, rateAt } from "../optimizers/optimizer.ts";
import type { Bucket } from "../store/buckets.ts";
import { DeviceCopies } from "../store/device-copies.ts";
import { allocateOnDevice } from "../store/device-shard.ts";
import { Gradients } from "../store/gradients.ts";
import type { Named } from "../store/parameter-store.ts";
import type { BoundTransform, GradientTransform } from "../transforms/transform.ts";
import type { SampleClipping } from "./clipped-step.ts";
import { buildGradientStep, type GradientResult, type GradientStep, signatureOf } from "./gradient-step.ts";
import { LossScale, type LossScaleOptions, lossScaleName, type Verdict } from "./loss-scale.ts";
import type { BoundObjective } from "./objective.ts";
import { type ParameterGroup, type ParameterPattern, settingsOf, takes } from "./parameter-groups.ts";
import { meanTogether, measuredTogether, type RanksOptions, type Share } from "./ranks.ts";
import type { MemoryOptions } from "./step-memory.ts";
import { type Member, Updater } from "./updater.ts";

export interface PhaseOptions {
  readonly name: string;
  readonly objective: BoundObjective;
  readonly optimizer: Optimizer;
  /** Which of the trainable parameters; default all. */
  readonly trains?: ParameterPattern | undefined;
  readonly groups: readonly ParameterGroup[];
  readonly transforms: readonly GradientTransform[];
  readonly compile?: CompileOptions | undefined;
  /** How the loss scale moves, where products are computed in float16. */
  readonly lossScale?: LossScaleOptions | undefined;
  /** How many compiled steps are kept. */
  readonly limits?: SessionLimits | undefined;
  /** What steps compute again on the way back. */
  readonly memory?: MemoryOptions | undefined;
  /** The ranks that share each batch. */
  readonly ranks?: RanksOptions | undefined;
}

/** What the gradients of a batch came to. */
export interface PhaseGradients extends GradientResult {
  /** Euclidean norm of the whole gradient. */
  readonly norm: number;
  /** Whether there is an update; that gradients overflowed float16 is no failure while a smaller loss scale may help. */
  readonly verdict: Verdict;
}

/** Numbers that a phase counts, for checkpoints. */
export interface PhaseCounts {
  readonly updates: number;
  /** What transforms remember, by their names. */
  readonly memory: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export class Phase {
  readonly options: PhaseOptions;
  /** Whether the frozen part of steps is compiled apart. */
  cuts = false;
  readonly #model: AnyModule;
  readonly #updaters = new Map<Optimizer, Updater>();
  readonly #remembered: readonly string[];
  /** Of products in float16. */
  readonly #lossScale: LossScale | undefined;
  /** By the signature of batches. */
  readonly #steps: SessionCache<GradientStep>;
  #memory: Record<string, Record<string, number>> = {};
  #gradients = new Gradients([]);
  /** Of the last batch whose samples were clipped. */
  #within: Float32Array | undefined;
  #transforms: readonly BoundTransform[] = [];
  /** By the samples of a batch and the shapes of this rank's part. */
  readonly #lossShares = new Map<string, number>();
  /** What is remembered of parameters that are not trained now. */
  readonly #parked = new Map<string, Tensor>();
  /** Of what is frozen, on a device with a memory of its own. */
  readonly #copies: DeviceCopies | undefined;
  /** Of what ranks remember each of its own, the whole, on rank 0 until the next step. */
  #gathered: Readonly<Record<string, Tensor>> = {};
  /** What `follow` saw last. */
  #followed: { readonly parameters: readonly Named<Parameter>[]; readonly frozen: readonly boolean[] } | undefined;
  #updates = 0;

  constructor(model: AnyModule, options: PhaseOptions) {
    const { transforms } = options;
    this.#model = model;
    this.options = options;
    this.#steps = new SessionCache(options.limits);
    this.#copies = ownsMemory(options.compile?.device) ? new DeviceCopies(this.#compile) : undefined;
    this.#lossScale = options.compile?.precision === "float16" ? new LossScale(options.lossScale) : undefined;
    const names = [...(this.#lossScale ? [lossScaleName] : []), ...transforms.map(({ name }) => name)];
    const repeated = names.find((name, i) => names.indexOf(name) !== i);
    if (repeated !== undefined)
      throw new OptionError(
        `two gradient transforms are named "${repeated}"; rename one: { ...transform, name: "other" }`,
      );
    this.#remembered = transforms.flatMap(({ slots = [] }) => slots);
    for (const optimizer of this.optimizers) this.#updaterOf(optimizer);
  }

  /** How a transform asks for each sample's gradient to be bounded, if one does. */
  get clipping(): SampleClipping | undefined {
    return this.options.transforms.find(({ clipping }) => clipping)?.clipping;
  }

  /** Updates made so far. */
  get updates(): number {
    return this.#updates;
  }

  /** Of the update that comes next. */
  get learningRate(): number {
    return rateAt(this.options.optimizer.learningRate, this.#updates);
  }

  /** The optimizers that were named, that of the phase first. */
  get optimizers(): readonly Optimizer[] {
    const { optimizer, groups } = this.options;
    return [optimizer, ...groups.flatMap((group) => group.optimizer ?? [])];
  }

  /**
   * Follows what was changed of the parameters since: values that were put in, and which are trained. Throws OptionError when
   * none is.
   */
  async follow(parameters: readonly Named<Parameter>[]): Promise<void> {
    const frozen = parameters.map(([, parameter]) => parameter.frozen);
    if (this.#followed?.parameters !== parameters || frozen.some((own, i) => own !== this.#followed?.frozen[i])) {
      // Traced for what was frozen before.
      await this.#steps.release();
      this.#copies?.release();
      await this.#layOut(parameters);
      this.#followed = { parameters, frozen };
    }
    for (const store of this.#stores) await store.settle();
  }

  async #layOut(parameters: readonly Named<Parameter>[]): Promise<void> {
    const { trains, optimizer, groups, name } = this.options;
    const trained = parameters.filter(
      (member) => member[1].trainable && (trains === undefined || takes(trains, member)),
    );
    if (trained.length === 0)
      throw new OptionError(
        `no parameter is trainable${name && ` in the step "${name}"`}; unfreeze some: model.unfreeze()`,
      );
    const byOptimizer = groupBy(
      trained.map(([path, parameter]) => {
        const { optimizer: own, settings } = settingsOf([path, parameter], optimizer, groups);
        return { own, member: [path, parameter, settings] satisfies Member };
      }),
      ({ own }) => own,
    );
    for (const own of byOptimizer.keys()) this.#updaterOf(own);
    let changed = false;
    for (const [own, updater] of this.#updaters) {
      const members = (byOptimizer.get(own) ?? []).map(({ member }) => member);
      changed = (await updater.layOut(members)) || changed;
    }
    if (!changed) return;
    const shards = this.#stores.flatMap((store) => store.shards);
    this.#gradients = new Gradients(shards);
    this.#bindTransforms();
  }

  #bindTransforms(): void {
    const shards = this.#stores.flatMap((store) => store.shards);
    this.#transforms = this.options.transforms.map((transform) => {
      const memory = this.#memory[transform.name] ?? {};
      this.#memory[transform.name] = memory;
      return transform.bind(shards, memory);
    });
  }

  /** Forgets what optimizers and transforms remember, and how many updates there were. */
  async forget(): Promise<void> {
    this.#updates = 0;
    this.#parked.clear();
    for (const store of this.#stores) await store.forget();
    if (Object.values(this.#memory).every((memory) => Object.keys(memory).length === 0)) return;
    this.#memory = {};
    this.#bindTransforms();
  }

  /** The compiled step for batches of this signature. `follow` comes before it. */
  async gradientStep(batch: Batch): Promise<GradientStep> {
    const signature = signatureOf(batch);
    const { objective, compile, memory, ranks } = this.options;
    return this.#steps.get(signature, () =>
      buildGradientStep(this.#model, objective, batch, {
        ...{ stores: this.#stores, copies: this.#copies },
        ...{ compile, cuts: this.cuts, memory, ranks },
        buckets: this.options.transforms[0]?.completes ? ranks?.buckets : 1,
        clipping: this.clipping,
      }),
    );
  }

  /** The step that was compiled for batches of this signature, if it was. `follow` comes before it. */
  knownStep(signature: string): GradientStep | undefined {
    return this.#steps.known(signature);
  }

  /**
   * Writes the gradients of a batch into the vectors, and measures it; with several ranks all of them.
   * @param kept what the frozen part of the step gives for it
   * @param share this rank's part of the batch
   */
  async differentiate(
    step: GradientStep,
    batch: Batch,
    key: Tensor,
    share: Share,
    kept?: readonly Tensor[],
  ): Promise<PhaseGradients> {
    const { communicator } = this.options.ranks ?? {};
    this.#gathered = {};
    const { scale: lossScale = 1 } = this.#lossScale?.state ?? {};
    const [first] = this.#transforms;
    const part = {
      share,
      lossShare: await this.#lossShareOf(step, batch, share),
      ready: first?.begin && ((bucket: Bucket) => first.begin?.(bucket)),
    };
    const own = await step.run(batch, key, { known: kept, part, lossScale });
    this.#within = own.within;
    this.#gradients.changed();
    this.#gradients.scale = 1 / lossScale;
    this.#gradients.part = undefined;
    if (!communicator) return this.#judged(own);
    const { whole, scale } = await measuredTogether(communicator, own, {
      counts: share.counts,
      isWeighted: step.isWeighted,
    });
    await meanTogether(communicator, step.fresh(), share);
    // What is no number and counts for nothing would stay no number.
    if (scale === 0) await this.#gradients.clear();
    else this.#gradients.scale = scale / lossScale;
    for (const transform of this.#transforms.slice(0, this.#completing)) {
      await transform.apply(this.#gradients, { weight: whole.weight, batch: 0, key: keyOf(0), report() {} });
      this.#gradients.changed();
    }
    return this.#judged(whole);
  }

  /** Measures the gradients of a batch, and says what is to be done with them; of several ranks on all alike. */
  async #judged(measured: GradientResult): Promise<PhaseGradients> {
    const norm = await this.#gradients.norm();
    const { communicator } = this.options.ranks ?? {};
    // Where they meet once for several batches, the norm is of a rank's own part.
    const isOwn = communicator !== undefined && this.#completing === 0;
    const isGradient = isOwn ? !(await anyOf(communicator, !Number.isFinite(norm))) : Number.isFinite(norm);
    const isLoss = Number.isFinite(measured.loss);
    if (!this.#lossScale || !isLoss) return { ...measured, norm, verdict: isLoss && isGradient ? "update" : "fail" };
    return { ...measured, norm, verdict: this.#lossScale.judge(!isGradient) };
  }

  /** What steps report of the loss scale; nothing without one. */
  get lossScale(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    if (!this.#lossScale) return {};
    const { scale, skipped } = this.#lossScale.state;
    return { [lossScaleName]: { scale, skipped } };
  }

  /** This rank's share of what the losses of all stand for. */
  async #lossShareOf({ weightToShare }: GradientStep, batch: Batch, { samples, counts }: Share): Promise<number> {
    const { communicator } = this.options.ranks ?? {};
    if (!communicator || weightToShare === undefined) return 1;
    // Weights that are numbers go by shapes: those of all ranks are others where this rank's batch is another.
    const batchOfAll = `${samples} ${signatureOf(batch)}`;
    const known = this.#lossShares.get(batchOfAll);
    if (known !== undefined) return known;
    const own = counts ? weightToShare : 0;
    const all = Float64Array.of(own);
    await communicator.sum(all);
    const lossShare = own / (all[0] ?? Number.NaN);
    this.#lossShares.set(batchOfAll, lossShare);
    return lossShare;
  }

  /** How many of the transforms complete gradients, before all others. */
  get #completing(): number {
    const first = this.options.transforms.findIndex(({ completes }) => !completes);
    return first < 0 ? this.options.transforms.length : first;
  }

  /** Sends the gradients through the transforms, and updates with what comes out. Returns what the transforms report. */
  async update(
    weight: number,
    batch: number,
    key: Key,
  ): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>> {
    const reports: Record<string, Readonly<Record<string, number>>> = {};
    await this.#passOn(this.#completing, weight, batch, key, reports);
    return reports;
  }

  /** Makes the update of what the transforms hold, if any. */
  async flush(batch: number, key: Key): Promise<void> {
    for (const [i, transform] of this.#transforms.entries()) {
      this.#gradients.scale = 1;
      if (((await transform.flush?.(this.#gradients)) ?? "held") === "held") continue;
      this.#gradients.changed();
      await this.#passOn(i + 1, 0, batch, key, {});
    }
  }

  /** From the transform at an index on. */
  async #passOn(
    from: number,
    weight: number,
    batch: number,
    key: Key,
    reports: Record<string, Readonly<Record<string, number>>>,
  ): Promise<void> {
    for (let i = from; i < this.#transforms.length; i++) {
      const { name = "" } = this.options.transforms[i] ?? {};
      const done = await this.#transforms[i]?.apply(this.#gradients, {
        weight,
        batch,
        key: foldIn(key, name),
        within: this.#within,
        report: (numbers) => {
          reports[name] = numbers;
        },
      });
      if (done === "held") return;
      if (done === "changed") this.#gradients.changed();
    }
    const { communicator } = this.options.ranks ?? {};
    const agree = communicator && ((rates: Float64Array) => leadersNumbers(communicator, rates));
    for (const updater of this.#updaters.values()) await updater.update(this.#updates, this.#gradients.scale, agree);
    for (const transform of this.#transforms) await transform.updated?.();
    for (const updater of this.#updaters.values()) await updater.share();
    this.#updates++;
  }

  /** Vectors that outlive a step, beside the parameters, by `name/path`. */
  memories(): Readonly<Record<string, Tensor>> {
    const here = this.#stores.map((store) => store.memories());
    return Object.assign(Object.fromEntries(this.#parked), ...here, this.#gathered);
  }

  /** Makes whole on rank 0 what ranks remember each of its own. */
  async gather(): Promise<void> {
    const { communicator, sharded } = this.options.ranks ?? {};
    if (!communicator) return;
    const gathered: Record<string, Tensor> = {};
    for (const updater of this.#updaters.values()) {
      if (sharded) Object.assign(gathered, await updater.gather());
      for (const shard of updater.store.shards)
        for (const name of this.#partial) {
          await shard.fetch(name);
          const sum = shard.vector(name).slice();
          await communicator.sum(sum);
          for (const { path, parameter, offset, length } of shard.slots)
            gathered[`${name}/${path}`] = new Tensor("float32", parameter.shape, sum.subarray(offset, offset + length));
        }
    }
    if (communicator.rank === 0) this.#gathered = gathered;
  }

  /** Names of what transforms remember of gradients of which each rank has a part. */
  get #partial(): readonly string[] {
    const { transforms } = this.options;
    const completing = transforms.findIndex(({ completes }) => completes);
    return transforms.slice(0, Math.max(0, completing)).flatMap(({ slots = [] }) => slots);
  }

  counts(): PhaseCounts {
    const scaling = this.#lossScale && { [lossScaleName]: { ...this.#lossScale.state } };
    return { updates: this.#updates, memory: { ...structuredClone(this.#memory), ...scaling } };
  }

  /** Takes up what was saved. Comes before the first step. */
  restore({ updates, memory }: PhaseCounts, memories: Readonly<Record<string, Tensor>>): void {
    this.#updates = updates;
    const { [lossScaleName]: scaling, ...ofTransforms } = memory;
    this.#lossScale?.restore(scaling);
    this.#memory = structuredClone(this.#lossScale ? ofTransforms : memory) as Record<string, Record<string, number>>;
    // Of parts that are added up one rank has the whole.
    const isOthers = (name: string) => (this.options.ranks?.communicator.rank ?? 0) > 0 && this.#partial.includes(name);
    for (const [name, tensor] of Object.entries(memories))
      if (!isOthers(name.slice(0, name.indexOf("/")))) this.#parked.set(name, tensor);
  }

  /** Copies what is trained and remembered to where the host can read it. */
  async fetch(): Promise<void> {
    for (const store of this.#stores) await store.fetch();
  }

  /** Lets go of everything compiled and of a device's memory; both come anew when they are needed. */
  async release(): Promise<void> {
    await this.#steps.release();
    for (const updater of this.#updaters.values()) await updater.release();
    for (const store of this.#stores) await store.release();
    this.#copies?.release();
  }

  /** How what updates, and what is brought to a device, is compiled: profiles are of steps. */
  get #compile(): CompileOptions {
    const { device, threads } = this.options.compile ?? {};
    return { ...(device && { device }), ...(threads && { threads }) };
  }

  get #stores() {
    return Array.from(this.#updaters.values(), ({ store }) => store);
  }

  #updaterOf(optimizer: Optimizer): Updater {
    const found = this.#updaters.get(optimizer);
    if (found) return found;
    const own = this.#compile;
    const allocate = ownsMemory(own.device) ? allocateOnDevice(own) : undefined;
    const { communicator, sharded = false } = this.options.ranks ?? {};
    const remembered = this.#remembered.filter((name) => !this.#partial.includes(name));
    const sharing = sharded && communicator ? { communicator, remembered } : undefined;
    const updater = new Updater(optimizer, this.#remembered, this.#parked, own, allocate, sharing);
    this.#updaters.set(optimizer, updater);
    return updater;
  }
}
