/** A page that takes part in a federation, in Chromium, beside a client in Node. Skipped where Chromium is not installed. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import WebSocket from "ws";
import {
  crossEntropy,
  dense,
  federated,
  fromTensors,
  keyOf,
  type Labelled,
  sequential,
  sgd,
  Tensor,
  Trainer,
} from "../src/index.ts";
import { serveFederation } from "../src/node.ts";
import { executablePath, serve, startChromium } from "./chromium.ts";

const token = "a token of 16 characters or more";
const choices = { recipe: "page" };

/** Sixteen points of a client; the page makes its own by the same lines. */
const pointsOf = (client: number) =>
  fromTensors<Labelled>({
    x: new Tensor(
      "float32",
      [16, 2],
      Float32Array.from({ length: 32 }, (_, i) => Math.sin(7 * i + client)),
    ),
    y: new Tensor(
      "int32",
      [16],
      Int32Array.from({ length: 16 }, (_, i) => (i + client) % 2),
    ),
  }).batch(8);

const network = () => {
  const model = sequential([dense(4, { activation: "tanh" }), dense(2)]);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 2] });
  return model;
};

const page = (url: string) => `<!doctype html><script type="module">
import * as s from "./sardonyx/all.js";
const { federated } = s;
const model = s.sequential([s.dense(4, { activation: "tanh" }), s.dense(2)]);
model.initialize(s.keyOf(1), { dtype: "float32", shape: [1, 2] });
const client = 1;
const data = s.fromTensors({
  x: new s.Tensor("float32", [16, 2], Float32Array.from({ length: 32 }, (_, i) => Math.sin(7 * i + client))),
  y: new s.Tensor("int32", [16], Int32Array.from({ length: 16 }, (_, i) => (i + client) % 2)),
}).batch(8);
let memory = federated.emptyMemory;
const joined = await federated.joinFederation({
  coordinator: { url: "${url}", connect: () => new WebSocket("${url}"), token: "${token}", patience: 20 },
  client: { name: "1", model: federated.describeModel(model).hash, choices: ${JSON.stringify(choices)} },
  memory: { load: async () => memory, save: async (own) => { memory = own; } },
  begin: async (said) => {
    const local = new federated.LocalTraining(model, federated.strategyOf(said));
    const optimizer = s.sgd({ learningRate: local.scheduled(0.1) });
    const trainer = new s.Trainer(model, { loss: s.crossEntropy(), optimizer, training: { transforms: local.transforms } });
    return { train: (task, memory, signal) => local.run(trainer, task, { data, samples: 16, memory, signal }) };
  },
}).catch((error) => ({ rounds: 0, reason: String(error) }));
document.title = joined.rounds + " " + joined.reason;
</script>`;

/** A client in this process. */
function joinHere(url: string) {
  const model = network();
  let memory = federated.emptyMemory;
  return federated.joinFederation({
    coordinator: { url, connect: () => new WebSocket(url) as federated.SocketLike, token },
    client: { name: "0", model: federated.describeModel(model).hash, choices },
    memory: {
      load: async () => memory,
      save: async (own) => {
        memory = own;
      },
    },
    begin: async (said) => {
      const local = new federated.LocalTraining(model, federated.strategyOf(said));
      const optimizer = sgd({ learningRate: local.scheduled(0.1) });
      const trainer = new Trainer(model, {
        loss: crossEntropy(),
        optimizer,
        training: { transforms: local.transforms },
      });
      return {
        train: (task, memory, signal) => local.run(trainer, task, { data: pointsOf(0), samples: 16, memory, signal }),
      };
    },
  });
}

test.skipIf(executablePath === undefined)(
  "a page and a process learn together what a simulation does",
  async () => {
    const strategy = federated.scaffold();
    const model = network();
    const description = federated.describeModel(model);
    const coordinator = new federated.Coordinator({
      ...{ description, values: federated.readValues(model, description), rounds: 3 },
      federation: { strategy, localEpochs: 2 },
      policy: { clients: 2 },
    });
    const { url, finished } = await serveFederation({
      coordinator,
      agreed: { description, strategy, choices },
      token,
      listen: { port: 0 },
      save: async () => undefined,
    });
    const folder = mkdtempSync(join(tmpdir(), "sardonyx-page-"));
    cpSync("dist/web", join(folder, "sardonyx"), { recursive: true });
    writeFileSync(join(folder, "index.html"), page(url));
    const [served, browser] = await Promise.all([serve(folder), startChromium()]);
    try {
      const opened = await browser.newPage();
      await opened.goto(served.address);
      expect(await joinHere(url)).toEqual({ rounds: 3, reason: "all rounds are done" });
      await expect.poll(() => opened.title(), { timeout: 30_000 }).toBe("3 all rounds are done");
      await finished;
    } finally {
      await browser.close();
      served.close();
      rmSync(folder, { recursive: true });
    }
    const alone = network();
    await federated.simulate(alone, {
      loss: crossEntropy(),
      optimizer: sgd({ learningRate: 0.1 }),
      clients: { count: 2, samples: () => 16, data: pointsOf },
      rounds: 3,
      federation: { strategy, localEpochs: 2 },
    });
    // The page's engine, WebAssembly, sums in another order.
    const expected = federated.readValues(alone, description);
    for (const [i, value] of coordinator.values.entries()) expect(value).toBeCloseTo(expected[i] as number, 5);
    expect(expected).not.toEqual(federated.readValues(network(), description));
  },
  90_000,
);
