/** `sardonyx federate join`: a client of a federation. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import WebSocket from "ws";
import { OptionError } from "../../core/errors.ts";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { emptyMemory, LocalTraining } from "../../federated/client.ts";
import { decodeMemory, encodeMemory } from "../../federated/client-memory.ts";
import { type ClientEvent, joinFederation, type SocketLike } from "../../federated/join.ts";
import { describeModel } from "../../federated/model-description.ts";
import { socketPath } from "../../federated/protocol.ts";
import { clientName } from "../../federated/rounds.ts";
import { strategyOf } from "../../federated/strategies/index.ts";
import { measuredOf } from "../../runs/training/evaluation.ts";
import { Interrupted } from "../../runs/training/interrupted.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { encryptTo, sealedTo } from "../../storage/encryption/recipients.node.ts";
import { Trainer, type TrainerOptions } from "../../train/engine/trainer.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { tokenOf } from "./serve.ts";
import { type LoadedFederation, requireSplit } from "./task.ts";

/** A part of the data: the client's number from 1, of so many. */
export interface Part {
  readonly client: number;
  readonly clients: number;
}

/** What `join` is told. */
export interface JoinGiven {
  readonly url: string;
  readonly tokenFile: string | undefined;
  readonly part: Part | undefined;
  readonly name: string | undefined;
  readonly memory: string | undefined;
  readonly encryptTo: string | undefined;
  readonly patience: number | undefined;
  readonly ca: string | undefined;
}

/** `2/10`. */
export function parsePart(text: string, flag: string): Part {
  const [, client, clients] = /^(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
  if (client === undefined || clients === undefined || client < 1 || client > clients)
    throw new OptionError(`${flag} is "${text}"; pass the client's number and how many there are, such as ${flag} 1/3`);
  return { client, clients };
}

/** The coordinator's address with its path. */
function addressOf(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    parsed = new URL("none:");
  }
  if (!/^wss?:$/.test(parsed.protocol))
    throw new OptionError(`"${url}" is no address of a coordinator; pass one such as ws://127.0.0.1:8790`);
  if (parsed.pathname === "/") parsed.pathname = socketPath;
  return parsed.href;
}

/** What the client trains on, and its name. */
function dataOf(loaded: LoadedFederation, { part, name }: JoinGiven) {
  const { task } = loaded;
  if (!part) {
    if (name === undefined)
      throw new OptionError("a client has a name or a part of the recipe's data; pass --name NAME, or --part 1/3");
    if (task.federated)
      throw new OptionError(
        `${loaded.choices["recipe"]} splits its data among clients; say which part is this one's: --part 1/${task.federated.clients.count}`,
      );
    const samples = task.samples?.train;
    if (samples === undefined)
      throw new OptionError(
        `${loaded.choices["recipe"]} does not say how many samples it has, by which clients are weighted; give its task "samples"`,
      );
    return { client: name, data: task.train, samples, training: task.training };
  }
  const { clients, training } = requireSplit(loaded);
  if (clients.count !== part.clients)
    throw new OptionError(
      `--part ${part.client}/${part.clients} is of ${part.clients} clients, and the recipe's data make ${clients.count}; pass as many`,
    );
  const number = part.client - 1;
  return {
    client: name ?? clientName(number, part.clients),
    data: clients.data(number) as Dataset<Batch>,
    samples: clients.samples(number),
    training,
  };
}

/** Takes part until the federation is finished. Throws Interrupted where a signal ends it. */
export async function join(loaded: LoadedFederation, given: JoinGiven, output: Output): Promise<void> {
  const { task, settings, compile, choices } = loaded;
  const { aggregation, noise } = loaded.federation;
  const terms = { ...(aggregation && { aggregation }), ...(noise && { noise }) };
  const url = addressOf(given.url);
  const token = await tokenOf(given.tokenFile, false, output);
  const { client, data, samples, training = {} } = dataOf(loaded, given);
  const memoryFile = resolve(given.memory ?? `runs/federated/${choices["recipe"]}-${client}.safetensors`);
  const to = given.encryptTo === undefined ? undefined : sealedTo(encryptTo(given.encryptTo));
  const ca = given.ca === undefined ? undefined : Buffer.from(await readBytes(given.ca, "--ca"));
  const { hash: model } = describeModel(task.model);
  const interruption = onInterrupt(() => output.warn("\nLeaving; the same command comes back."));
  const { signal } = interruption;
  try {
    const joined = await joinFederation({
      coordinator: {
        connect: () => new WebSocket(url, { ...(ca && { ca }), handshakeTimeout: 10_000 }) as SocketLike,
        ...{ url, token, patience: given.patience },
      },
      client: { name: client, model, choices },
      signal,
      memory: {
        load: async () =>
          existsSync(memoryFile) ? decodeMemory(await readBytes(memoryFile, "federate join")) : emptyMemory,
        save: (memory) => writeFileAtomic(memoryFile, encodeMemory(memory), to),
      },
      begin: async (said) => {
        // One that a recipe of your own brings is no built-in one.
        const brought = task.federated?.options.strategy;
        const strategy = brought?.name === said.name ? brought : strategyOf(said);
        const local = new LocalTraining(task.model, strategy, terms);
        const transforms = [...local.transforms, ...(training.transforms ?? [])];
        const trainer = new Trainer<Batch>(task.model, {
          ...measuredOf(task),
          ...(task.steps === undefined && { optimizer: loaded.optimizer((rate) => local.scheduled(rate)) }),
          training: { seed: settings.seed, ...training, transforms, compile },
        } as TrainerOptions);
        return {
          train: (bytes, memory, aborted) => local.run(trainer, bytes, { data, samples, memory, signal: aborted }),
        };
      },
      onEvent: (event) => tell(event, client, output),
    });
    output.record("finished", { ...joined });
    output.line(`The federation ended after ${joined.rounds} rounds: ${joined.reason}`, "good");
  } catch (error) {
    if (signal.aborted) throw new Interrupted("the federation", { cause: signal.reason });
    throw error;
  } finally {
    interruption.release();
  }
}

function tell(event: ClientEvent, client: string, output: Output): void {
  const { kind, ...fields } = event;
  output.record(kind, fields);
  if ("reason" in event) output.warn(`${sentences[event.kind]}: ${event.reason}`, "caution");
  else if (event.kind === "accepted") output.line(`Round ${event.round}: the coordinator took the update`);
  else if (event.kind === "connected") output.line(`Connected as client "${client}"`);
}

const sentences = {
  refused: "The coordinator refused the update",
  failed: "The training of a round failed, which the coordinator was told",
  lost: "The connection was lost, and is tried again",
} as const;
