/** Callbacks: which epoch is the best, what a checkpoint keeps of them, and names that would hide one another. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import { dense } from "../../nn/layers/dense.ts";
import { sequential } from "../../nn/layers/sequential.ts";
import { meanSquaredError } from "../../nn/losses/losses.ts";
import { constant, reduceMean, sqrt } from "../../ops/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../checkpoint.ts";
import { allFinite } from "../diagnose.ts";
import { type FitOptions, fit } from "../fit.ts";
import { type Metric, meanAbsoluteErrorMetric, r2 } from "../metrics/metrics.ts";
import { sgd } from "../optimizers.ts";
import { type Callback, earlyStopping } from "./callback.ts";
import { checkpoint, checkpointBest } from "./checkpoint.node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-callbacks-"));
afterAll(() => rmSync(folder, { recursive: true }));

const line = fromTensors({ x: tensor([[1], [2], [3]]), y: tensor([[2], [4], [6]]) }).batch(3);
/** Each epoch is worse than the one before. */
const diverging = {
  loss: meanSquaredError(),
  optimizer: sgd({ learningRate: 0.5 }),
  epochs: 20,
  validation: line,
} satisfies FitOptions;
const network = () => sequential([dense(1, { initializer: "zeros" })]);

test.each([
  ["validation_loss", []],
  ["validation_meanAbsoluteError", [meanAbsoluteErrorMetric()]],
  ["validation_r2", [r2()]],
])("%s is watched in the direction that is better", async (monitor, metrics) => {
  const callbacks = [earlyStopping({ monitor, patience: 2 })];
  expect((await fit(network(), line, { ...diverging, metrics, callbacks })).history).toHaveLength(3);
});

test("a result that is not a number is never the best", async () => {
  const path = join(folder, "best.safetensors");
  const validation = fromTensors({ x: tensor([[Number.NaN]]), y: tensor([[1]]) }).batch(1);
  await fit(network(), line, { ...diverging, epochs: 2, validation, callbacks: [checkpointBest(path)] });
  expect(existsSync(path)).toBe(false);
});

test("a run cut off between early stopping's decision and its end resumes to the same parameters", async () => {
  const saved: Uint8Array[] = [];
  const save: Callback = {
    name: "save",
    onStart: (run) => void saved.push(encodeCheckpoint(run.progress())),
    onEpoch: (run) => void saved.push(encodeCheckpoint(run.progress())),
  };
  const whole = network();
  const { history } = await fit(whole, line, { ...diverging, callbacks: [earlyStopping({ patience: 2 }), save] });
  const valuesOf = (model: typeof whole) => [...model.parameters().values()].map(({ value }) => value?.toArray());
  for (const bytes of saved) {
    const resume = decodeCheckpoint(bytes);
    const again = network();
    const callbacks = [earlyStopping({ patience: 2 })];
    expect((await fit(again, line, { ...diverging, callbacks, training: { resume } })).history).toEqual(history);
    expect(valuesOf(again)).toEqual(valuesOf(whole));
  }
});

test("a checkpoint keeps sums that are not finite, and arrays of callbacks", async () => {
  const infinite: Metric = {
    name: "infinite",
    size: 2,
    update: () => constant(tensor([Number.POSITIVE_INFINITY, Number.NaN])),
    result: ([first = 0]) => first,
    direction: "down",
  };
  let bytes = new Uint8Array();
  const keeping: Callback = {
    name: "keeping",
    state: () => ({ best: Number.NEGATIVE_INFINITY, kept: { a: Float32Array.of(1, 0.1) } }),
    onBatch: (run) => {
      bytes = new Uint8Array(encodeCheckpoint(run.progress()));
    },
  };
  await fit(network(), line, { ...diverging, epochs: 2, metrics: [infinite], callbacks: [keeping] });
  const { history, sums, callbacks, trainer } = decodeCheckpoint(bytes);
  expect(history[0]?.["infinite"]).toBe(Number.POSITIVE_INFINITY);
  expect(sums.statistics).toEqual([[Number.POSITIVE_INFINITY, Number.NaN]]);
  expect(callbacks["keeping"]).toEqual({ best: Number.NEGATIVE_INFINITY, kept: { a: Float32Array.of(1, 0.1) } });
  expect(Object.keys(trainer.tensors)).toEqual(["layers.0.bias", "layers.0.weight"]);
});

test("a gradient that is no longer finite ends the run before it moves a parameter, though the loss still is", async () => {
  const path = join(folder, "infinite.safetensors");
  const options = { ...diverging, loss: (output: Value) => reduceMean(sqrt(output)), callbacks: [checkpoint(path)] };
  const model = network();
  await expect(fit(model, line, options)).rejects.toThrow(
    'epoch 1: the gradient\'s norm became Infinity at batch 1; the first layer with a non-finite gradient is dense "layers.0"',
  );
  expect(existsSync(path)).toBe(false);
  expect(allFinite(model.parameters().get("layers.0.weight")?.value)).toBe(true);
});

test("parameters that are no longer finite replace no checkpoint", async () => {
  const path = join(folder, "poisoned.safetensors");
  const poison: Callback = {
    name: "poison",
    onEpoch(run) {
      const weight = run.model.parameters().get("layers.0.weight")?.value;
      if (weight) weight.data[0] = Number.NaN;
    },
  };
  await expect(fit(network(), line, { ...diverging, callbacks: [poison, checkpoint(path)] })).rejects.toThrow(
    "layers.0.weight holds NaN or Infinity after batch 1",
  );
  expect(existsSync(path)).toBe(false);
});

test("a result that a run does not have is told before its first batch", async () => {
  const callbacks = [earlyStopping({ monitor: "validation_los" })];
  await expect(fit(network(), line, { ...diverging, callbacks })).rejects.toThrow(
    'unknown result "validation_los"; did you mean "validation_loss"?',
  );
  const { validation: _, ...rest } = diverging;
  await expect(fit(network(), line, { ...rest, callbacks: [earlyStopping()] })).rejects.toThrow("Known: loss.");
});

test("names that would hide one another are refused", async () => {
  const callbacks = [earlyStopping(), earlyStopping({ monitor: "loss" })];
  await expect(fit(network(), line, { ...diverging, callbacks })).rejects.toThrow(
    'two callbacks are named "earlyStopping"',
  );
  await expect(fit(network(), line, { ...diverging, metrics: [r2(), r2()] })).rejects.toThrow(
    'two results are named "r2"; rename a metric',
  );
});
