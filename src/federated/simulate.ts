/**
 * Federated learning in one process: a run of `fit` whose epochs are rounds. The steps of one trainer are those of one client after the other; tasks and
 * updates are the messages that go over a network. So validation, checkpoints, callbacks and logs are those of any run.
 */
import * as z from "zod";
import { DataError, FileError, InternalError, OptionError } from "../core/errors.ts";
import { count, functionOf } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { foldIn, keyOf } from "../core/random.ts";
import { type Batch, Dataset } from "../data/pipeline/dataset.ts";
import { unnumbered } from "../data/pipeline/source.ts";
import type { AnyModule } from "../nn/module.ts";
import type { Callback } from "../train/callbacks/callback.ts";
import type { Trained } from "../train/engine/trainer.ts";
import { type FitResult, fit, type Run } from "../train/fit.ts";
import type { LoopOptions } from "../train/fit-options.ts";
import type { Optimizer } from "../train/optimizers/optimizer.ts";
import type { Schedule } from "../train/schedules.ts";
import type { GradientTransform } from "../train/transforms/transform.ts";
import { type ClientMemory, emptyMemory, LocalTraining } from "./client.ts";
import { Coordinator } from "./coordinator.ts";
import type { CoordinatorState } from "./coordinator-state.ts";
import { readValues, writeValues } from "./model-description.ts";
import {
  checkFederation,
  clientName,
  type FederationOptions,
  federationOf,
  type RoundRecord,
  sampleClients,
} from "./rounds.ts";
import { type MemberState, memberStateSchema, SecureMember } from "./secure/member.ts";

/** The data of simulated clients. */
export interface SimulatedClients<B extends Batch = Batch> {
  /** How many there are. */
  readonly count: number;
  /** The data of one, by its number from 0, in batches: epoch `e` of round `r` (from 0) is read as epoch `r · localEpochs + e`. */
  readonly data: (client: number) => Dataset<B>;
  /** How many samples one has. */
  readonly samples: (client: number) => number;
}

/** A simulated federation as the parts of a run. */
export interface SimulatedFederation<B extends Batch> {
  /** The batches of the clients of each round, one client after the other: an epoch is a round. */
  readonly train: Dataset<B>;
  /** What the trainer does with gradients, before other transforms. */
  readonly transforms: readonly GradientTransform[];
  /** The clients' learning rate, from that of their optimizer: times the factor of the round. */
  scheduled(learningRate: number | Schedule): Schedule;
  /** Begins and ends the training of clients and rounds; the first of the run's callbacks. */
  readonly callback: Callback;
  /** The rounds that are done. */
  readonly rounds: readonly RoundRecord[];
}

/** Options of `federation`. */
export interface SimulatedOptions<B extends Batch> {
  /** The clients' data. */
  readonly clients: SimulatedClients<B>;
  /** How the federation learns. */
  readonly federation?: FederationOptions;
  /** Told of each round that is done, before its validation; default nobody is. */
  readonly onRound?: ((record: RoundRecord) => void) | undefined;
}

/** Whatever the batches are. */
type CheckedOptions = Omit<SimulatedOptions<Batch>, "clients"> & { readonly clients: CheckedClients };
type CheckedClients = Omit<SimulatedClients, "data"> & { readonly data: (client: number) => Dataset<unknown> };

const checkParts = optionsOf<CheckedOptions>("the simulation", {
  federation: checkFederation.type,
  onRound: functionOf("(record) => …"),
  clients: required(
    optionsOf<CheckedClients>("clients", {
      count: required(count()),
      data: required(functionOf("(client) => dataset")),
      samples: required(functionOf("(client) => samples")),
    }).type,
  ),
});

const vectors = z.record(z.string(), z.instanceof(Float32Array));
const savedSchema = z.object({
  /** Checked by the coordinator. */
  coordinator: z.custom<CoordinatorState>((value) => typeof value === "object" && value !== null),
  memories: z.record(
    z.string(),
    z.object({ federation: z.string(), round: z.number(), before: vectors, next: vectors }),
  ),
  members: z.record(z.string(), memberStateSchema).optional(),
  progress: z.object({ steps: z.number(), loss: z.number(), weight: z.number(), rates: z.number() }).optional(),
});

/**
 * A federation as the parts of a run: pass `train` to `fit` with one epoch for each round, `transforms` among the transforms of the training, and
 * `callback` first among the callbacks. `simulate` does so. The run can be saved and resumed after any batch, as others can, and gives the same bits.
 * Throws DataError for a model that was not initialized, OptionError for options that do not go together.
 */
export function federation<B extends Batch>(model: AnyModule, options: SimulatedOptions<B>): SimulatedFederation<B> {
  checkParts(options);
  const { clients, onRound } = options;
  const federated = federationOf(repeatable(options.federation));
  const names = Array.from({ length: clients.count }, (_, client) => clientName(client, clients.count));
  const { strategy, aggregation, noise } = federated;
  const local = new LocalTraining(model, strategy, { aggregation, ...(noise && { noise }) });
  const { description } = local;
  const memories = new Map<string, ClientMemory>();
  const members = new Map<string, SecureMember>();
  let coordinator: Coordinator | undefined;
  let saved: z.infer<typeof savedSchema> | undefined;
  /** The client whose steps are made, and how many it has left; none between two rounds. */
  let turn: { readonly client: number; left: number } | undefined;

  /** The clients of a round, from 0, and how many batches each has in it. */
  const turnsOf = (round: number) =>
    sampleClients(names, federated.share, federated.key, round + 1).map((name) => {
      const client = Number(name);
      const { length } = clients.data(client);
      if (!length)
        throw new DataError(
          `client ${client} has ${length === undefined ? "data of unknown length" : "no batch"}, expected a dataset of batches with a length; give it more samples, or smaller batches`,
        );
      return { client, name, batches: length * federated.localEpochs };
    });

  const current = (): Coordinator => {
    if (coordinator) return coordinator;
    throw new InternalError("a federation's round has no coordinator");
  };
  const nameOf = (client: number) => names[client] as string;
  const memberOf = (name: string): SecureMember => {
    const member = members.get(name) ?? new SecureMember();
    members.set(name, member);
    return member;
  };
  /** Goes on where all have answered. */
  const tick = async () => {
    const before = current().round;
    await current().tick(0);
    for (const record of current().history.slice(before)) onRound?.(record);
    if (current().round > before) members.clear();
  };
  /** Lets clients answer what they are asked beside updates, up to the end of a round. */
  const answerQuestions = async () => {
    const { round } = current();
    for (;;) {
      const { waiting } = current();
      const [first] = waiting;
      if (first === undefined || current().round > round || !SecureMember.asks(current().task(first))) return;
      for (const name of waiting)
        current().receive(name, (await memberOf(name).answer(description, current().task(name))).answer);
      await tick();
    }
  };
  /** Lets the client whose turn it is begin, or go on. */
  const begin = async (run: Run, client: number, done: number, left: number) => {
    const task = current().task(nameOf(client));
    await local.begin(run.trainer, task, memories.get(nameOf(client)) ?? emptyMemory, {
      progress: done > 0 ? saved?.progress : undefined,
      member: memberOf(nameOf(client)),
    });
    turn = { client, left };
  };
  /** Goes to the place of a round where so many batches are done. */
  const goTo = async (run: Run, round: number, done: number) => {
    await answerQuestions();
    let before = 0;
    for (const { client, batches } of turnsOf(round)) {
      if (done < before + batches) return begin(run, client, done - before, before + batches - done);
      before += batches;
    }
  };
  /** Ends the turn of a client, and after the last the round. */
  const end = async (run: Run, client: number) => {
    const { update, memory } = await local.end(run.trainer, clients.samples(client));
    memories.set(nameOf(client), memory);
    current().receive(nameOf(client), update);
    await tick();
    await answerQuestions();
    turn = undefined;
    const [next] = current().waiting;
    if (current().round === run.epoch && next !== undefined)
      return begin(run, Number(next), 0, batchesOf(Number(next)));
    writeValues(model, description, current().values);
  };
  const batchesOf = (client: number) => (clients.data(client).length ?? 0) * federated.localEpochs;

  const callback: Callback = {
    name: "federation",
    async onStart(run) {
      coordinator = new Coordinator({
        federation: repeatable(options.federation),
        description,
        values: readValues(model, description),
        policy: { clients: clients.count },
        state: saved?.coordinator,
      });
      for (const [name, memory] of Object.entries(saved?.memories ?? {})) memories.set(name, memory);
      for (const [name, state] of Object.entries(saved?.members ?? {})) members.set(name, new SecureMember(state));
      for (const name of names) coordinator.join(name);
      await coordinator.tick(0);
      if (run.epoch < run.epochs) await goTo(run, run.epoch, run.batchInEpoch);
      saved = undefined;
    },
    async onBatch(run, result) {
      if (!turn) throw new InternalError("a batch came when no client was to train");
      local.record(result);
      turn.left--;
      if (turn.left === 0) await end(run, turn.client);
    },
    async onEpoch(run) {
      if (run.epoch < run.epochs) await goTo(run, run.epoch, 0);
    },
    state: () => ({
      coordinator: current().state(),
      memories: Object.fromEntries(memories),
      ...(members.size > 0 && { members: statesOf(members) }),
      ...(turn && { progress: local.progress }),
    }),
    restore(state) {
      if (state === undefined) return;
      const parsed = savedSchema.safeParse(state);
      if (!parsed.success)
        throw new FileError("what the checkpoint holds of the federation is damaged; go back to an earlier checkpoint");
      saved = parsed.data;
    },
  };

  const train = new Dataset<B>({
    length: undefined,
    samples: unnumbered,
    async *epoch(round, skip) {
      let before = 0;
      for (const { client, batches } of turnsOf(round)) {
        const data = clients.data(client);
        const length = data.length ?? 0;
        let done = Math.min(batches, Math.max(0, skip - before));
        before += batches;
        for (; done < batches; done = length * (Math.floor(done / length) + 1))
          yield* data.epoch(round * federated.localEpochs + Math.floor(done / length), { skip: done % length });
      }
    },
  });
  return {
    train,
    transforms: local.transforms,
    scheduled: (learningRate) => local.scheduled(learningRate),
    callback,
    get rounds() {
      return coordinator?.history ?? [];
    },
  };
}

/** Options whose noise derives from the key of the rest, where it has none of its own. */
function repeatable(options: FederationOptions = {}): FederationOptions {
  const { noise, key = keyOf(0) } = options;
  return noise ? { ...options, noise: { key: foldIn(key, "noise"), ...noise } } : options;
}

/** The secrets of clients in a round. */
const statesOf = (members: ReadonlyMap<string, SecureMember>): Record<string, MemberState> =>
  Object.fromEntries([...members].flatMap(([name, { state }]) => (state ? [[name, state] as const] : [])));

/** What is learned from what, and how long. */
export type SimulateOptions<B extends Batch> = Trained<B> &
  Omit<LoopOptions<B>, "epochs"> & {
    /** How many rounds. */
    readonly rounds: number;
    /** The clients' data. */
    readonly clients: SimulatedClients<B>;
    /** How the federation learns. */
    readonly federation?: FederationOptions;
    /** Told of each round that is done, before its validation; default nobody is. */
    readonly onRound?: (record: RoundRecord) => void;
  };

/**
 * Federated learning of clients that are simulated, one after the other, in this process. The optimizer is that of the clients, which begin each round without
 * a memory of it. Deterministic for the keys and seeds; a run that is resumed gives the same bits. Throws what `fit` throws, DataError for a model
 * that was not initialized and for a client without a batch.
 * @example
 * const { model } = network;
 * model.initialize(keyOf(1), inputs);
 * const { rounds, history } = await federated.simulate(model, {
 *   clients: { count: 100, samples: (i) => parts[i].length, data: (i) => train.select(parts[i]).shuffle(keyOf(i)).batch(10, { dropLast: true }) },
 *   rounds: 50,
 *   loss: crossEntropy(),
 *   optimizer: sgd({ learningRate: 0.05 }),
 *   federation: { share: 0.1, strategy: federated.fedProx({ mu: 0.01 }) },
 * });
 */
export async function simulate<B extends Batch>(
  model: AnyModule,
  options: SimulateOptions<B>,
): Promise<FitResult & { readonly rounds: readonly RoundRecord[] }> {
  const { rounds, clients, federation: own = {}, onRound, callbacks = [], training = {}, ...rest } = options;
  if (!Number.isInteger(rounds) || rounds < 0)
    throw new OptionError(`simulate: rounds is ${rounds}; pass a whole number from 0`);
  const parts = federation(model, { clients, federation: own, onRound });
  const trained = rest as Trained<B> & Omit<LoopOptions<B>, "epochs">;
  const result = await fit<B>(model, parts.train, {
    ...trained,
    ...("optimizer" in trained && { optimizer: withRate(trained.optimizer, parts) }),
    epochs: rounds,
    callbacks: [parts.callback, ...callbacks],
    training: { ...training, transforms: [...parts.transforms, ...(training.transforms ?? [])] },
  });
  return { ...result, rounds: parts.rounds };
}

/** An optimizer whose rate is that of the round. */
const withRate = (optimizer: Optimizer | undefined, { scheduled }: Pick<SimulatedFederation<never>, "scheduled">) =>
  optimizer && { ...optimizer, learningRate: scheduled(optimizer.learningRate) };
