/** Coordinator and clients over real sockets in one process: to the bits of the simulation, through lost connections, and what is refused. */
import { afterEach, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { FederationError, NonFiniteError, OptionError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import { Trainer } from "../train/engine/trainer.ts";
import { secureMean } from "./aggregations.ts";
import { type ClientMemory, emptyMemory, LocalTraining } from "./client.ts";
import { decodeMemory, encodeMemory } from "./client-memory.ts";
import { Coordinator, type CoordinatorOptions } from "./coordinator.ts";
import { decodeState, encodeState } from "./coordinator-state.ts";
import { type ClientEvent, type JoinOptions, joinFederation, type SocketLike } from "./join.ts";
import { describeModel, protocolVersion, readValues } from "./model-description.ts";
import { classPartition } from "./partition.ts";
import { clientName, type FederationOptions, federationOf } from "./rounds.ts";
import { SecureMember } from "./secure/member.ts";
import { type ServeEvent, type ServeOptions, type Serving, serveFederation } from "./serve.node.ts";
import { simulate } from "./simulate.ts";
import { strategyOf } from "./strategies/index.ts";
import { scaffold } from "./strategies/scaffold.ts";
import { blobNetwork, blobs, blobTraining, clientsOf } from "./testing/blobs.ts";

const data = blobs(96);
const count = 3;
const clients = clientsOf(data, classPartition(data.tensors.y, { clients: count, classesPerClient: 2 }));
const token = "a token of 16 characters or more";
const choices = { recipe: "blobs", seed: 1 };

const cleanups: AbortController[] = [];
afterEach(() => {
  for (const own of cleanups.splice(0)) own.abort();
});

/** A coordinator of some rounds, which keeps its state in memory. */
async function serve(
  federation: FederationOptions,
  { port = 0, state, ...more }: Partial<CoordinatorOptions> & { readonly port?: number } = {},
  options: Partial<ServeOptions> = {},
) {
  const model = blobNetwork({ drops: true });
  const description = describeModel(model);
  const coordinator = new Coordinator({
    ...{ description, values: readValues(model, description), rounds: 3, policy: { clients: count } },
    federation,
    ...more,
    ...(state && { state }),
  });
  const ending = new AbortController();
  cleanups.push(ending);
  const events: ServeEvent[] = [];
  const kept: Uint8Array[] = [];
  const serving = await serveFederation({
    coordinator,
    agreed: { description, strategy: federationOf(federation).strategy, choices },
    token,
    listen: { port },
    save: async (own) => void kept.push(encodeState(own)),
    signal: ending.signal,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  serving.finished.catch(() => undefined);
  return { coordinator, serving, events, kept, ending, port: Number(new URL(serving.url).port) };
}

/** What a client is told otherwise. */
type Otherwise = Partial<Pick<JoinOptions, "begin">> & {
  readonly coordinator?: Partial<JoinOptions["coordinator"]>;
  readonly client?: Partial<JoinOptions["client"]>;
};

/** A client with its part of the data. */
function join({ url }: Pick<Serving, "url">, client: number, { begin, ...otherwise }: Otherwise = {}) {
  const model = blobNetwork({ drops: true });
  let memory: ClientMemory = emptyMemory;
  const events: ClientEvent[] = [];
  const ending = new AbortController();
  cleanups.push(ending);
  const options: JoinOptions = {
    coordinator: {
      connect: () => new WebSocket(url) as SocketLike,
      url,
      token,
      patience: 20,
      ...otherwise.coordinator,
    },
    client: { name: clientName(client, count), model: describeModel(model).hash, choices, ...otherwise.client },
    signal: ending.signal,
    memory: {
      // As a file would have it.
      load: async () => decodeMemory(encodeMemory(memory)),
      save: async (own) => {
        memory = own;
      },
    },
    begin: async (said) => {
      const local = new LocalTraining(model, strategyOf(said));
      const trainer = new Trainer(model, { ...blobTraining, training: { transforms: local.transforms } });
      const own = { data: clients.data(client), samples: clients.samples(client) };
      return { train: (task, memory, signal) => local.run(trainer, task, { ...own, memory, signal }) };
    },
    onEvent: (event) => void events.push(event),
    ...(begin && { begin }),
  };
  return { joined: joinFederation(options), events, ending };
}

/** The values after three rounds in one process. */
async function simulated(federation: FederationOptions) {
  const model = blobNetwork({ drops: true });
  await simulate(model, { ...blobTraining, clients: { ...clients, count }, rounds: 3, federation });
  return readValues(model, describeModel(model));
}

const kinds: Readonly<Record<string, FederationOptions>> = {
  fedAvg: { key: keyOf(2) },
  "scaffold by topK, two clients of three": {
    strategy: scaffold(),
    compression: { encoding: "topK", share: 0.2 },
    share: 0.67,
    localEpochs: 2,
    key: keyOf(3),
  },
  "fedAvg by int8": { compression: { encoding: "int8" }, key: keyOf(4) },
  "scaffold, the coordinator sees the sum alone": { aggregation: secureMean(), strategy: scaffold(), key: keyOf(5) },
};

describe("the rounds on a network come to the bits of the simulation", () => {
  test.each(Object.entries(kinds))("%s", async (_, federation) => {
    const { coordinator, serving, events } = await serve(federation);
    const joined = [2, 0, 1].map((client) => join(serving, client).joined);
    await serving.finished;
    expect(await Promise.all(joined)).toEqual(Array(3).fill({ rounds: 3, reason: "all rounds are done" }));
    expect(coordinator.values).toEqual(await simulated(federation));
    expect(events.filter(({ kind }) => kind === "round")).toHaveLength(3);
    expect(events.filter(({ kind }) => kind === "refused")).toEqual([]);
  });

  test("also when connections break, and the coordinator is lost after any round and goes on from its state", async () => {
    const federation = kinds["scaffold by topK, two clients of three"] as FederationOptions;
    const first = await serve(federation);
    const own = [0, 1, 2].map((client) => join(first.serving, client));
    let { port, kept } = first;
    let last = first;
    for (let broken = 0; broken < 2; broken++) {
      while (last.coordinator.round <= broken) await new Promise((resolve) => setTimeout(resolve, 5));
      last.ending.abort(new Error("killed"));
      await expect(last.serving.finished).rejects.toThrow("killed");
      // What a killed process has on its disk: the state before the round that is under way.
      const state = decodeState(
        kept.findLast((bytes) => decodeState(bytes).history.length <= broken + 1) as Uint8Array,
      );
      last = await serve(federation, { port, state });
      ({ port, kept } = last);
    }
    await last.serving.finished;
    await Promise.all(own.map(({ joined }) => joined));
    expect(last.coordinator.values).toEqual(await simulated(federation));
    expect(own.flatMap(({ events }) => events.filter(({ kind }) => kind === "lost")).length).toBeGreaterThan(0);
  });
});

test("a client that leaves in the middle of a round comes back, and nothing is lost", async () => {
  const federation: FederationOptions = { key: keyOf(2) };
  const { coordinator, serving, events } = await serve(federation);
  const others = [0, 1].map((client) => join(serving, client).joined);
  const gone = join(serving, 2, {
    begin: async () => ({ train: (_, __, signal) => new Promise((___, no) => signal.addEventListener("abort", no)) }),
  });
  while (!gone.events.some(({ kind }) => kind === "training")) await new Promise((resolve) => setTimeout(resolve, 5));
  gone.ending.abort(new Error("gone"));
  await expect(gone.joined).rejects.toThrow("gone");
  while (!events.some(({ kind }) => kind === "left")) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(coordinator.round).toBe(0);
  const back = join(serving, 2).joined;
  await Promise.all([serving.finished, back, ...others]);
  expect(coordinator.values).toEqual(await simulated(federation));
});

describe("of masked updates", () => {
  const federation: FederationOptions = { aggregation: secureMean(), key: keyOf(2) };

  test("a client that is started again in a round has no keys of it, and the round begins again with all", async () => {
    const { coordinator, serving, events } = await serve(federation);
    const others = [0, 1].map((client) => join(serving, client).joined);
    const gone = join(serving, 2, {
      begin: async () => {
        const local = new LocalTraining(blobNetwork({ drops: true }), strategyOf({ name: "fedAvg", settings: {} }));
        const trainer = new Trainer(blobNetwork({ drops: true }), blobTraining);
        const own = { data: clients.data(2), samples: clients.samples(2) };
        return {
          train: async (task, memory, signal) =>
            SecureMember.asks(task)
              ? local.run(trainer, task, { ...own, memory, signal })
              : new Promise((_, no) => signal.addEventListener("abort", no)),
        };
      },
    });
    while (!gone.events.some(({ kind }) => kind === "training")) await new Promise((resolve) => setTimeout(resolve, 5));
    gone.ending.abort(new Error("gone"));
    await expect(gone.joined).rejects.toThrow("gone");
    while (!events.some(({ kind }) => kind === "left")) await new Promise((resolve) => setTimeout(resolve, 5));
    const back = join(serving, 2);
    await Promise.all([serving.finished, back.joined, ...others]);
    expect(back.events.find(({ kind }) => kind === "failed")).toMatchObject({
      reason:
        "this client has no keys of round 1, since it was started after they were asked for; it takes part in the next",
    });
    expect(coordinator.values).toEqual(await simulated(federation));
  });

  test("a client that insists on them sends none to a coordinator that could see it", async () => {
    const { serving, coordinator } = await serve({}, { policy: { clients: 1, updates: 1 }, rounds: 1 });
    const model = blobNetwork({ drops: true });
    const { events, joined } = join(serving, 0, {
      begin: async (said) => {
        const local = new LocalTraining(model, strategyOf(said), { aggregation: secureMean() });
        const trainer = new Trainer(model, { ...blobTraining, training: { transforms: local.transforms } });
        const own = { data: clients.data(0), samples: clients.samples(0) };
        return { train: (task, memory, signal) => local.run(trainer, task, { ...own, memory, signal }) };
      },
    });
    await expect(serving.finished).rejects.toThrow("came in each of 3 tries");
    await joined;
    expect(events.find(({ kind }) => kind === "failed")).toMatchObject({
      reason: expect.stringMatching(/^the coordinator asks for an update that it can see, and this client takes part/),
    });
    expect(coordinator.round).toBe(0);
  });
});

test("a client whose training fails says so, and the round goes on without it", async () => {
  const { coordinator, serving } = await serve({}, { policy: { clients: count, updates: 2 }, rounds: 2 });
  const failing = join(serving, 1, {
    begin: async () => ({
      async train() {
        throw new NonFiniteError("the loss became NaN");
      },
    }),
  });
  await Promise.all([serving.finished, join(serving, 0).joined, join(serving, 2).joined, failing.joined]);
  expect(coordinator.history.map(({ dropped }) => dropped)).toEqual(
    Array(2).fill({ 1: "failed: the loss became NaN" }),
  );
  expect(failing.events).toContainEqual({ kind: "failed", reason: "the loss became NaN" });
});

describe("who may not take part is refused, with what to do", () => {
  test.each<[string, Otherwise, string]>([
    [
      "another token",
      { coordinator: { token: "another token of any length" } },
      "the token is another one; pass the file that the coordinator has",
    ],
    ["another model", { client: { model: "0123" } }, "the client's model is another one (0123, expected"],
    [
      "other options",
      { client: { choices: { ...choices, seed: 2 } } },
      "seed is 2 at the client and 1 at the coordinator; give both the same",
    ],
    [
      "a name that is too long",
      { client: { name: "x".repeat(101) } },
      "sent a message that this version (2) does not know",
    ],
  ])("%s", async (_, more, words) => {
    const { serving, coordinator } = await serve({});
    await expect(join(serving, 0, more).joined).rejects.toThrow(`the coordinator refuses this client: `);
    await expect(join(serving, 0, more).joined).rejects.toThrow(words);
    expect(coordinator.clients).toEqual([]);
  });

  /** What a socket that says this is answered, until it is closed. */
  const answers = (url: string, ...frames: readonly (string | Uint8Array)[]) =>
    new Promise<string[]>((resolve) => {
      const socket = new WebSocket(url);
      const heard: string[] = [];
      socket.on("open", () => {
        for (const frame of frames) socket.send(frame);
      });
      socket.on("message", (data) => heard.push(String(data)));
      socket.on("error", () => undefined);
      socket.on("close", (code) => resolve([...heard, String(code)]));
    });
  const hello = { kind: "hello", protocol: protocolVersion, token, client: "0", model: "none", choices };

  test("another version, words that are none, bytes before hello, and frames that are too large", async () => {
    const { serving, coordinator } = await serve({});
    const { url } = serving;
    const refusal = async (...frames: readonly (string | Uint8Array)[]) => (await answers(url, ...frames)).join(" ");
    expect(await refusal(JSON.stringify({ ...hello, protocol: 9 }))).toContain(
      "speaks version 9 of the messages, expected 2",
    );
    for (const frame of [
      "{",
      "null",
      JSON.stringify({ kind: "hello" }),
      "[".repeat(60_000),
      "x".repeat(100_000),
      new Uint8Array(1000),
    ])
      expect(await refusal(frame)).toContain("does not know; install the same version");
    expect(await refusal(JSON.stringify({ kind: "alive" }))).toContain("a connection begins with hello");
    // 1009: too big.
    expect(await answers(url, new Uint8Array(4_000_000))).toEqual(["1009"]);
    expect(coordinator.clients).toEqual([]);
  });

  test("an update that is none is refused by name, and the connection stays", async () => {
    const { serving, events } = await serve({}, { policy: { clients: 1, updates: 1 }, rounds: 1 });
    const model = describeModel(blobNetwork({ drops: true })).hash;
    const socket = new WebSocket(serving.url);
    const heard: string[] = [];
    socket.on("open", () => socket.send(JSON.stringify({ ...hello, model })));
    socket.on("message", (data, isBinary) => {
      if (isBinary) socket.send(new Uint8Array(10));
      else heard.push(String(data));
    });
    // Three tries of one client, then there is no more to be had of it.
    await expect(serving.finished).rejects.toThrow(FederationError);
    expect(events.filter(({ kind }) => kind === "refused")).toHaveLength(3);
    expect(heard.join()).toContain('the update of client \\"0\\" cannot be read');
    expect(heard.at(-1)).toContain("round 1: 0 updates of at least 1 came in each of 3 tries");
  });

  test("a second connection of one name takes the place of the first", async () => {
    const { serving, coordinator } = await serve({});
    const model = describeModel(blobNetwork({ drops: true })).hash;
    const first = answers(serving.url, JSON.stringify({ ...hello, model }));
    while (coordinator.clients.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = new WebSocket(serving.url);
    second.on("open", () => second.send(JSON.stringify({ ...hello, model })));
    expect((await first).at(-2)).toContain("another client of its name has come");
    expect(coordinator.clients).toEqual(["0"]);
    second.terminate();
  });
});

describe("what cannot be is told", () => {
  test("a port that is taken, a token that is too short, a certificate that is none", async () => {
    const { port } = await serve({});
    await expect(serve({}, { port })).rejects.toThrow(`cannot listen on 127.0.0.1:${port} (EADDRINUSE)`);
    await expect(serve({}, {}, { token: "short" })).rejects.toThrow(OptionError);
    const none = new TextEncoder().encode("none");
    await expect(serve({}, {}, { listen: { port: 0, tls: { cert: none, key: none } } })).rejects.toThrow(
      "the certificate and its key cannot be used",
    );
  });

  test("a coordinator that is not there", async () => {
    const nobody = { url: "ws://127.0.0.1:9/federation" };
    await expect(join(nobody, 0, { coordinator: { patience: 1 } }).joined).rejects.toThrow(
      "the coordinator at ws://127.0.0.1:9/federation could not be reached for 1 s (",
    );
  });
});
