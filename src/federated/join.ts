/** A client of a coordinator on the network, in Node and in pages: it connects, trains what it is sent, and comes back when the connection is lost. */
import { FederationError, SardonyxError } from "../core/errors.ts";
import { functionOf, having, objectOf, positive, string } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { foldIn, keyOf, Random } from "../core/random.ts";
import type { ClientMemory } from "./client.ts";
import { protocolVersion } from "./model-description.ts";
import {
  beatSeconds,
  type Choices,
  type ClientWord,
  type CoordinatorWord,
  readCoordinatorWord,
  silenceSeconds,
} from "./protocol.ts";
import { SecureMember } from "./secure/member.ts";
import type { Strategy } from "./strategies/strategy.ts";

/** What is used of a WebSocket, that of browsers or of the package ws. */
export interface SocketLike {
  /** "arraybuffer". */
  binaryType: string;
  /** Called when it is open. */
  onopen: ((event: never) => void) | null;
  /** Called with each frame. */
  onmessage: ((event: never) => void) | null;
  /** Called when it is closed, after an error too. */
  onclose: ((event: never) => void) | null;
  /** Called before it is closed by an error. */
  onerror: ((event: never) => void) | null;
  /** Sends a frame. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Closes it. */
  close(): void;
}

/** The training of a client, made for the coordinator's strategy. */
export interface ClientTraining {
  /** Trains a round. Throws where that fails, which the coordinator is told. @param task the coordinator's message */
  train(
    task: Uint8Array,
    memory: ClientMemory,
    signal: AbortSignal,
  ): Promise<{ readonly update: Uint8Array; readonly memory: ClientMemory; readonly round: number }>;
}

/** Where a client keeps what it remembers. */
export interface MemoryStore {
  /** What was kept. */
  load(): Promise<ClientMemory>;
  /** Keeps it, before the update is sent. */
  save(memory: ClientMemory): Promise<void>;
}

/** What a client tells as it goes. */
export type ClientEvent =
  | { readonly kind: "connected" | "training" }
  | { readonly kind: "sent" | "accepted"; readonly round: number }
  | { readonly kind: "refused" | "failed" | "lost"; readonly reason: string };

/** Options of `joinFederation`. */
export interface JoinOptions {
  /** Where the coordinator is. */
  readonly coordinator: {
    /** Its address, for messages. */
    readonly url: string;
    /** Opens a connection: `() => new WebSocket(url)`. */
    readonly connect: () => SocketLike;
    /** Who may take part knows it. */
    readonly token: string;
    /** Seconds without a connection after which the client gives up; default 600. */
    readonly patience?: number | undefined;
  };
  /** Who the client is. */
  readonly client: {
    /** Its name, which no other has: see `clientName`. */
    readonly name: string;
    /** Hash of its model, see `describeModel`. */
    readonly model: string;
    /** What both sides must have chosen alike, such as the recipe and its options. */
    readonly choices: Choices;
  };
  /** Makes the training for the coordinator's strategy; called once, and again where it comes back with another one. */
  readonly begin: (strategy: Pick<Strategy, "name" | "settings">) => Promise<ClientTraining>;
  /** Where the client keeps what it remembers. */
  readonly memory: MemoryStore;
  /** Leaves the federation when it is aborted. */
  readonly signal?: AbortSignal;
  /** Told as it goes. */
  readonly onEvent?: (event: ClientEvent) => void;
}

const checkOptions = optionsOf<JoinOptions>("joinFederation", {
  coordinator: required(
    optionsOf<JoinOptions["coordinator"]>("coordinator", {
      url: required(string),
      connect: required(functionOf("() => new WebSocket(url)")),
      token: required(string),
      patience: positive,
    }).type,
  ),
  client: required(
    optionsOf<JoinOptions["client"]>("client", {
      name: required(string),
      model: required(string),
      choices: required(objectOf("what both sides must have chosen alike, by name")),
    }).type,
  ),
  begin: required(functionOf("async (strategy) => ({ train })")),
  memory: required(having("load", "where the memory is kept: { load, save }")),
  signal: having("addEventListener", "an AbortSignal"),
  onEvent: functionOf("(event) => …"),
});

/** How a federation ended for a client. */
export interface Joined {
  /** Rounds of the federation. */
  readonly rounds: number;
  /** Why it ended, in words. */
  readonly reason: string;
}

/** How a connection ended. */
type Ending = { readonly finished: Joined } | { readonly lost: string };

/** Milliseconds before the first attempt to come back, and the most between two. */
const [firstPause, longestPause] = [500, 30_000];

/**
 * Takes part in a federation until it is finished. A connection that is lost is made again, after pauses that double up to 30 seconds; training goes on meanwhile.
 * Throws FederationError where the coordinator refuses the client (token, version, model, choices), and where it cannot be reached for `patience` seconds;
 * the signal's reason where that is aborted.
 */
export async function joinFederation(options: JoinOptions): Promise<Joined> {
  const { coordinator, signal, onEvent } = checkOptions(options);
  const { url, patience = 600 } = coordinator;
  const client = new NetworkClient(options);
  const random = new Random(foldIn(keyOf(0), "pause", options.client.name));
  let [pause, since] = [firstPause, performance.now()];
  for (;;) {
    signal?.throwIfAborted();
    const ending = await client.connection();
    if ("finished" in ending) return ending.finished;
    signal?.throwIfAborted();
    if (client.wasWelcome()) [pause, since] = [firstPause, performance.now()];
    if (performance.now() - since > 1000 * patience)
      throw new FederationError(
        `the coordinator at ${url} could not be reached for ${patience} s (${ending.lost}); start it, or check the address`,
      );
    onEvent?.({ kind: "lost", reason: ending.lost });
    // So that clients which lost it together do not all come back at one moment.
    await wait(pause * random.uniform(0.5, 1), signal);
    pause = Math.min(longestPause, 2 * pause);
  }
}

const wait = (milliseconds: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done, { once: true });
  });

/** A task that is trained, or was. */
interface Work {
  readonly task: Uint8Array;
  readonly controller: AbortController;
  /** Once it is there. */
  update?: Uint8Array;
}

/** A client across its connections. */
class NetworkClient {
  readonly #options: JoinOptions;
  #training: { readonly strategy: string; readonly own: Promise<ClientTraining> } | undefined;
  #welcomed = false;
  /** The latest task. */
  #work: Work | undefined;
  /** Done when no task is trained: the trainer does one after another. */
  #idle: Promise<void> = Promise.resolve();
  #socket: SocketLike | undefined;

  constructor(options: JoinOptions) {
    this.#options = options;
  }

  /** Whether the coordinator took the client since this was asked last. */
  wasWelcome(): boolean {
    const was = this.#welcomed;
    this.#welcomed = false;
    return was;
  }

  /** One connection, until it ends. */
  connection(): Promise<Ending> {
    const { signal, coordinator, client } = this.#options;
    return new Promise((resolve, reject) => {
      let heard = performance.now();
      let why = "the connection was closed";
      let socket: SocketLike;
      try {
        socket = coordinator.connect();
      } catch (error) {
        resolve({ lost: (error as Error).message });
        return;
      }
      this.#socket = socket;
      socket.binaryType = "arraybuffer";
      const beats = setInterval(() => {
        if (performance.now() - heard > 1000 * silenceSeconds) {
          why = `nothing was heard for ${silenceSeconds} s`;
          end();
        } else if (this.#welcomed) this.#say({ kind: "alive" });
      }, 1000 * beatSeconds);
      const leave = () => {
        this.#say({ kind: "leaving" });
        end();
      };
      signal?.addEventListener("abort", leave, { once: true });
      const settle = (what: () => void) => {
        clearInterval(beats);
        signal?.removeEventListener("abort", leave);
        if (this.#socket === socket) this.#socket = undefined;
        what();
      };
      const end = () => {
        settle(() => resolve({ lost: why }));
        socket.close();
      };
      const fail = (error: unknown) => {
        settle(() => reject(error));
        socket.close();
      };
      socket.onopen = () => {
        const { name, model, choices } = client;
        this.#say({ kind: "hello", protocol: protocolVersion, token: coordinator.token, client: name, model, choices });
      };
      socket.onerror = (event: { readonly message?: string }) => {
        why = event.message || "the connection failed";
      };
      socket.onclose = () => settle(() => resolve({ lost: why }));
      socket.onmessage = ({ data }: { readonly data: unknown }) => {
        heard = performance.now();
        try {
          if (typeof data !== "string") {
            this.#takeUp(new Uint8Array(data as ArrayBuffer)).catch(fail);
            return;
          }
          const word = readCoordinatorWord(data);
          if (word.kind === "finished") {
            settle(() => resolve({ finished: { rounds: word.rounds, reason: word.reason } }));
            socket.close();
          } else if (word.kind === "refused" && word.final)
            throw new FederationError(`the coordinator refuses this client: ${word.reason}`);
          else this.#hear(word);
        } catch (error) {
          fail(error);
        }
      };
    });
  }

  #say(word: ClientWord): void {
    this.#send(JSON.stringify(word));
  }

  #send(data: string | Uint8Array): void {
    try {
      this.#socket?.send(data as string | Uint8Array<ArrayBuffer>);
    } catch {
      // A socket that is closing: what was to be said is said again on the next one.
    }
  }

  #hear(word: Exclude<CoordinatorWord, { kind: "finished" }>): void {
    const { onEvent, begin } = this.#options;
    if (word.kind === "welcome") {
      this.#welcomed = true;
      const strategy = JSON.stringify(word.strategy);
      if (this.#training?.strategy !== strategy) {
        const own = begin(word.strategy);
        // Told where a task is taken up.
        own.catch(() => undefined);
        this.#training = { strategy, own };
      }
      onEvent?.({ kind: "connected" });
    } else if (word.kind === "accepted") onEvent?.({ kind: "accepted", round: word.round });
    else if (word.kind === "refused") onEvent?.({ kind: "refused", reason: word.reason });
  }

  /** Trains a task, unless that is done or under way, and sends the update. Throws where the client itself cannot go on. */
  async #takeUp(task: Uint8Array): Promise<void> {
    const { memory, onEvent, signal } = this.#options;
    if (this.#work && sameBytes(this.#work.task, task)) {
      if (this.#work.update) this.#send(this.#work.update);
      return;
    }
    // One of an earlier round comes too late now.
    this.#work?.controller.abort();
    const work: Work = { task, controller: new AbortController() };
    this.#work = work;
    await this.#idle;
    const training = await this.#training?.own;
    if (!training) throw new FederationError("the coordinator sent a task before it welcomed this client");
    if (this.#work !== work || signal?.aborted) return;
    const abort = () => work.controller.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const trained = this.#train(work, training).finally(() => signal?.removeEventListener("abort", abort));
    this.#idle = trained.then(
      () => undefined,
      () => undefined,
    );
    try {
      const { update, memory: next, round } = await trained;
      const isUpdate = !SecureMember.asks(task);
      if (isUpdate) await memory.save(next);
      work.update = update;
      if (this.#work !== work) return;
      this.#send(update);
      if (isUpdate) onEvent?.({ kind: "sent", round });
    } catch (error) {
      if (work.controller.signal.aborted) return;
      this.#work = undefined;
      if (!(error instanceof SardonyxError)) throw error;
      onEvent?.({ kind: "failed", reason: error.message });
      this.#say({ kind: "failed", reason: error.message.slice(0, 1000) });
    }
  }

  async #train({ task, controller }: Work, training: ClientTraining) {
    if (!SecureMember.asks(task)) this.#options.onEvent?.({ kind: "training" });
    return training.train(task, await this.#options.memory.load(), controller.signal);
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
