/** Every strategy against its paper's algorithm, written out for linear regression, whose gradient is known. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { fromTensors, type Labelled } from "../../data/pipeline/dataset.ts";
import { dense, meanSquaredError } from "../../nn/index.ts";
import { sgd } from "../../train/optimizers/sgd.ts";
import { describeModel, readValues } from "../model-description.ts";
import { simulate } from "../simulate.ts";
import { fedAdam } from "./fed-adam.ts";
import { fedAvg } from "./fed-avg.ts";
import { fedProx } from "./fed-prox.ts";
import { strategies, strategyOf } from "./index.ts";
import { scaffold } from "./scaffold.ts";
import type { Strategy } from "./strategy.ts";

/** Samples of the clients: y = w x + b with other w and b at each. */
const samples = [
  { x: [1, 2, -1], y: [3, 5, -1] },
  { x: [0.5, -2], y: [-1, 4] },
  { x: [1.5, 1, -0.5, 2], y: [0, 1, 2, -1] },
] as const;
const [rate, steps, rounds] = [0.05, 3, 4];

/** Mean of squares over a client's samples, by weight w and bias b. */
function gradientOf(client: number, [w = 0, b = 0]: readonly number[]): number[] {
  const { x, y } = samples[client] as (typeof samples)[number];
  const off = x.map((own, i) => w * own + b - (y[i] as number));
  const scale = 2 / x.length;
  return [scale * off.reduce((sum, own, i) => sum + own * (x[i] as number), 0), scale * off.reduce((a, c) => a + c, 0)];
}

/** What a client's training changes, each gradient corrected. */
function trained(client: number, start: readonly number[], correct: (w: readonly number[]) => readonly number[]) {
  let w = [...start];
  for (let step = 0; step < steps; step++) {
    const [g, more] = [gradientOf(client, w), correct(w)];
    w = w.map((own, i) => own - rate * ((g[i] as number) + (more[i] as number)));
  }
  return w.map((own, i) => own - (start[i] as number));
}

const zero = () => [0, 0];
const total = samples.reduce((sum, { x }) => sum + x.length, 0);
const weighted = (changes: readonly (readonly number[])[]) =>
  [0, 1].map((i) =>
    changes.reduce((sum, own, c) => sum + ((samples[c]?.x.length ?? 0) / total) * (own[i] as number), 0),
  );
const alike = (changes: readonly (readonly number[])[]) =>
  [0, 1].map((i) => changes.reduce((sum, own) => sum + (own[i] as number) / changes.length, 0));

/** The weight and bias after all rounds, by each paper's algorithm. */
const references: Readonly<Record<string, (start: number[]) => number[]>> = {
  fedAvg(x) {
    for (let r = 0; r < rounds; r++) {
      const change = weighted(samples.map((_, c) => trained(c, x, zero)));
      x = x.map((own, i) => own + (change[i] as number));
    }
    return x;
  },
  fedProx(x) {
    for (let r = 0; r < rounds; r++) {
      const start = x;
      const pull = (w: readonly number[]) => w.map((own, i) => 0.5 * (own - (start[i] as number)));
      const change = weighted(samples.map((_, c) => trained(c, start, pull)));
      x = x.map((own, i) => own + (change[i] as number));
    }
    return x;
  },
  scaffold(x) {
    let server = [0, 0];
    let own = samples.map(zero);
    for (let r = 0; r < rounds; r++) {
      const changes = samples.map((_, c) => trained(c, x, () => server.map((s, i) => s - (own[c]?.[i] as number))));
      const next = changes.map((change, c) =>
        change.map((d, i) => (own[c]?.[i] as number) - (server[i] as number) - d / (steps * rate)),
      );
      const moved = alike(next.map((n, c) => n.map((v, i) => v - (own[c]?.[i] as number))));
      const change = alike(changes);
      x = x.map((v, i) => v + 0.5 * (change[i] as number));
      server = server.map((s, i) => s + (moved[i] as number));
      own = next;
    }
    return x;
  },
  fedAdam(x) {
    let [m, v] = [
      [0, 0],
      [0.01, 0.01],
    ];
    for (let r = 0; r < rounds; r++) {
      const d = weighted(samples.map((_, c) => trained(c, x, zero)));
      m = m.map((own, i) => 0.8 * own + 0.2 * (d[i] as number));
      v = v.map((own, i) => 0.9 * own + 0.1 * (d[i] as number) ** 2);
      x = x.map((own, i) => own + (0.3 * (m[i] as number)) / (Math.sqrt(v[i] as number) + 0.1));
    }
    return x;
  },
};
const own: Readonly<Record<string, Strategy>> = {
  fedAvg: fedAvg(),
  fedProx: fedProx({ mu: 0.5 }),
  scaffold: scaffold({ serverRate: 0.5 }),
  fedAdam: fedAdam({ serverRate: 0.3, beta1: 0.8, beta2: 0.9, tau: 0.1 }),
};

test.each(Object.keys(strategies))("%s computes what its algorithm says", async (name) => {
  const model = dense(1);
  model.initialize(keyOf(1), { dtype: "float32", shape: [1, 1] });
  const description = describeModel(model);
  expect(description.tensors.map(({ path }) => path)).toEqual(["bias", "weight"]);
  const [b = 0, w = 0] = readValues(model, description);
  const column = (values: readonly number[]) => tensor(values.map((value) => [value]));
  const data = samples.map(({ x, y }) => fromTensors<Labelled>({ x: column(x), y: column(y) }));
  await simulate(model, {
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: rate }),
    clients: {
      count: samples.length,
      samples: (c) => samples[c]?.x.length ?? 0,
      data: (c) => (data[c] as (typeof data)[number]).batch(samples[c]?.x.length ?? 1),
    },
    rounds,
    federation: { strategy: own[name] as Strategy, localEpochs: steps },
  });
  const [expectedW = Number.NaN, expectedB = Number.NaN] = references[name]?.([w, b]) ?? [];
  const [biasNow, weightNow] = readValues(model, description);
  // float32 against float64.
  expect(weightNow).toBeCloseTo(expectedW, 5);
  expect(biasNow).toBeCloseTo(expectedB, 5);
});

test("a strategy is its name and its numbers", () => {
  for (const strategy of Object.values(own)) {
    const { name, settings } = strategy;
    expect(strategyOf({ name, settings })).toMatchObject({ name, settings });
  }
  expect(() => strategyOf({ name: "fedAvrg", settings: {} })).toThrow(
    'unknown strategy "fedAvrg"; did you mean "fedAvg"?',
  );
  expect(() => fedProx({ mu: -1 })).toThrow(OptionError);
  expect(() => fedAdam({ beta1: 1 })).toThrow("fedAdam: beta1 is 1; pass a number in [0, 1)");
});
