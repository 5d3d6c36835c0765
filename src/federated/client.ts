/** The training of a client in a round: the values taken up, the steps corrected as the strategy wants, the update made. */
import { DataError, FederationError } from "../core/errors.ts";
import { foldIn } from "../core/random.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import type { Value } from "../graph/ir.ts";
import type { AnyModule } from "../nn/module.ts";
import { add, mul, sub } from "../ops/index.ts";
import type { StepResult, Trainer } from "../train/engine/trainer.ts";
import { rateAt } from "../train/optimizers/optimizer.ts";
import type { Schedule } from "../train/schedules.ts";
import { gradientsName, parametersName, type Shard } from "../train/store/shard.ts";
import type { GradientTransform, Transformed } from "../train/transforms/transform.ts";
import { maskedVector } from "./collections/secure-collection.ts";
import { decodeValues, encodeValues } from "./compression.ts";
import { decodeTask, encodeUpdate, type RoundTask } from "./messages.ts";
import {
  describeModel,
  type ModelDescription,
  readValues,
  requireFiniteValues,
  writeValues,
} from "./model-description.ts";
import { addNoise, changeNoise, clipTo } from "./noise.ts";
import type { FederationOptions } from "./rounds.ts";
import { SecureMember } from "./secure/member.ts";
import type { Strategy, Vectors } from "./strategies/strategy.ts";

/** What a client keeps from round to round, to be saved: vectors of its strategy, and what its compression left out. */
export interface ClientMemory {
  /** The federation that it is of. */
  readonly federation: string;
  /** The round after which `next` holds; 0 before the first. */
  readonly round: number;
  /** As it was before that round. */
  readonly before: Vectors;
  /** As it is if the coordinator took the update of that round. */
  readonly next: Vectors;
}

/** Of a client that was in no round yet. */
export const emptyMemory: ClientMemory = { federation: "", round: 0, before: {}, next: {} };

/** Under which a client keeps what its compression left out. */
const residualName = "#residual";

/** What a round has come to so far. */
interface Underway {
  readonly task: RoundTask;
  readonly member: SecureMember;
  readonly memory: Vectors;
  steps: number;
  loss: number;
  weight: number;
  rates: number;
}

/** How far the training of a round has come, beside the values of the model: plain numbers. */
export type LocalProgress = Readonly<Pick<Underway, "steps" | "loss" | "weight" | "rates">>;

/** How long steps may follow one another before anything else has its turn. */
const restMilliseconds = 100;

/** What a client must have of a federation: what it insists on, whatever the coordinator says. */
export type ClientTerms = Pick<FederationOptions, "aggregation" | "noise">;

/** How a client takes up a task. */
export interface BeginOptions {
  /** Of a round that was interrupted, whose values and optimizer the trainer has; default the round begins. */
  readonly progress?: LocalProgress | undefined;
  /** The client's part of secure aggregation; default that of this training, which is then of one client. */
  readonly member?: SecureMember;
}

/** What a client trains on. */
export interface LocalRun<B extends Batch> {
  /** Its data in batches: epoch `e` of round `r` (from 1) is read as epoch `(r - 1) · localEpochs + e`. */
  readonly data: Dataset<B>;
  /** How many samples it has. */
  readonly samples: number;
  /** What it keeps. */
  readonly memory: ClientMemory;
  /** Ends the training when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a client does in a round, apart from the steps themselves, which its trainer makes: `begin`, then `record` after each step, then `end`. One serves for
 * many clients, one after the other, so that a simulation compiles once.
 * @example
 * const local = new LocalTraining(model, strategy);
 * const optimizer = sgd({ learningRate: local.scheduled(0.1) });
 * const trainer = new Trainer(model, { loss, optimizer, training: { transforms: local.transforms } });
 * await local.begin(trainer, taskBytes, memory);
 * for await (const batch of data.epoch(0)) local.record(await trainer.step(batch));
 * const { update, memory: next } = await local.end(trainer, samples);
 */
export class LocalTraining {
  readonly #model: AnyModule;
  readonly #description: ModelDescription;
  readonly #correction: Correction | undefined;
  readonly #terms: ClientTerms;
  readonly #member = new SecureMember();
  readonly strategy: Strategy;
  #underway: Underway | undefined;

  /**
   * @param strategy the coordinator's; the model is initialized
   * @param terms what the client insists on: with `secureMean()` it sends no update that the coordinator could see, with noise none without
   */
  constructor(model: AnyModule, strategy: Strategy, terms: ClientTerms = {}) {
    this.#model = model;
    this.#terms = terms;
    this.#description = describeModel(model);
    this.strategy = strategy;
    const { local } = strategy;
    if (local?.proximal || local?.offset) this.#correction = new Correction(local.proximal ?? 0, this.#description);
  }

  /** The model as it is exchanged. */
  get description(): ModelDescription {
    return this.#description;
  }

  /** What the trainer has to do with gradients: to be passed to it before other transforms. */
  get transforms(): readonly GradientTransform[] {
    return this.#correction ? [this.#correction] : [];
  }

  /** A learning rate times the factor that the coordinator's task has for the round: for the optimizer of the trainer. */
  scheduled(learningRate: number | Schedule): Schedule {
    return (update) => (this.#underway?.task.rate ?? 1) * rateAt(learningRate, update);
  }

  /** The task of the round under way. Throws FederationError before `begin`. */
  get task(): RoundTask {
    return this.#required().task;
  }

  /** How far the round under way has come, with which `begin` goes on. */
  get progress(): LocalProgress {
    const { steps, loss, weight, rates } = this.#required();
    return { steps, loss, weight, rates };
  }

  /**
   * Takes up a task. Throws FederationError for one of another model or strategy, and for one that breaks the client's terms.
   * @param bytes the coordinator's message
   * @param memory what the client keeps
   */
  async begin<B extends Trainer<never>>(
    trainer: B,
    bytes: Uint8Array,
    memory: ClientMemory,
    { progress, member = this.#member }: BeginOptions = {},
  ): Promise<void> {
    const { local } = this.strategy;
    const task = decodeTask(this.#description, bytes, this.strategy);
    if (task.secure) member.begin(task.round, task.secure);
    this.#requireTerms(task, member);
    for (const optimizer of trainer.optimizers) local?.requireOptimizer?.(optimizer);
    const own = this.#memoryFor(task, memory);
    this.#underway = { task, member, memory: own, ...{ steps: 0, loss: 0, weight: 0, rates: 0 }, ...progress };
    trainer.key = task.key;
    if (!progress) {
      await trainer.forget();
      writeValues(this.#model, this.#description, task.values);
    }
    this.#correction?.arm(task.values, local?.offset?.(task.sent, own));
  }

  #requireTerms({ secure, noise }: RoundTask, member: SecureMember): void {
    const { aggregation, noise: wanted } = this.#terms;
    if (aggregation?.isSecure && !secure)
      throw new FederationError(
        "the coordinator asks for an update that it can see, and this client takes part in secure aggregation alone; leave the federation",
      );
    if (!wanted) return;
    const own = changeNoise(wanted, secure ? member.threshold : 1);
    if (noise?.clip !== own.clip || noise.deviation !== own.deviation)
      throw new FederationError(
        `the coordinator asks for noise of deviation ${noise?.deviation ?? 0} on changes of norm ${noise?.clip ?? "without end"}, and this client insists on ${own.deviation} on ${own.clip}; give both sides the same noise`,
      );
  }

  /** Whether the update of the client's last round counts, or it begins where it was before. */
  #memoryFor(task: RoundTask, memory: ClientMemory): Vectors {
    const isOfOther = memory.federation !== task.federation;
    const found = isOfOther ? {} : memory.round === task.accepted ? memory.next : memory.before;
    const names = [
      ...(this.strategy.local?.remembers ?? []),
      ...(task.compression.encoding === "topK" ? [residualName] : []),
    ];
    return Object.fromEntries(
      names.map((name) => [name, found[name] ?? new Float32Array(this.#description.length)] as const),
    );
  }

  /** Counts a step of the trainer. */
  record({ loss, weight, learningRate }: StepResult): void {
    const underway = this.#required();
    underway.steps++;
    underway.loss += loss * weight;
    underway.weight += weight;
    underway.rates += learningRate;
  }

  /**
   * Makes the update of the round, and what the client keeps. Throws DataError where no step was made, NonFiniteError or FederationError where the values are no
   * numbers that can be sent.
   * @param samples of the client's data, by which it is weighted
   */
  async end<B extends Trainer<never>>(
    trainer: B,
    samples: number,
  ): Promise<{ readonly update: Uint8Array; readonly memory: ClientMemory }> {
    const { task, member, memory, steps, loss, weight, rates } = this.#required();
    if (steps === 0)
      throw new DataError(
        `client "${task.client}" made no step in round ${task.round}, its data gave no batch; give it data, or smaller batches`,
      );
    await trainer.flush();
    await trainer.sync();
    const description = this.#description;
    const change = readValues(this.#model, description).map((value, i) => value - (task.values[i] as number));
    const next: Record<string, Float32Array> = {
      ...this.strategy.local?.remember?.({
        ...{ change, trained: description.trained, rates },
        ...{ sent: task.sent, own: memory },
      }),
    };
    const returned = Object.fromEntries(
      Object.entries(next).map(([name, vector]) => [
        name,
        vector.map((value, i) => value - (memory[name]?.[i] as number)),
      ]),
    );
    const { compression, key: taskKey, round, client } = task;
    const key = foldIn(taskKey, "compression");
    const residual = memory[residualName];
    if (residual) {
      for (let i = 0; i < change.length; i++) change[i] = (change[i] as number) + (residual[i] as number);
      const encoded = encodeValues(description, change, compression, key);
      const sent = decodeValues("the update", description, compression.encoding, encoded);
      next[residualName] = change.map((value, i) => value - (sent[i] as number));
    }
    const { noise, secure } = task;
    if (noise) {
      clipTo(change, noise.clip);
      const own = this.#terms.noise?.key;
      addNoise(change, noise.deviation, own && foldIn(own, "client", client, round));
    }
    // With noise all clients count alike, and nothing is said that noise does not protect.
    const counted = { samples: noise ? 1 : samples, loss: noise ? undefined : loss / weight };
    this.#underway = undefined;
    const kept = { federation: task.federation, round, before: memory, next };
    if (!secure) {
      const fields = { round, client, steps, change, returned, ...counted };
      return { update: encodeUpdate(description, fields, compression, key), memory: kept };
    }
    requireFiniteValues(`the update of client "${client}"`, description, change);
    const vector = maskedVector(
      { change, returned, ...counted },
      this.strategy.weights === "samples" ? counted.samples : 1,
    );
    return { update: member.masked(description, { round, attempt: secure.attempt }, vector), memory: kept };
  }

  /**
   * A whole round: `begin`, the steps of all local epochs, `end`; of secure aggregation the answers to what else the coordinator asks. Throws what these throw and training does, and the signal's reason where it is aborted.
   * @param bytes the coordinator's message
   */
  async run<B extends Batch>(
    trainer: Trainer<B>,
    bytes: Uint8Array,
    { data, samples, memory, signal }: LocalRun<B>,
  ): Promise<{ readonly update: Uint8Array; readonly memory: ClientMemory; readonly round: number }> {
    if (SecureMember.asks(bytes)) {
      const { answer, round } = await this.#member.answer(this.#description, bytes);
      return { update: answer, memory, round };
    }
    await this.begin(trainer, bytes, memory);
    const { round, localEpochs } = this.task;
    let rested = performance.now();
    for (let epoch = 0; epoch < localEpochs; epoch++)
      for await (const batch of data.epoch((round - 1) * localEpochs + epoch)) {
        signal?.throwIfAborted();
        this.record(await trainer.step(batch));
        if (performance.now() - rested < restMilliseconds) continue;
        // Steps of an engine in the page's own thread leave no time to hear and say anything.
        await new Promise((resolve) => setTimeout(resolve));
        rested = performance.now();
      }
    return { ...(await this.end(trainer, samples)), round };
  }

  #required(): Underway {
    if (this.#underway) return this.#underway;
    throw new FederationError("this client has no round under way; call begin() with the coordinator's task first");
  }
}

const [startSlot, offsetSlot] = ["federated-start", "federated-offset"];

/** The gradient transform g + μ (w - w₀) + offset, for the proximal term and control variates. */
class Correction implements GradientTransform {
  readonly name = "federated";
  readonly slots = [startSlot, offsetSlot];
  readonly #mu: number;
  readonly #description: ModelDescription;
  #armed: { readonly start: Float32Array; readonly offset: Float32Array | undefined } | undefined;
  /** Whether the vectors have yet to be written into the shards. */
  #isNew = false;

  constructor(mu: number, description: ModelDescription) {
    this.#mu = mu;
    this.#description = description;
  }

  /** Sets what steps are corrected by. */
  arm(start: Float32Array, offset: Float32Array | undefined): void {
    this.#armed = { start, offset };
    this.#isNew = true;
  }

  bind(shards: readonly Shard[]) {
    this.#isNew = true;
    const correct = (g: Value, w: Value, start: Value, offset: Value, scale: Value, mu: Value) =>
      add(add(mul(g, scale), mul(sub(w, start), mu)), offset);
    const loops = shards.map((shard) => ({
      length: shard.length,
      run: shard.loop(
        [gradientsName, parametersName, startSlot, offsetSlot],
        2,
        ([g, w, start, offset], [scale, mu]) => ({
          results: [g && w && start && offset && scale && mu && correct(g, w, start, offset, scale, mu)],
        }),
      ),
    }));
    return {
      apply: async (gradients: { scale: number }): Promise<Transformed> => {
        if (this.#isNew) await this.#write(shards);
        for (const { length, run } of loops) await run(0, length, [gradients.scale, this.#mu]);
        gradients.scale = 1;
        return "changed";
      },
    };
  }

  async #write(shards: readonly Shard[]): Promise<void> {
    const { start, offset } = this.#armed ?? {};
    const places = new Map(this.#description.tensors.map((own) => [own.path, own]));
    for (const shard of shards)
      for (const [name, vector] of [
        [startSlot, start],
        [offsetSlot, offset],
      ] as const) {
        await shard.fetch(name);
        for (const slot of shard.slots) {
          const { offset: at = 0, length = 0 } = places.get(slot.path) ?? {};
          if (vector) shard.view(name, slot).data.set(vector.subarray(at, at + length));
        }
        shard.written(name);
      }
    this.#isNew = false;
  }
}
