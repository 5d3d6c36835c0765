/**
 * Training with the device "cuda", in place of whose provider the processor stands: what it is asked for keeps nothing on a card, and comes to
 * what the processor comes to. No test has a card of NVIDIA's.
 */
import type { InferenceSession } from "onnxruntime-common";
import * as ort from "onnxruntime-node";
import { expect, test, vi } from "vitest";
import { Tensor, tensor } from "../../core/tensor.ts";
import { conv2d, crossEntropy, dense, flatten, sequential } from "../../nn/index.ts";
import type { Device } from "../../runtime/session.ts";
import { Trainer } from "../engine/trainer.ts";
import { adam, muon, type Optimizer } from "../optimizers/index.ts";
import { predict } from "../predict.ts";

const asked: InferenceSession.SessionOptions[] = [];

vi.mock("../../runtime/cuda.node.ts", async (original) => {
  const { cudaBackend } = await original<typeof import("../../runtime/cuda.node.ts")>();
  const engine = {
    Tensor: ort.Tensor as never,
    InferenceSession: {
      create(model: Uint8Array, options: InferenceSession.SessionOptions) {
        asked.push(options);
        return ort.InferenceSession.create(model, { ...options, executionProviders: ["cpu"] });
      },
    },
  };
  return { cudaBackend: () => cudaBackend(engine, { platform: "linux", arch: "x64", isInstalled: true }) };
});

const waves = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i) + Math.cos(0.37 * i));
const batch = {
  x: new Tensor("float32", [4, 1, 6, 6], waves(144)),
  y: tensor([0, 1, 2, 1], { dtype: "int32" }),
};

/** What four steps come to. */
async function trained(device: Device, optimizer: Optimizer) {
  const model = sequential([conv2d(4, 3, { activation: "relu" }), flatten(), dense(3)]);
  const compile = { device, threads: 1 };
  const trainer = new Trainer(model, { loss: crossEntropy(), optimizer, training: { compile } });
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) losses.push((await trainer.step(batch)).loss);
  await trainer.sync();
  await trainer.release();
  return { losses, said: (await predict(model, batch.x, compile)).toNumbers() };
}

test.each([
  ["adam", adam({ learningRate: 0.01 })],
  ["muon, of whole matrices", muon({ learningRate: 0.01 })],
])("%s", async (_, optimizer) => {
  const there = await trained("cuda", optimizer);
  const here = await trained("cpu", optimizer);
  // The layouts differ, and with them the order of sums.
  for (const [i, loss] of here.losses.entries()) expect(there.losses[i]).toBeCloseTo(loss, 5);
  for (const [i, number] of here.said.entries()) expect(there.said[i]).toBeCloseTo(number, 4);
  expect(asked.length).toBeGreaterThan(1);
  for (const options of asked) {
    expect(options.executionProviders).toEqual([{ name: "cuda", deviceId: 0 }]);
    expect(options.preferredOutputLocation).toBeUndefined();
  }
});
