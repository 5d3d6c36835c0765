/** The coordinator on the network: a WebSocket server around the state machine, with a file from which it goes on. */
import type { Server } from "node:http";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { FederationError, OptionError, SardonyxError } from "../core/errors.ts";
import { functionOf, having, objectOf, string } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { type ListenPlace, listen, sameToken } from "../storage/listen.node.ts";
import type { Coordinator } from "./coordinator.ts";
import type { CoordinatorState } from "./coordinator-state.ts";
import { type ModelDescription, protocolVersion } from "./model-description.ts";
import {
  beatSeconds,
  type Choices,
  type CoordinatorWord,
  differenceOf,
  mostBytes,
  mostText,
  readClientWord,
  silenceSeconds,
  socketPath,
} from "./protocol.ts";
import type { RoundRecord } from "./rounds.ts";
import type { Strategy } from "./strategies/strategy.ts";

/** What the coordinator tells as it goes. */
export type ServeEvent =
  | { readonly kind: "joined" | "left"; readonly client: string }
  | { readonly kind: "refused"; readonly client: string; readonly reason: string }
  | { readonly kind: "round"; readonly record: RoundRecord };

/** Options of `serveFederation`. */
export interface ServeOptions {
  /** The state machine. */
  readonly coordinator: Coordinator;
  /** The model as it is exchanged, the strategy, and what both sides must have chosen alike. */
  readonly agreed: {
    readonly description: ModelDescription;
    readonly strategy: Strategy;
    readonly choices: Choices;
  };
  /** Who may take part knows it; from 16 characters. */
  readonly token: string;
  /** Where to listen. */
  readonly listen: ListenPlace;
  /** Keeps the state, before clients hear of the next round. */
  readonly save: (state: CoordinatorState) => Promise<void>;
  /** Told as it goes; a round's telling is awaited. */
  readonly onEvent?: (event: ServeEvent) => void | Promise<void>;
  /** Ends it when it is aborted, with the state kept. */
  readonly signal?: AbortSignal;
}

const checkOptions = optionsOf<ServeOptions>("serveFederation", {
  coordinator: required(having("tick", "a Coordinator")),
  agreed: required(objectOf("the model's description, the strategy and the choices")),
  token: required(string),
  listen: required(objectOf("where to listen: { port }")),
  save: required(functionOf("async (state) => …")),
  onEvent: functionOf("(event) => …"),
  signal: having("addEventListener", "an AbortSignal"),
});

/** A coordinator that listens. */
export interface Serving {
  /** Where clients find it: `ws://127.0.0.1:8080/federation`. */
  readonly url: string;
  /** Done when all rounds are; rejects with what ended it before. */
  readonly finished: Promise<void>;
}

/** A connection, from its opening on. */
interface Connection {
  readonly socket: WebSocket;
  /** Its name, once it was welcomed. */
  client?: string;
  /** The opening of the round whose task it was sent. */
  sent: number;
  /** When it said something last, in milliseconds. */
  heard: number;
}

/** The most connections, those that have not said who they are among them. */
const mostConnections = 10_000;

/** Seconds that a connection has to say who it is. */
const helloSeconds = 10;

/**
 * Listens for the clients of a federation, until its rounds are done. Throws OptionError for a token that is too short and for an address that cannot be listened on.
 */
export async function serveFederation(options: ServeOptions): Promise<Serving> {
  checkOptions(options);
  if (options.token.length < 16)
    throw new OptionError(
      `the token has ${options.token.length} characters; take one of 16 or more, such as 64 random digits`,
    );
  const { server, authority } = await listen(options.listen);
  const federation = new FederationServer(options, server);
  return { url: `${options.listen.tls ? "wss" : "ws"}://${authority}${socketPath}`, finished: federation.run() };
}

const takenText =
  "another client of its name has come, such as the same one started again; give each client a name of its own";

class FederationServer {
  readonly #options: ServeOptions;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #connections = new Set<Connection>();
  /** What was done so far of the events, in their order. */
  #work: Promise<void> = Promise.resolve();
  #end: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;

  constructor(options: ServeOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    const { description, strategy } = options.agreed;
    this.#sockets = new WebSocketServer({
      server,
      path: socketPath,
      maxPayload: mostBytes(description, strategy.local?.remembers.length ?? 0),
      perMessageDeflate: false,
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const ended = new Promise<void>((resolve, reject) => {
      this.#end = { resolve, reject };
    });
    const aborted = () => this.#end?.reject(signal?.reason);
    signal?.addEventListener("abort", aborted, { once: true });
    this.#sockets.on("connection", (socket) => this.#open(socket));
    const timer = setInterval(() => this.#beat(), 1000);
    const beats = setInterval(() => {
      for (const own of this.#welcomed()) say(own.socket, { kind: "alive" });
    }, 1000 * beatSeconds);
    this.#then(async () => undefined);
    try {
      await ended;
      this.#farewell("all rounds are done");
    } catch (error) {
      if (!signal?.aborted) this.#farewell(error instanceof SardonyxError ? error.message : "the coordinator failed");
      throw error;
    } finally {
      clearInterval(timer);
      clearInterval(beats);
      signal?.removeEventListener("abort", aborted);
      await this.#work;
      // The updates of a round under way are kept too.
      if (signal?.aborted) await this.#options.save(this.#options.coordinator.state());
      await this.#close();
    }
  }

  #welcomed(): (Connection & { readonly client: string })[] {
    return [...this.#connections].flatMap((own) =>
      own.client === undefined ? [] : [own as Connection & { client: string }],
    );
  }

  /** Does something after what came before it, then what the coordinator makes of it. What fails ends all. */
  #then(event: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      try {
        await event();
        await this.#goOn();
      } catch (error) {
        this.#end?.reject(error);
      }
    });
  }

  /** Ends and begins rounds; what came of them is kept before anybody hears of the next. */
  async #goOn(): Promise<void> {
    const { coordinator, save, onEvent } = this.#options;
    const before = coordinator.round;
    const openings = coordinator.openings;
    await coordinator.tick(performance.now());
    if (coordinator.round > before || coordinator.openings > openings) await save(coordinator.state());
    for (const record of coordinator.history.slice(before)) await onEvent?.({ kind: "round", record });
    if (coordinator.isFinished) {
      this.#end?.resolve();
      return;
    }
    const waiting = new Set(coordinator.waiting);
    for (const own of this.#welcomed()) {
      if (own.sent === coordinator.openings || !waiting.has(own.client)) continue;
      own.sent = coordinator.openings;
      own.socket.send(coordinator.task(own.client));
    }
  }

  #open(socket: WebSocket): void {
    if (this.#connections.size >= mostConnections) {
      socket.close(1013);
      return;
    }
    const own: Connection = { socket, sent: -1, heard: performance.now() };
    this.#connections.add(own);
    socket.on("error", () => socket.terminate());
    socket.on("close", () => this.#then(async () => this.#gone(own)));
    socket.on("message", (data, isBinary) => {
      own.heard = performance.now();
      this.#then(async () => this.#hear(own, data, isBinary));
    });
  }

  #gone(own: Connection): void {
    this.#connections.delete(own);
    const { client } = own;
    // One that came back by another connection is there.
    if (client === undefined || this.#welcomed().some((other) => other.client === client)) return;
    this.#options.coordinator.leave(client);
    this.#options.onEvent?.({ kind: "left", client });
  }

  #hear(own: Connection, data: RawData, isBinary: boolean): void {
    const bytes = new Uint8Array(data as Buffer);
    if (!this.#connections.has(own)) return;
    try {
      if (own.client === undefined) this.#welcome(own, isBinary || bytes.length > mostText ? "" : String(data));
      else if (isBinary) this.#receive(own.client, own.socket, bytes);
      else this.#answer(own.client, own, String(data));
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      this.#refuse(own, error.message, true);
    }
  }

  #refuse(own: Connection, reason: string, final: boolean): void {
    say(own.socket, { kind: "refused", reason: reason.slice(0, 1000), final });
    this.#options.onEvent?.({ kind: "refused", client: own.client ?? "unknown", reason });
    if (final) own.socket.close();
  }

  /** Takes the first words of a connection. Throws FederationError for one that may not take part. */
  #welcome(own: Connection, text: string): void {
    const word = readClientWord(text);
    if (word.kind !== "hello") throw new FederationError("a connection begins with hello; use joinFederation");
    const { agreed, token, coordinator, onEvent } = this.#options;
    if (!sameToken(word.token, token))
      throw new FederationError("the token is another one; pass the file that the coordinator has");
    if (word.protocol !== protocolVersion)
      throw new FederationError(
        `the client speaks version ${word.protocol} of the messages, expected ${protocolVersion}; install the same version of sardonyx on both sides`,
      );
    const difference = differenceOf(agreed.choices, word.choices);
    if (difference) throw new FederationError(difference);
    if (word.model !== agreed.description.hash)
      throw new FederationError(
        `the client's model is another one (${word.model}, expected ${agreed.description.hash}); train the same recipe with the same options on both sides`,
      );
    for (const other of this.#welcomed())
      if (other.client === word.client) {
        this.#connections.delete(other);
        // So that two of one name do not drive each other out again and again.
        say(other.socket, { kind: "refused", reason: takenText, final: true });
        other.socket.close();
      }
    own.client = word.client;
    const { name, settings } = agreed.strategy;
    say(own.socket, { kind: "welcome", strategy: { name, settings: { ...settings } } });
    coordinator.join(word.client);
    onEvent?.({ kind: "joined", client: word.client });
  }

  #receive(client: string, socket: WebSocket, bytes: Uint8Array): void {
    const { coordinator, onEvent } = this.#options;
    try {
      if (coordinator.receive(client, bytes)) say(socket, { kind: "accepted", round: coordinator.round + 1 });
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      say(socket, { kind: "refused", reason: error.message.slice(0, 1000), final: false });
      onEvent?.({ kind: "refused", client, reason: error.message });
    }
  }

  #answer(client: string, own: Connection, text: string): void {
    const word = readClientWord(text);
    const { coordinator } = this.#options;
    if (word.kind === "failed") coordinator.drop(client, `failed: ${word.reason}`);
    else if (word.kind === "leaving") own.socket.close();
  }

  /** Ends connections that are silent, and lets the time of rounds pass. */
  #beat(): void {
    const now = performance.now();
    for (const own of this.#connections) {
      const seconds = own.client === undefined ? helloSeconds : silenceSeconds;
      if (now - own.heard > 1000 * seconds) own.socket.terminate();
    }
    this.#then(async () => undefined);
  }

  #farewell(reason: string): void {
    const rounds = this.#options.coordinator.round;
    for (const own of this.#welcomed()) say(own.socket, { kind: "finished", rounds, reason: reason.slice(0, 1000) });
  }

  /** Closes all: what was said last is sent first. */
  async #close(): Promise<void> {
    for (const { socket } of this.#connections) socket.close();
    this.#sockets.close();
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => {
        for (const { socket } of this.#connections) socket.terminate();
        this.#server.closeAllConnections();
      }, 2000);
      this.#server.close(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }
}

function say(socket: WebSocket, word: CoordinatorWord): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(word));
}
