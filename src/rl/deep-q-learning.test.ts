/** Deep Q-learning on corridors small enough to know every value. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { QNetwork } from "../models/tables/q-network.ts";
import { dense, huber, sequential } from "../nn/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../train/checkpoint.ts";
import { fit, type Progress } from "../train/fit.ts";
import { adam } from "../train/optimizers/index.ts";
import { predict } from "../train/predict.ts";
import { bestOf, deepQLearning } from "./deep-q-learning.ts";
import type { Environment } from "./environment.ts";

/** Five places in a row; action 1 goes right, 0 left; a reward of 1 at the right end. */
const corridor: Environment = {
  actions: 2,
  starts: [0],
  patience: 30,
  step(state, action) {
    const next = Math.max(0, state + (action === 1 ? 1 : -1));
    return { state, action, reward: next === 4 ? 1 : 0, next, done: next === 4 };
  },
  observe: (states) =>
    new Tensor(
      "float32",
      [states.length, 5],
      Float32Array.from(states.flatMap((state) => [0, 1, 2, 3, 4].map((i) => Number(i === state)))),
    ),
};

function learner({ double = false, dueling = false } = {}) {
  const model = new QNetwork({ body: sequential([dense(16, { activation: "relu" })]), actions: 2, dueling });
  const { train, callback } = deepQLearning({
    environment: corridor,
    model,
    batchSize: 32,
    updates: 50,
    key: keyOf(1),
    epsilon: (update) => Math.max(0.2, 1 - update / 200),
    settings: { discount: 0.9, double, copyEvery: 20, agents: 4, capacity: 500, warmup: 100 },
  });
  const options = { loss: huber(), optimizer: adam({ learningRate: 0.01 }), callbacks: [callback] };
  return { model, train, callback, options };
}

describe.each([
  ["plain", {}],
  ["double", { double: true }],
  ["dueling", { dueling: true }],
])("%s", (_, heads) => {
  test("finds the values of Bellman's equation", async () => {
    const { model, train, options } = learner(heads);
    await fit(model, train, { ...options, epochs: 12 });
    const values = await predict(model, corridor.observe([0, 1, 2, 3]));
    for (const state of [0, 1, 2, 3]) {
      expect(bestOf(values, state)).toBe(1);
      // γ^(3 - s) to the right; to the left one step farther off, from the first place none.
      expect(values.data[2 * state + 1]).toBeCloseTo(0.9 ** (3 - state), 1);
      expect(values.data[2 * state]).toBeCloseTo(0.9 ** (state === 0 ? 4 : 5 - state), 1);
    }
  });
});

test("a stopped run goes on bit for bit: memory, episodes and target network are in the checkpoint", async () => {
  const weights = ({ model }: ReturnType<typeof learner>) =>
    [...model.parameters()].map(([path, { value }]) => [path, ...(value?.data ?? [])]);
  const whole = learner();
  await fit(whole.model, whole.train, { ...whole.options, epochs: 3 });

  const stopped = learner();
  let saved: Uint8Array = new Uint8Array();
  const stop = {
    name: "stop",
    onBatch: (run: { trainer: { batches: number }; stop(why: string): void; progress(): Progress }) => {
      if (run.trainer.batches !== 77) return;
      saved = encodeCheckpoint(run.progress());
      run.stop("enough");
    },
  };
  await fit(stopped.model, stopped.train, { ...stopped.options, epochs: 3, callbacks: [stopped.callback, stop] });
  expect(weights(stopped)).not.toEqual(weights(whole));

  const resumed = learner();
  await fit(resumed.model, resumed.train, {
    ...resumed.options,
    epochs: 3,
    training: { resume: decodeCheckpoint(saved) },
  });
  expect(weights(resumed)).toEqual(weights(whole));
});
