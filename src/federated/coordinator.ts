/**
 * The coordinator of a federation as a state machine: rounds, who takes part, which updates count. It has no transport and no clock; whoever runs it
 * hands it messages and the time. The same clients and updates give the same bits, in whatever order they come.
 */
import { FederationError, OptionError } from "../core/errors.ts";
import { plural } from "../core/number-text.ts";
import { count, matching, objectOf, string } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { foldIn } from "../core/random.ts";
import { rateAt } from "../train/optimizers/optimizer.ts";
import type { CollectedRound } from "./collections/collection.ts";
import { PlainCollection } from "./collections/plain-collection.ts";
import { SecureCollection } from "./collections/secure-collection.ts";
import { type CoordinatorState, takeState } from "./coordinator-state.ts";
import { encodeTask } from "./messages.ts";
import { type ModelDescription, requireFiniteValues } from "./model-description.ts";
import { addNoise } from "./noise.ts";
import {
  checkFederation,
  checkPolicy,
  type FederationOptions,
  federationOf,
  inOrder,
  type RoundPolicy,
  type RoundRecord,
  sampleClients,
} from "./rounds.ts";
import { savedVectors } from "./saved-vectors.ts";
import type { Vectors } from "./strategies/strategy.ts";

/** What a coordinator starts with. */
export interface CoordinatorOptions {
  /** The model as it is exchanged; see `describeModel`. */
  readonly description: ModelDescription;
  /** Its values at the beginning; see `readValues`. */
  readonly values: Float32Array;
  /** How the federation learns. */
  readonly federation?: FederationOptions;
  /** Rounds after which it is finished; default it never is. */
  readonly rounds?: number;
  /** When rounds begin and end. */
  readonly policy?: RoundPolicy;
  /** Tells this federation from others: what clients remember of another one they forget. Default "0"; a state keeps its own. */
  readonly id?: string;
  /** What `state` gave, of a coordinator with the same options, with which it goes on. */
  readonly state?: CoordinatorState | undefined;
}

const checkOptions = optionsOf<CoordinatorOptions>("Coordinator", {
  federation: checkFederation.type,
  description: required(objectOf<ModelDescription>("a description: describeModel(model)")),
  values: required(
    matching<Float32Array>("the model's values: readValues(…)", (value) => value instanceof Float32Array),
  ),
  rounds: count(0),
  policy: checkPolicy.type,
  id: string,
  state: objectOf<CoordinatorState>("what Coordinator.state gave"),
});

/** A round under way. */
interface OpenRound {
  /** How often it had begun before. */
  readonly attempt: number;
  readonly collection: PlainCollection | SecureCollection;
  /** When the question under way was asked, in milliseconds by the clock of whoever runs it; of a round that was saved, known from the first tick on. */
  asked: number | undefined;
  /** How often its time was over, and too few had answered what cannot be asked anew. */
  waits: number;
  /** Bytes of what each client was sent, by question and name. */
  readonly tasks: Map<string, number>;
}

/** How often a round begins where too few updates come. */
const attempts = 3;

/**
 * Runs the rounds of a federation. Call `join` and `leave` as clients come and go, `tick` after each event and now and then, `task` for whoever is to train,
 * and `receive` with what comes back.
 * @example
 * const coordinator = new Coordinator({ description, values, rounds: 10 });
 * for (const client of clients) coordinator.join(client.name);
 * for (await coordinator.tick(0); !coordinator.isFinished; await coordinator.tick(0))
 *   for (const name of coordinator.waiting) coordinator.receive(name, await answer(coordinator.task(name)));
 */
export class Coordinator {
  readonly #options: ReturnType<typeof federationOf>;
  readonly #description: ModelDescription;
  readonly #rounds: number;
  readonly #policy: RoundPolicy;
  readonly #id: string;
  readonly #values: Float32Array;
  readonly #slots: Vectors;
  readonly #present = new Set<string>();
  readonly #known = new Set<string>();
  readonly #accepted = new Map<string, number>();
  readonly #history: RoundRecord[] = [];
  #open: OpenRound | undefined;
  #attempt = 0;
  #openings = 0;
  #bytesUp = 0;

  /** Throws OptionError for options that do not go together, FederationError for a state of another model. */
  constructor(options: CoordinatorOptions) {
    const {
      description,
      values,
      rounds = Number.POSITIVE_INFINITY,
      policy = {},
      id = "0",
      state,
    } = checkOptions(options);
    this.#options = federationOf(options.federation);
    this.#description = description;
    this.#rounds = rounds;
    this.#policy = policy;
    this.#id = state?.id ?? id;
    this.#values = values.slice();
    if (values.length !== description.length)
      throw new OptionError(
        `Coordinator: ${values.length} values for a model of ${description.length}; pass readValues(model, description)`,
      );
    if (this.#options.noise && description.trained < description.length)
      throw new OptionError(
        "Coordinator: the model has running statistics, which noise can make negative; take groupNorm in place of batchNorm, or no noise",
      );
    this.#slots = Object.fromEntries(
      Object.entries(this.#options.strategy.slots).map(([name, first]) => [
        name,
        new Float32Array(description.length).fill(first),
      ]),
    );
    const { clients = 1, updates = 1 } = policy;
    if (updates > clients)
      throw new OptionError(
        `Coordinator: a round needs ${plural(updates, "update")} and begins with ${plural(clients, "client")}; let it wait for as many clients`,
      );
    if (state) this.#restore(state);
  }

  /** Rounds that are done. */
  get round(): number {
    return this.#history.length;
  }

  /** Whether all rounds are done. */
  get isFinished(): boolean {
    return this.round >= this.#rounds;
  }

  /** The rounds that are done. */
  get history(): readonly RoundRecord[] {
    return this.#history;
  }

  /** How often clients were asked something, a round that begins again too: whoever sends tasks sees by it that there are new ones. */
  get openings(): number {
    return this.#openings;
  }

  /** The values of the model after the rounds that are done; not to be changed. */
  get values(): Float32Array {
    return this.#values;
  }

  /** Names of the clients that are there, in order. */
  get clients(): readonly string[] {
    return inOrder(this.#present);
  }

  /** Clients of the round under way that have not answered what they were asked, in order; those that left among them. */
  get waiting(): readonly string[] {
    return this.#open?.collection.waiting ?? [];
  }

  /** A client comes, or comes back. */
  join(client: string): void {
    this.#present.add(client);
    this.#known.add(client);
  }

  /** A client leaves. Of a round under way it is waited for until the round's end: it may come back. */
  leave(client: string): void {
    this.#present.delete(client);
  }

  /** A client says that it cannot do its part of the round under way. */
  drop(client: string, reason: string): void {
    if (this.waiting.includes(client)) this.#open?.collection.drop(client, reason);
  }

  /**
   * Begins a round where clients are there; asks the next question, or ends the round, where all have answered or their time is over.
   * Throws FederationError where a round has begun three times and too few updates came. Await each call before the next.
   * @param now milliseconds of any clock that only goes forward
   */
  async tick(now: number): Promise<void> {
    if (this.#open) await this.#goOn(this.#open, now);
    if (this.#open || this.isFinished) return;
    const { clients = 1 } = this.#policy;
    if (this.#present.size < clients) return;
    const drawn = sampleClients(this.#present, this.#options.share, this.#options.key, this.round + 1, this.#attempt);
    this.#requireEnough(drawn.length);
    this.#openings++;
    const round = this.#collected(drawn, this.#attempt);
    const collection = this.#options.aggregation.isSecure ? new SecureCollection(round) : new PlainCollection(round);
    this.#open = { attempt: this.#attempt, collection, asked: now, waits: 0, tasks: new Map() };
  }

  #collected(drawn: readonly string[], attempt: number): CollectedRound {
    return {
      ...{ description: this.#description, federation: this.#options, id: this.#id, round: this.round + 1 },
      ...{ attempt, drawn, least: this.#leastUpdates(drawn.length) },
      task: (client, more) => {
        const { strategy, compression, localEpochs, rate, key } = this.#options;
        const round = this.round + 1;
        return encodeTask(this.#description, {
          ...{ federation: this.#id, round, client, localEpochs, compression, ...more },
          rate: rateAt(rate, this.round),
          strategy: { name: strategy.name, settings: strategy.settings },
          key: foldIn(key, "train", round, client),
          accepted: this.#accepted.get(client) ?? 0,
          values: this.#values,
          sent: Object.fromEntries(
            (strategy.local?.sends ?? []).map((name) => [name, this.#slots[name] as Float32Array]),
          ),
        });
      },
    };
  }

  #requireEnough(drawn: number): void {
    const least = this.#leastUpdates(drawn);
    if (least > drawn)
      throw new OptionError(
        `${this.#options.aggregation.name} needs ${plural(least, "update")}, and a round draws ${plural(drawn, "client")}; let more clients take part, by a larger share`,
      );
  }

  #leastUpdates(drawn: number): number {
    return Math.max(this.#policy.updates ?? drawn, this.#options.aggregation.least);
  }

  async #goOn(open: OpenRound, now: number): Promise<void> {
    const { collection } = open;
    const { seconds = 600 } = this.#policy;
    open.asked ??= now;
    const isLate = now - open.asked >= 1000 * seconds;
    if (collection.waiting.length > 0 && !isLate) return;
    const step = collection.next(`did not answer in ${seconds} s`);
    if (step === "ends") {
      await this.#closeRound(open);
      this.#attempt = 0;
      this.#open = undefined;
    } else if (step === "lacks") {
      this.#open = undefined;
      this.#attempt++;
      if (this.#attempt >= attempts) throw this.#lacking(open);
    } else if (step === "waits") {
      open.asked = now;
      if (++open.waits >= attempts) throw this.#lacking(open);
    } else {
      open.asked = now;
      this.#openings++;
    }
  }

  #lacking({ collection }: OpenRound): FederationError {
    const reasons = [...collection.dropped].map(([name, reason]) => `"${name}" ${reason}`).join("; ");
    const least = this.#leastUpdates(collection.asked.length);
    return new FederationError(
      `round ${this.round + 1}: ${plural(collection.updates, "update")} of at least ${least} came in each of ${attempts} tries (${reasons}); look at these clients, or let a round be made of fewer`,
    );
  }

  async #closeRound({ collection, tasks }: OpenRound): Promise<void> {
    const { strategy, noise } = this.#options;
    const { clients, change, returned, samples, loss } = await collection.result();
    const round = this.round + 1;
    if (noise && noise.by !== "clients") {
      const own = noise.key && foldIn(noise.key, "coordinator", round);
      addNoise(change, (noise.multiplier * noise.clip) / clients.length, own);
    }
    const { trained } = this.#description;
    const next = this.#values.slice();
    const slots = savedVectors(this.#slots);
    strategy.advance({ values: next, slots }, { change, trained, returned, share: clients.length / this.#known.size });
    requireFiniteValues(`the values after round ${round}`, this.#description, next);
    this.#values.set(next);
    for (const [name, own] of Object.entries(slots)) this.#slots[name]?.set(own);
    for (const name of clients) this.#accepted.set(name, round);
    const { dropped } = collection;
    this.#history.push({
      ...{ round, clients },
      dropped: Object.fromEntries(inOrder(dropped.keys()).map((name) => [name, dropped.get(name) as string])),
      samples,
      ...(loss !== undefined && { loss }),
      bytesDown: [...tasks.values()].reduce((sum, bytes) => sum + bytes, 0),
      bytesUp: this.#bytesUp,
    });
    this.#bytesUp = 0;
  }

  /**
   * The bytes of what a client is asked in the round under way, most often its task; the same ones where it asks again. Throws FederationError for a client that has nothing to do.
   */
  task(client: string): Uint8Array {
    const open = this.#open;
    if (!open?.collection.waiting.includes(client))
      throw new FederationError(`client "${client}" has nothing to do in round ${this.round + 1}; wait for the next`);
    const bytes = open.collection.question(client);
    open.tasks.set(`${open.collection.asking} ${client}`, bytes.length);
    return bytes;
  }

  /**
   * Takes the answer of a client. Throws FederationError, naming the client, for one that is refused: of another round, version or model, with
   * tensors that are missing, unknown, of a wrong shape or not finite, or from a client that was not asked. A client whose update is refused for what it
   * holds does not count in this round.
   * @returns whether it was its update
   */
  receive(client: string, bytes: Uint8Array): boolean {
    this.#bytesUp += bytes.length;
    const where = `the update of client "${client}"`;
    const open = this.#open;
    if (!open)
      throw new FederationError(
        `${where} comes too late, ${plural(this.round, "round")} are done; take up the next task`,
      );
    const { collection } = open;
    let answer: ReturnType<typeof collection.read>;
    try {
      answer = collection.read(client, bytes);
    } catch (error) {
      if (error instanceof FederationError) this.drop(client, `was refused: ${error.message}`);
      throw error;
    }
    if (!answer)
      throw new FederationError(
        `the answer of client "${client}" is to what it was asked before; it comes too late, take up the next task`,
      );
    if (answer.round !== this.round + 1)
      throw new FederationError(
        `${where} is of round ${answer.round}, and round ${this.round + 1} is under way; it comes too late, take up the next task`,
      );
    if (!collection.asked.includes(client))
      throw new FederationError(`${where} was not asked for in round ${answer.round}; wait for a task`);
    if (!collection.waiting.includes(client))
      throw new FederationError(`${where} of round ${answer.round} is there already; wait for the next task`);
    answer.take();
    return collection.asksForUpdates;
  }

  /** Everything needed to go on: plain data, and typed arrays in it. Of a round under way what came of it. */
  state(): CoordinatorState {
    return {
      id: this.#id,
      model: this.#description.hash,
      strategy: this.#options.strategy.name,
      values: this.#values.slice(),
      slots: savedVectors(this.#slots),
      history: [...this.#history],
      known: inOrder(this.#known),
      accepted: Object.fromEntries(this.#accepted),
      attempt: this.#attempt,
      bytesUp: this.#bytesUp,
      ...(this.#open && {
        open: {
          attempt: this.#open.attempt,
          tasks: Object.fromEntries(this.#open.tasks),
          collection: this.#open.collection.state(),
        },
      }),
    };
  }

  #restore(saved: CoordinatorState): void {
    const state = takeState(saved, this.#description, this.#options.strategy);
    this.#values.set(state.values);
    for (const [name, vector] of Object.entries(state.slots)) this.#slots[name]?.set(vector);
    this.#history.push(...state.history);
    for (const name of state.known) this.#known.add(name);
    for (const [name, round] of Object.entries(state.accepted)) this.#accepted.set(name, round);
    this.#attempt = state.attempt;
    this.#bytesUp = state.bytesUp;
    if (!state.open) return;
    const { attempt, tasks, collection } = state.open;
    const isSecure = collection.kind === "secure";
    if (isSecure !== (this.#options.aggregation.isSecure ?? false))
      throw new FederationError(
        `the saved state is of a round ${isSecure ? "with" : "without"} secure aggregation; go on with the aggregation that it was begun with`,
      );
    const drawn = isSecure ? collection.drawn : collection.clients;
    const round = this.#collected(drawn, attempt);
    this.#open = {
      ...{ attempt, asked: undefined, waits: 0, tasks: new Map(Object.entries(tasks)) },
      collection: isSecure ? new SecureCollection(round, collection) : new PlainCollection(round, collection),
    };
  }
}
