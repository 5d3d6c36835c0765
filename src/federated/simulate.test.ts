/** Simulated federations: what a round computes, that it is repeatable, and that a run goes on from any batch. */
import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import type { Callback } from "../train/callbacks/callback.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../train/checkpoint.ts";
import { Trainer } from "../train/engine/trainer.ts";
import { accuracy } from "../train/metrics/classification.ts";
import { adam } from "../train/optimizers/adam.ts";
import { sgd } from "../train/optimizers/sgd.ts";
import { krum, secureMean } from "./aggregations.ts";
import { describeModel, readValues } from "./model-description.ts";
import { classPartition, dirichletPartition } from "./partition.ts";
import type { FederationOptions } from "./rounds.ts";
import { simulate } from "./simulate.ts";
import { fedAdam } from "./strategies/fed-adam.ts";
import { fedAvg } from "./strategies/fed-avg.ts";
import { fedProx } from "./strategies/fed-prox.ts";
import { scaffold } from "./strategies/scaffold.ts";
import { addChange, type Strategy } from "./strategies/strategy.ts";
import { blobNetwork, blobs, blobTraining, clientsOf } from "./testing/blobs.ts";

const data = blobs(96);
const parts = classPartition(data.tensors.y, { clients: 6, classesPerClient: 2 });
const clients = clientsOf(data, parts);
const valuesOf = (model: ReturnType<typeof blobNetwork>) => readValues(model, describeModel(model));

/** Trains a copy of the network on a client's data alone, and gives its values. */
async function alone(client: number, epochs: number) {
  const model = blobNetwork();
  const trainer = new Trainer(model, blobTraining);
  for (let epoch = 0; epoch < epochs; epoch++)
    for await (const batch of clients.data(client).epoch(epoch)) await trainer.step(batch);
  return valuesOf(model);
}

test("a round of FedAvg is the mean of what clients reach alone, buffers too, weighted by samples", async () => {
  const uneven = clientsOf(
    data,
    parts.map((own, i) => own.subarray(0, i === 0 ? 8 : 16)),
  );
  const model = blobNetwork();
  const { rounds } = await simulate(model, {
    ...blobTraining,
    clients: { ...uneven, data: clients.data },
    rounds: 1,
    federation: { localEpochs: 2 },
  });
  const reached = await Promise.all(parts.map((_, client) => alone(client, 2)));
  const samples = parts.map((_, i) => (i === 0 ? 8 : 16));
  const total = samples.reduce((sum, own) => sum + own, 0);
  const expected = valuesOf(blobNetwork()).map((_, i) =>
    reached.reduce((sum, own, client) => sum + ((samples[client] as number) / total) * (own[i] as number), 0),
  );
  // Changes are rounded to float32 before they are averaged.
  for (const [i, value] of valuesOf(model).entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
  expect(rounds).toMatchObject([{ round: 1, clients: ["0", "1", "2", "3", "4", "5"], samples: total, dropped: {} }]);
});

const kinds: Readonly<Record<string, FederationOptions>> = {
  fedAvg: {},
  "fedProx, half of the clients": { strategy: fedProx({ mu: 0.1 }), share: 0.5, localEpochs: 2 },
  "scaffold, half of the clients": { strategy: scaffold(), share: 0.5, localEpochs: 2 },
  "fedAdam by float16": { strategy: fedAdam({ serverRate: 0.05 }), compression: { encoding: "float16" } },
  "scaffold by topK": { strategy: scaffold(), compression: { encoding: "topK", share: 0.3 }, share: 0.5 },
  "a rate that falls": { rate: (round) => 1 / (round + 1) },
  "fedAvg by int8": { compression: { encoding: "int8" } },
  "fedAvg, the coordinator sees the sum alone": { aggregation: secureMean() },
  "scaffold, half of the clients, the sum alone": { aggregation: secureMean(), strategy: scaffold(), share: 0.5 },
};

describe("a run that is saved and resumed after any batch gives the same bits", () => {
  test.each(Object.entries(kinds))("%s", async (_, federation) => {
    const options = { ...blobTraining, clients, rounds: 3, federation: { key: keyOf(5), ...federation } };
    const whole = blobNetwork({ drops: true });
    const saved: Uint8Array[] = [];
    const saving: Callback = {
      name: "saving",
      onBatch: (run) => void saved.push(encodeCheckpoint(run.progress())),
      onEpoch: (run) => void saved.push(encodeCheckpoint(run.progress())),
    };
    const { rounds, history } = await simulate(whole, { ...options, callbacks: [saving] });
    expect(rounds).toHaveLength(3);
    expect(saved.length).toBeGreaterThan(8);
    // In the middle of a client, between two clients, at the end of a round, after it.
    for (const at of [0, 1, 2, 5, 6, Math.floor(saved.length / 2), saved.length - 2]) {
      const model = blobNetwork({ drops: true });
      const resume = decodeCheckpoint(saved[at] as Uint8Array);
      const again = await simulate(model, { ...options, training: { resume } });
      expect(valuesOf(model)).toEqual(valuesOf(whole));
      expect(again.rounds).toEqual(rounds);
      expect(again.history).toEqual(history);
    }
  });
});

test("all strategies learn clients of two classes each", async () => {
  const held = blobs(200, 2).batch(100);
  for (const strategy of [undefined, fedProx(), scaffold(), fedAdam({ serverRate: 0.1 })]) {
    const { history } = await simulate(blobNetwork(), {
      ...blobTraining,
      metrics: [accuracy()],
      validation: held,
      clients,
      rounds: 20,
      federation: { ...(strategy && { strategy }), localEpochs: 2 },
    });
    // Bayes' error of these blobs is 4.5 % (two tails of 2σ).
    expect(history.at(-1)?.["validation_accuracy"]).toBeGreaterThan(0.9);
  }
});

test("clients begin each round without a memory of the optimizer's", async () => {
  const optimizer = () => adam({ learningRate: 0.05 });
  const model = blobNetwork();
  await simulate(model, { ...blobTraining, optimizer: optimizer(), clients: { ...clients, count: 2 }, rounds: 1 });
  const reached = [];
  for (const client of [0, 1]) {
    const own = blobNetwork();
    const trainer = new Trainer(own, { ...blobTraining, optimizer: optimizer() });
    for await (const batch of clients.data(client).epoch(0)) await trainer.step(batch);
    reached.push(valuesOf(own));
  }
  for (const [i, value] of valuesOf(model).entries())
    expect(value).toBeCloseTo(((reached[0]?.[i] as number) + (reached[1]?.[i] as number)) / 2, 5);
});

test("a strategy of your own takes the place of those that are built in", async () => {
  const half: Strategy = {
    ...fedAvg(),
    name: "half",
    advance: ({ values }, { change }) => addChange(values, change, 0.5),
  };
  const [own, plain] = [blobNetwork(), blobNetwork()];
  for (const [model, strategy] of [
    [own, half],
    [plain, fedAvg()],
  ] as const)
    await simulate(model, { ...blobTraining, clients, rounds: 1, federation: { strategy } });
  const start = valuesOf(blobNetwork());
  for (const [i, value] of valuesOf(own).entries())
    expect(value).toBeCloseTo(((start[i] as number) + (valuesOf(plain)[i] as number)) / 2, 6);
});

test("the rate of a round is that of the optimizer times the round's factor, in a schedule of rounds", async () => {
  const rates: number[] = [];
  await simulate(blobNetwork(), {
    ...blobTraining,
    clients: { ...clients, count: 2 },
    rounds: 3,
    federation: { rate: (round) => 1 / (round + 1) },
    callbacks: [{ name: "rates", onBatch: (_, { learningRate }) => void rates.push(learningRate) }],
  });
  expect([...new Set(rates)]).toEqual([0.1, 0.05, 0.1 / 3]);
});

test("1,000 clients fit in one process", async () => {
  const many = blobs(4000);
  const split = dirichletPartition(many.tensors.y, { clients: 1000, alpha: 0.3 });
  const { rounds } = await simulate(blobNetwork(), {
    ...blobTraining,
    clients: clientsOf(many, split),
    rounds: 2,
    federation: { share: 0.02 },
  });
  expect(rounds.map((own) => own.clients.length)).toEqual([20, 20]);
  expect(rounds[0]?.clients).not.toEqual(rounds[1]?.clients);
  expect(rounds[0]?.clients[0]).toHaveLength(3);
});

describe("what makes no sense is refused", () => {
  const run = (federation: FederationOptions, more: object = {}) =>
    simulate(blobNetwork(), { ...blobTraining, clients, rounds: 1, federation, ...more });

  test("SCAFFOLD with momentum or Adam", async () => {
    const strategy = scaffold();
    await expect(run({ strategy }, { optimizer: sgd({ momentum: 0.9 }) })).rejects.toThrow(
      "scaffold: clients train by sgd with momentum, whose steps say nothing of the gradient alone; train them by sgd without momentum",
    );
    await expect(run({ strategy }, { optimizer: adam() })).rejects.toThrow(OptionError);
  });

  test("SCAFFOLD with a robust aggregation, and too few clients for Krum", async () => {
    await expect(run({ strategy: scaffold(), aggregation: krum(1) })).rejects.toThrow(
      "scaffold adds up what all clients return, which krum does not",
    );
    await expect(run({ aggregation: krum(2) })).rejects.toThrow("krum needs 7 updates, and a round draws 6 clients");
  });

  test("a client without data, a model without values, rounds that are no number", async () => {
    const empty = { ...clients, data: () => data.filter(() => true) };
    await expect(run({}, { clients: empty })).rejects.toThrow(DataError);
    await expect(run({}, { rounds: 1.5 })).rejects.toThrow("simulate: rounds is 1.5; pass a whole number from 0");
    await expect(run({ share: 0 })).rejects.toThrow("share is 0; pass a number above 0, at most 1");
  });
});
