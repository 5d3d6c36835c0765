/** What training takes: activations that are kept, and memory by what it holds. */
import { expect, test } from "vitest";
import { conv2d, dense, flatten, sequential } from "../../nn/index.ts";
import { inspect } from "../report/inspect.ts";
import { inspectionOf, networkOf, options, presetNetwork } from "../testing/networks.ts";
import { frozen } from "../what-if/what-if.ts";
import { hardwareOf } from "./hardware.ts";

test("activations kept for the backward pass: what the gradients' rules read", () => {
  // The weights' gradients read the input and the hidden state; ReLU's reads its own output, which is that state.
  const network = networkOf(sequential([dense(32, { activation: "relu" }), dense(10)]), {
    dtype: "float32",
    shape: [16, 64],
  });
  const { cost } = inspectionOf(network);
  const loss = 16 * 10 + 16; // log-probabilities and classes, as numbers of 4 and of 8 bytes
  expect(cost.activationBytes).toBeGreaterThanOrEqual(4 * (16 * 64 + 16 * 32));
  expect(cost.activationBytes).toBeLessThanOrEqual(4 * (16 * 64 + 16 * 32 + loss) + 4 * 16);
});

test("memory to train grows with the batch, that of the weights does not", () => {
  const of = (batch: number) =>
    inspectionOf(
      networkOf(sequential([conv2d(16, 3), flatten(), dense(10)]), { dtype: "float32", shape: [batch, 3, 16, 16] }),
    ).cost;
  const [small, large] = [of(16), of(64)];
  expect(large.memory?.weights).toBe(small.memory?.weights);
  expect(large.memory?.gradients).toBe(small.memory?.gradients);
  const ratio = (large.memory?.activations ?? 0) / (small.memory?.activations ?? 1);
  expect(ratio).toBeGreaterThan(3.5);
  expect(ratio).toBeLessThan(4.1);
});

test("a bound of memory or modules by name take fewer bytes, and more work", () => {
  const network = presetNetwork("gpt2");
  const costOf = (more: object) => inspect(network, { ...options, ...more }).inspection.cost;
  const [usual, named] = [costOf({}), costOf({ checkpoint: "transformer.h.*" })];
  expect(named.memory?.activations).toBeLessThan(0.7 * (usual.memory?.activations ?? 0));
  expect(named.memory?.optimizer).toBe(usual.memory?.optimizer);
  // At most a forward pass more.
  const more = (named.backwardFlops ?? 0) - (usual.backwardFlops ?? 0);
  expect(more).toBeGreaterThan(0);
  expect(more).toBeLessThanOrEqual(usual.forwardFlops ?? 0);

  const memory = (usual.trainingBytes ?? 0) - 0.4 * (usual.memory?.activations ?? 0);
  const bounded = costOf({ memory });
  expect(bounded.trainingBytes).toBeLessThanOrEqual(memory);
  expect(bounded.backwardFlops).toBeGreaterThan(usual.backwardFlops ?? 0);
  expect(() => costOf({ memory: 1e6 })).toThrow(
    /^training: the budget of memory is 977 KiB, and a step takes at least/,
  );
});

test("what-ifs that share a step say the same as one that is asked alone", () => {
  const sgd = { optimizer: { name: "sgd", slots: [] }, precision: "bfloat16" } as const;
  const shared = presetNetwork("lenet5");
  const first = inspect(shared, options).inspection.cost;
  expect(inspect(shared, sgd).inspection.cost).toEqual(inspect(presetNetwork("lenet5"), sgd).inspection.cost);
  expect(inspect(frozen(shared, "*.bias"), options).inspection.cost).toEqual(
    inspectionOf(frozen(presetNetwork("lenet5"), "*.bias")).cost,
  );
  expect(inspect(shared, options).inspection.cost).toEqual(first);
});

test("the time of a step by an accelerator's peak, and no training at all", () => {
  const network = presetNetwork("lenet5");
  const { cost, settings } = inspect(network, { ...options, hardware: hardwareOf("a100") }).inspection;
  // 40 % of 19.5 TFLOP/s in float32 (NVIDIA's data sheet).
  expect(cost.stepSeconds).toBeCloseTo(((cost.forwardFlops ?? 0) + (cost.backwardFlops ?? 0)) / (0.4 * 19.5e12), 12);
  expect(settings.hardware).toBe("a100");
  const { cost: without, parameters } = inspect(network, { ...options, withoutTraining: true }).inspection;
  expect(without).toMatchObject({ trainingBytes: null, backwardFlops: null, stepSeconds: null, macs: cost.macs });
  expect(parameters).toEqual(inspectionOf(network).parameters);
});
