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
import { type CoordinatorState, savedVectors, takeState } from "./coordinator-state.ts";
import { type ClientUpdate, decodeUpdate, encodeTask } from "./messages.ts";
import { type ModelDescription, requireFiniteValues } from "./model-description.ts";
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
  readonly clients: readonly string[];
  /** Milliseconds, by the clock of whoever runs it; of a round that was saved, known from the first tick on. */
  opened: number | undefined;
  readonly updates: Map<string, ClientUpdate>;
  readonly dropped: Map<string, string>;
  /** Bytes of each client's task. */
  readonly tasks: Map<string, number>;
}

/** How often a round begins again where too few updates come. */
const attempts = 3;

/**
 * Runs the rounds of a federation. Call `join` and `leave` as clients come and go, `tick` after each event and now and then, `task` for whoever is to train,
 * and `receive` with what comes back.
 * @example
 * const coordinator = new Coordinator({ description, values, rounds: 10 });
 * for (const client of clients) coordinator.join(client.name);
 * for (coordinator.tick(0); !coordinator.isFinished; coordinator.tick(0))
 *   for (const name of coordinator.waiting) coordinator.receive(name, await train(coordinator.task(name)));
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

  /** How often a round has begun, one that begins again too: whoever sends tasks sees by it that there are new ones. */
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

  /** Clients of the round under way that have not answered, in order; those that left among them. */
  get waiting(): readonly string[] {
    const { clients = [], updates, dropped } = this.#open ?? {};
    return clients.filter((name) => !updates?.has(name) && !dropped?.has(name));
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
    if (this.waiting.includes(client)) this.#open?.dropped.set(client, reason);
  }

  /**
   * Begins a round where clients are there, and ends it where all have answered or its time is over.
   * Throws FederationError where a round has begun three times and too few updates came.
   * @param now milliseconds of any clock that only goes forward
   */
  tick(now: number): void {
    if (this.#open) this.#endRound(now);
    if (this.#open || this.isFinished) return;
    const { clients = 1 } = this.#policy;
    if (this.#present.size < clients) return;
    const drawn = sampleClients(this.#present, this.#options.share, this.#options.key, this.round + 1, this.#attempt);
    this.#requireEnough(drawn.length);
    this.#openings++;
    this.#open = { clients: drawn, opened: now, updates: new Map(), dropped: new Map(), tasks: new Map() };
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

  #endRound(now: number): void {
    const open = this.#open as OpenRound;
    const { seconds = 600 } = this.#policy;
    const { waiting } = this;
    open.opened ??= now;
    const isLate = now - open.opened >= 1000 * seconds;
    if (waiting.length > 0 && !isLate) return;
    for (const name of waiting) open.dropped.set(name, `did not answer in ${seconds} s`);
    const least = this.#leastUpdates(open.clients.length);
    this.#open = undefined;
    if (open.updates.size >= least) {
      this.#attempt = 0;
      this.#closeRound(open);
      return;
    }
    this.#attempt++;
    if (this.#attempt < attempts) return;
    const reasons = [...open.dropped].map(([name, reason]) => `"${name}" ${reason}`).join("; ");
    throw new FederationError(
      `round ${this.round + 1}: ${plural(open.updates.size, "update")} of at least ${least} came in each of ${attempts} tries (${reasons}); look at these clients, or let a round be made of fewer`,
    );
  }

  #closeRound({ updates, dropped, tasks }: OpenRound): void {
    const { strategy, aggregation } = this.#options;
    const clients = inOrder(updates.keys());
    const own = clients.map((name) => updates.get(name) as ClientUpdate);
    const weightOf = ({ samples }: ClientUpdate) => (strategy.weights === "samples" ? samples : 1);
    const change = aggregation.combine(own.map((update) => ({ values: update.change, weight: weightOf(update) })));
    const equal = (name: string) => own.map(({ returned }) => ({ values: returned[name] as Float32Array, weight: 1 }));
    const returned = Object.fromEntries(
      (strategy.local?.remembers ?? []).map((name) => [name, aggregation.combine(equal(name))] as const),
    );
    const { trained } = this.#description;
    const next = this.#values.slice();
    strategy.advance(
      { values: next, slots: this.#slots },
      { change, trained, returned, share: clients.length / this.#known.size },
    );
    requireFiniteValues(`the values after round ${this.round + 1}`, this.#description, next);
    this.#values.set(next);
    for (const name of clients) this.#accepted.set(name, this.round + 1);
    const samples = own.reduce((sum, update) => sum + update.samples, 0);
    this.#history.push({
      round: this.round + 1,
      clients,
      dropped: Object.fromEntries(inOrder(dropped.keys()).map((name) => [name, dropped.get(name) as string])),
      samples,
      loss: own.reduce((sum, update) => sum + (update.loss * update.samples) / samples, 0),
      bytesDown: [...tasks.values()].reduce((sum, bytes) => sum + bytes, 0),
      bytesUp: this.#bytesUp,
    });
    this.#bytesUp = 0;
  }

  /**
   * The bytes of a client's task in the round under way; the same ones where it asks again. Throws FederationError for a client that has none.
   */
  task(client: string): Uint8Array {
    if (!this.waiting.includes(client))
      throw new FederationError(`client "${client}" has nothing to do in round ${this.round + 1}; wait for the next`);
    const { strategy, compression, localEpochs, rate, key } = this.#options;
    const round = this.round + 1;
    const bytes = encodeTask(this.#description, {
      ...{ federation: this.#id, round, client, localEpochs, compression },
      rate: rateAt(rate, this.round),
      strategy: { name: strategy.name, settings: strategy.settings },
      key: foldIn(key, "train", round, client),
      accepted: this.#accepted.get(client) ?? 0,
      values: this.#values,
      sent: Object.fromEntries((strategy.local?.sends ?? []).map((name) => [name, this.#slots[name] as Float32Array])),
    });
    this.#open?.tasks.set(client, bytes.length);
    return bytes;
  }

  /**
   * Takes the update of a client. Throws FederationError, naming the client, for one that is refused: of another round, version or model, with
   * tensors that are missing, unknown, of a wrong shape or not finite, or from a client that was not asked. A client whose update is refused for what it
   * holds does not count in this round.
   */
  receive(client: string, bytes: Uint8Array): void {
    const { strategy, compression } = this.#options;
    this.#bytesUp += bytes.length;
    const where = `the update of client "${client}"`;
    let update: ClientUpdate;
    try {
      const returns = strategy.local?.remembers ?? [];
      update = decodeUpdate(client, this.#description, bytes, { compression, returns });
    } catch (error) {
      if (error instanceof FederationError) this.drop(client, `was refused: ${error.message}`);
      throw error;
    }
    if (!this.#open || update.round !== this.round + 1)
      throw new FederationError(
        `${where} is of round ${update.round}, and ${this.#open ? `round ${this.round + 1} is under way` : `${plural(this.round, "round")} are done`}; it comes too late, take up the next task`,
      );
    if (!this.#open.clients.includes(client))
      throw new FederationError(`${where} was not asked for in round ${update.round}; wait for a task`);
    if (this.#open.dropped.has(client) || this.#open.updates.has(client))
      throw new FederationError(`${where} of round ${update.round} is there already; wait for the next task`);
    this.#open.updates.set(client, update);
  }

  /** Everything needed to go on: plain data, and Float32Arrays in it. Of a round under way the updates that came. */
  state(): CoordinatorState {
    const {
      clients = [],
      updates = new Map<string, ClientUpdate>(),
      dropped = new Map(),
      tasks = new Map(),
    } = this.#open ?? {};
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
          clients: [...clients],
          dropped: Object.fromEntries(dropped),
          tasks: Object.fromEntries(tasks),
          updates: Object.fromEntries(
            Array.from(updates, ([name, { round: _, client: __, change, returned, ...rest }]) => [
              name,
              { ...rest, change: change.slice(), returned: savedVectors(returned) },
            ]),
          ),
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
    const round = this.round + 1;
    const updates = Object.entries(state.open.updates).map(
      ([client, update]) => [client, { round, client, ...update }] as const,
    );
    this.#open = {
      clients: state.open.clients,
      opened: undefined,
      updates: new Map(updates),
      dropped: new Map(Object.entries(state.open.dropped)),
      tasks: new Map(Object.entries(state.open.tasks)),
    };
  }
}
