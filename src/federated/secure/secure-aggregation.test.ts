/** Secure aggregation: the mean to rounding, clients that vanish at any moment, what the coordinator holds, and what members refuse. */
import { hexToBytes } from "@noble/hashes/utils.js";
import { combine } from "shamir-secret-sharing";
import { beforeEach, describe, expect, test } from "vitest";
import { FederationError, OptionError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { mean, secureMean } from "../aggregations.ts";
import { maskedVector, type SecureState } from "../collections/secure-collection.ts";
import { Coordinator, type CoordinatorOptions } from "../coordinator.ts";
import { decodeState, encodeState } from "../coordinator-state.ts";
import { decodeTask } from "../messages.ts";
import { describeModel, readValues } from "../model-description.ts";
import { classPartition } from "../partition.ts";
import { simulate } from "../simulate.ts";
import { fedAvg } from "../strategies/fed-avg.ts";
import { scaffold } from "../strategies/scaffold.ts";
import { blobNetwork, blobs, blobTraining, clientsOf } from "../testing/blobs.ts";
import { agreedKey, maskOf } from "./key-agreement.ts";
import { pairPurpose, SecureMember } from "./member.ts";
import { addTo, fromRing, type Ring, toRing } from "./ring.ts";
import { decodeSecure, encodeSecure } from "./secure-messages.ts";

const model = blobNetwork();
const description = describeModel(model);
const values = readValues(model, description);
const names = ["a", "b", "c", "d", "e", "f"];

/** What a client has learned, of its own. */
const changeOf = (name: string) => new Random(keyOf(name.charCodeAt(0))).normals(description.length);
const samplesOf = (name: string) => 10 + name.charCodeAt(0);
const vectorOf = (name: string) => {
  const samples = samplesOf(name);
  return maskedVector({ change: changeOf(name), returned: {}, samples, loss: 0.5 }, samples);
};

let members: Map<string, SecureMember>;
let coordinator: Coordinator;
let now: number;
const make = (more: Partial<CoordinatorOptions> = {}) =>
  new Coordinator({
    ...{ description, values, policy: { clients: 6, updates: 4, seconds: 1 }, id: "here" },
    federation: { aggregation: secureMean() },
    ...more,
  });
async function begin(more: Partial<CoordinatorOptions> = {}) {
  members = new Map(names.map((name) => [name, new SecureMember()]));
  now = 0;
  coordinator = make(more);
  for (const name of names) coordinator.join(name);
  await coordinator.tick(0);
}
beforeEach(() => begin());

/** What a client answers to a question. */
async function answerOf(name: string, question: Uint8Array): Promise<Uint8Array> {
  const member = members.get(name) as SecureMember;
  if (SecureMember.asks(question)) return (await member.answer(description, question)).answer;
  const { round, secure } = decodeTask(description, question, fedAvg());
  if (!secure) throw new Error("the task is of no masked update");
  member.begin(round, secure);
  return member.masked(description, { round, attempt: secure.attempt }, vectorOf(name));
}

/** Lets those that are asked answer, but for some, whose time goes by. */
async function answer(...vanished: readonly string[]) {
  for (const name of coordinator.waiting) {
    if (vanished.includes(name)) continue;
    const bytes = await answerOf(name, coordinator.task(name));
    coordinator.receive(name, bytes);
  }
  if (coordinator.waiting.length > 0) now += 1000;
  await coordinator.tick(now);
}

/** The mean of what some have learned, as the coordinator is to come to. */
const meanOf = (clients: readonly string[]) =>
  mean().combine(clients.map((name) => ({ values: changeOf(name), weight: samplesOf(name) })));

function expectMeanOf(clients: readonly string[]) {
  const expected = meanOf(clients);
  // Values are rounded to 2^-24, and added to those of the model in float32.
  for (const [i, value] of coordinator.values.entries())
    expect(value).toBeCloseTo((values[i] as number) + (expected[i] as number), 6);
  expect(coordinator.history.at(-1)).toMatchObject({
    clients,
    samples: clients.reduce((sum, name) => sum + samplesOf(name), 0),
    loss: 0.5,
  });
}

test("four questions come to the mean, weighted by samples", async () => {
  for (let question = 0; question < 4; question++) {
    expect(coordinator.round).toBe(0);
    await answer();
  }
  expect(coordinator.round).toBe(1);
  expectMeanOf(names);
});

describe("a third of the clients vanishes", () => {
  test.each([
    ["before they have shared keys", 0],
    ["before they have shared secrets", 1],
    ["before they have sent updates", 2],
    ["before they have unmasked the sum", 3],
  ])("%s", async (_, at) => {
    const gone = ["b", "e"];
    const left = names.filter((name) => !gone.includes(name));
    for (let question = 0; question < 4; question++) await answer(...(question >= at ? gone : []));
    expect(coordinator.round).toBe(1);
    expectMeanOf(at === 3 ? names : left);
    expect(coordinator.history[0]?.dropped).toEqual(
      at === 3 ? {} : Object.fromEntries(gone.map((name) => [name, "did not answer in 1 s"])),
    );
  });

  test("one after the other", async () => {
    await answer();
    await answer("a");
    await answer("c");
    await answer();
    expect(coordinator.round).toBe(1);
    expectMeanOf(["b", "d", "e", "f"]);
  });

  test("more begin the round again, and cannot be done without once it is unmasked", async () => {
    await answer();
    await answer();
    await answer("a", "b", "c");
    expect(coordinator.round).toBe(0);
    expect(coordinator.waiting).toEqual(names);
    for (let question = 0; question < 3; question++) await answer();
    for (let wait = 0; wait < 2; wait++) {
      await answer("a", "b", "c");
      expect(coordinator.waiting).toEqual(["a", "b", "c"]);
    }
    await expect(coordinator.tick(now + 1000)).rejects.toThrow(FederationError);
  });
});

test("it goes on from its file after any answer, to the same values", async () => {
  for (let question = 0; question < 4; question++) {
    for (const name of coordinator.waiting) {
      coordinator.receive(name, await answerOf(name, coordinator.task(name)));
      coordinator = make({ state: decodeState(encodeState(coordinator.state())) });
      for (const other of names) coordinator.join(other);
    }
    await coordinator.tick(0);
  }
  expect(coordinator.round).toBe(1);
  expectMeanOf(names);
});

describe("what the coordinator holds", () => {
  const vanished = "c";
  const survivors = names.filter((name) => name !== vanished);
  let state: SecureState;
  /** What the one that vanished sent too late. */
  let late: Uint8Array;
  beforeEach(async () => {
    await answer();
    await answer();
    late = await answerOf(vanished, coordinator.task(vanished));
    await answer(vanished);
    // All that it ever has of a round, before its end.
    for (const name of coordinator.waiting.slice(0, -1)) {
      coordinator.receive(name, await answerOf(name, coordinator.task(name)));
    }
    state = decodeState(encodeState(coordinator.state())).open?.collection as SecureState;
  });

  const secretOf = (of: "seeds" | "keys", name: string) =>
    combine(Object.values(state.revealed).map((own) => hexToBytes(own[of][name] as string)));
  const publicOf = (name: string) => hexToBytes(state.keys[name]?.masking as string);
  const purpose = (a: string, b: string) => pairPurpose({ federation: "here", round: 1, attempt: 0 }, a, b);

  /** A masked update without the masks that the coordinator can make. */
  async function attacked(name: string, masked: Ring): Promise<Float64Array> {
    const rest = masked.slice();
    const elements = rest.length / 2;
    if (name !== vanished) addTo(rest, maskOf(await secretOf("seeds", name), elements), -1);
    const secret = await secretOf("keys", vanished);
    for (const other of name === vanished ? survivors : [vanished]) {
      const mask = maskOf(
        agreedKey(secret, publicOf(name === vanished ? other : name), purpose(name, other)),
        elements,
      );
      addTo(rest, mask, name < other ? -1 : 1);
    }
    return fromRing(rest);
  }

  /** Pearson's statistic of the bytes against even ones: 255 degrees of freedom. */
  function unevenness(bytes: Uint8Array): number {
    const counts = new Float64Array(256);
    for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
    const expected = bytes.length / 256;
    return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  }

  test("is no update, nor what unmasks one, whatever masks it takes away", async () => {
    for (const name of survivors) {
      const own = vectorOf(name);
      const rest = await attacked(name, state.masked[name] as Ring);
      expect(rest.length).toBe(own.length);
      expect(rest.some((value, i) => Math.abs(value - (own[i] as number)) < 1)).toBe(false);
    }
    // Above 400 a byte in 10^7 rows of even ones is. The values themselves are at 10^4 and more.
    const all = Buffer.concat(
      Object.values(state.masked).map((own) => Buffer.from(own.buffer, own.byteOffset, own.byteLength)),
    );
    expect(unevenness(all)).toBeLessThan(400);
    expect(
      unevenness(Buffer.concat(names.map((name) => Buffer.from(toRing(vectorOf(name), 6).buffer)))),
    ).toBeGreaterThan(4000);
  });

  test("are for each client shares of its seed or of its key, never of both, and none of its keys to open shares with", () => {
    for (const { seeds, keys } of Object.values(state.revealed)) {
      expect(Object.keys(seeds).sort()).toEqual(survivors);
      expect(Object.keys(keys)).toEqual([vanished]);
    }
    const text = JSON.stringify(state, (_, value) => (value instanceof Uint32Array ? [...value] : value));
    for (const [, { state: own }] of [...members].map(([name, member]) => [name, member] as const)) {
      for (const secret of [own?.sealing, own?.masking, own?.seed]) expect(text).not.toContain(secret);
      // Shares that it was not told are sealed.
      for (const [client, { seed, key }] of own?.shares ?? [])
        expect(text.includes(client === vanished ? (seed as string) : (key as string))).toBe(false);
    }
  });

  test("is not what comes late of a client whose key it has, which its own mask still covers", async () => {
    expect(() => coordinator.receive(vanished, late)).toThrow(
      'the answer of client "c" is to what it was asked before; it comes too late',
    );
    const masked = new Uint32Array(late.slice(-8 * vectorOf(vanished).length).buffer);
    const rest = await attacked(vanished, masked);
    const own = vectorOf(vanished);
    expect(rest.some((value, i) => Math.abs(value - (own[i] as number)) < 1)).toBe(false);
    // Which is the last of its masks: the key was the right one.
    const ring = toRing([...rest.map((_, i) => own[i] as number)], 6);
    addTo(ring, maskOf(hexToBytes(members.get(vanished)?.state?.seed as string), own.length), 1);
    expect([...fromRing(ring)]).toEqual([...rest]);
  });

  test("is gone with the round, but for the sum", async () => {
    const [last] = coordinator.waiting;
    coordinator.receive(last as string, await answerOf(last as string, coordinator.task(last as string)));
    await coordinator.tick(0);
    expectMeanOf(survivors);
    const { open } = coordinator.state();
    expect(open?.collection).toMatchObject({ question: "keys", keys: {}, shares: {}, masked: {}, revealed: {} });
  });
});

describe("members refuse", () => {
  const said = { client: "a", round: 1, attempt: 0 };
  const ask = (question: Uint8Array) => answerOf("a", question);
  const rosterOf = () => decodeSecure("it", description, "roster", coordinator.task("a"));
  const roster = (change: (members: ReturnType<typeof rosterOf>["members"]) => object[]) =>
    encodeSecure(description, "roster", { ...said, members: change(rosterOf().members) as never });

  test("a list with other keys of theirs, a client twice, or too few", async () => {
    await answer();
    const [first] = rosterOf().members;
    const strange = { ...first, masking: "11".repeat(32) };
    for (const change of [
      (all: object[]) => [strange, ...all.slice(1)],
      (all: object[]) => [...all, all[1] as object],
      (all: object[]) => [...all, { ...all[1], name: "g" }],
      (all: object[]) => all.slice(1),
    ])
      await expect(ask(roster(change))).rejects.toThrow(
        "the coordinator's list of clients has a client or a key twice, or other keys of this client; leave the federation",
      );
    await expect(ask(roster((all) => all.slice(0, 2)))).rejects.toThrow(
      "the coordinator's list of clients has 2, and 3 to 255 can hide one another's updates",
    );
    await ask(coordinator.task("a"));
    await expect(ask(coordinator.task("a"))).rejects.toThrow("came a second time");
  });

  test("a key that everybody knows", async () => {
    await answer();
    // Of order 1 (RFC 7748, sec. 6.1): what it agrees on is zero.
    await expect(
      ask(roster((all) => all.map((own, i) => (i === 3 ? { ...own, sealing: "00".repeat(32) } : own)))),
    ).rejects.toThrow("secure aggregation: a public key is none that is safe; leave that client out");
  });

  test("a task of too few clients, of others, or with shares that were changed", async () => {
    await answer();
    await answer();
    const { secure } = decodeTask(description, coordinator.task("a"), fedAvg());
    const peers = secure?.peers ?? [];
    const member = members.get("a") as SecureMember;
    const task = (own: typeof peers) => () => member.begin(1, { attempt: 0, peers: own });
    expect(task(peers.slice(0, 3))).toThrow("is of 3 clients, and 4 of the 6 are needed, this one among them");
    expect(task(peers.slice(1))).toThrow("this one among them");
    expect(task([...peers, { name: "g", sealed: "00" }])).toThrow('has a client "g" without keys or shares');
    const bent = peers.map(({ name, sealed = "" }) => ({
      name,
      sealed: name === "b" ? `${sealed.slice(0, -2)}${sealed.endsWith("00") ? "11" : "00"}` : sealed,
    }));
    expect(task(bent)).toThrow('what client "b" sealed for this one was changed on its way');
    expect(() => member.begin(2, { attempt: 0, peers })).toThrow("this client has no keys of round 2");
    task(peers)();
    task(peers)();
    expect(task(peers.slice(0, 5))).toThrow("came a second time with other clients");
  });

  test("to unmask twice, with too few, without themselves, and to begin a round again that was unmasked", async () => {
    for (let question = 0; question < 3; question++) await answer();
    const unmask = (survivors: string[]) => ask(encodeSecure(description, "unmask", { ...said, survivors }));
    await expect(unmask(["a", "b", "c"])).rejects.toThrow("names 3 clients, and 4 are needed");
    await expect(unmask(["b", "c", "d", "e"])).rejects.toThrow("this one among them; leave the federation");
    await expect(unmask(["a", "b", "c", "g"])).rejects.toThrow('names "g", which is not of this round');
    const once = await unmask(names);
    expect(await unmask(names)).toEqual(once);
    await expect(unmask(["a", "b", "c", "d"])).rejects.toThrow("came a second time with other names");
    await expect(
      ask(encodeSecure(description, "askKeys", { ...said, attempt: 1, federation: "here" })),
    ).rejects.toThrow("the coordinator begins round 1 again, whose sum was unmasked");
  });
});

describe("the coordinator refuses, by name", () => {
  test("an update of another length, and answers of others", async () => {
    await answer();
    await answer();
    const said = { client: "a", round: 1, attempt: 0 };
    expect(() => coordinator.receive("a", encodeSecure(description, "masked", said, new Uint32Array(8)))).toThrow(
      `the update of client "a": the tensor "masked" is uint64 [4], expected uint64 [${description.length + 2}]; train the coordinator's model`,
    );
    expect(coordinator.waiting).not.toContain("a");
    expect(() => coordinator.receive("b", encodeSecure(description, "masked", said, new Uint32Array(8)))).toThrow(
      'the update of client "b"',
    );
  });

  test("shares that make another secret, since the sum then makes no sense", async () => {
    for (let question = 0; question < 3; question++) await answer();
    for (const name of coordinator.waiting) {
      const said = decodeSecure("it", description, "revealed", await answerOf(name, coordinator.task(name)));
      const { client, round, attempt, keys } = said;
      const seeds = said.seeds.map(({ name, share }) => ({ name, share: `00${share.slice(2)}` }));
      coordinator.receive(name, encodeSecure(description, "revealed", { client, round, attempt, keys, seeds }));
    }
    await expect(coordinator.tick(0)).rejects.toThrow(
      /^the sum of round 1 is of .* samples at 6 clients; one of them sent what is no update, or shares that are none$/,
    );
  });

  test("two clients, and updates that are compressed", async () => {
    await expect(
      begin({ policy: { clients: 6 }, federation: { aggregation: secureMean(), share: 0.3 } }),
    ).rejects.toThrow(
      "secureMean: round 1 has 2 clients, and 3 to 255 can hide one another's updates; let other numbers of clients take part",
    );
    expect(() => make({ federation: { aggregation: secureMean(), compression: { encoding: "int8" } } })).toThrow(
      OptionError,
    );
  });
});

test("a simulation learns what it learns without, to rounding", async () => {
  const data = blobs(96);
  const clients = clientsOf(data, classPartition(data.tensors.y, { clients: 6, classesPerClient: 2 }));
  for (const strategy of [fedAvg(), scaffold()]) {
    const [seen, masked] = [blobNetwork(), blobNetwork()];
    const options = { ...blobTraining, clients, rounds: 5 };
    const plain = await simulate(seen, { ...options, federation: { strategy } });
    const secure = await simulate(masked, { ...options, federation: { strategy, aggregation: secureMean() } });
    const [own, other] = [seen, masked].map((of) => readValues(of, description));
    // Five rounds of roundings to 2^-24, through steps that make them a little larger.
    for (const [i, value] of (own as Float32Array).entries()) expect(other?.[i]).toBeCloseTo(value, 5);
    for (const [i, { loss, samples, clients: names }] of plain.rounds.entries()) {
      expect(secure.rounds[i]).toMatchObject({ samples, clients: names });
      expect(secure.rounds[i]?.loss).toBeCloseTo(loss as number, 5);
    }
  }
});
