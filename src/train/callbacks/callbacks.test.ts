/** Callbacks: which epoch is the best, what a checkpoint keeps of them, and names that would hide one another. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { allFinite, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import { dense } from "../../nn/layers/dense.ts";
import { sequential } from "../../nn/layers/sequential.ts";
import { meanSquaredError } from "../../nn/losses/losses.ts";
import { constant, reduceMean, sqrt } from "../../ops/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../checkpoint.ts";
import { evaluate } from "../evaluate.ts";
import { fit, type Progress } from "../fit.ts";
import type { FitOptions } from "../fit-options.ts";
import type { Metric } from "../metrics/metric.ts";
import { meanAbsoluteErrorMetric, r2 } from "../metrics/regression.ts";
import { sgd } from "../optimizers/index.ts";
import type { Callback } from "./callback.ts";
import { checkpoint, checkpointBest } from "./checkpoint.node.ts";
import { type CheckpointOptions, checkpointBy } from "./checkpoint.ts";
import { earlyStopping } from "./early-stopping.ts";
import { movingAverage } from "./moving-average.ts";
import { epochText, printProgress } from "./print-progress.ts";

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

test("a measure of validation data as a whole is a result, watched in its direction", async () => {
  const model = network();
  const seen: number[] = [];
  const measures = [
    {
      name: "largest",
      direction: "up",
      measure: async () => {
        seen.push(Number([...model.parameters().values()][0]?.value?.data[0]));
        return -seen.length;
      },
    },
  ] as const;
  const callbacks = [earlyStopping({ monitor: "validation_largest", patience: 2 })];
  const { history } = await fit(model, line, { ...diverging, measures, callbacks });
  expect(history.map(({ validation_largest }) => validation_largest)).toEqual([-1, -2, -3]);
  // Each epoch was measured with its own parameters, and the first was the best.
  expect(new Set(seen).size).toBe(3);
  expect([...model.parameters().values()][0]?.value?.data[0]).toBe(seen[0]);
  const { validation: _, ...without } = diverging;
  await expect(fit(network(), line, { ...without, measures })).rejects.toThrow(/"largest" is measured with the/);
});

test("a run ends when its time is over", async () => {
  const callbacks = [earlyStopping({ patience: 9, seconds: 0 })];
  const { history, stopReason } = await fit(network(), line, { ...diverging, callbacks });
  expect([history.length, stopReason]).toEqual([1, "its 0 seconds are over"]);
});

test("a result that is not a number is never the best", async () => {
  const path = join(folder, "best.safetensors");
  const validation = fromTensors({ x: tensor([[Number.NaN]]), y: tensor([[1]]) }).batch(1);
  await fit(network(), line, { ...diverging, epochs: 2, validation, callbacks: [checkpointBest(path)] });
  expect(existsSync(path)).toBe(false);
});

test("short epochs are saved together: the first, then one a second, and the end", async () => {
  let now = 100;
  const clock: Callback = {
    name: "clock",
    onEpoch() {
      now += 0.4;
    },
  };
  const savedAt = async (options: CheckpointOptions) => {
    const epochs: number[] = [];
    const save = async (bytes: Uint8Array) => void epochs.push(decodeCheckpoint(bytes).epoch);
    const callbacks = [clock, checkpointBy(save, { now: () => now, ...options })];
    await fit(network(), line, { ...diverging, epochs: 6, callbacks });
    return epochs;
  };
  expect(await savedAt({ epochSeconds: 1 })).toEqual([1, 4, 6]);
  expect(await savedAt({})).toEqual([1, 2, 3, 4, 5, 6, 6]);
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
  expect(sums[""]?.statistics).toEqual([[Number.POSITIVE_INFINITY, Number.NaN]]);
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
  expect(allFinite(model.parameters().get("layers.0.weight")?.value ?? tensor(Number.NaN))).toBe(true);
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

test("the best parameters stay though the epochs run out, and a longer run goes on from the last", async () => {
  const options = { ...diverging, epochs: 3 };
  const run = async (epochs: number, resume?: Progress) => {
    const model = network();
    const callbacks = [earlyStopping({ patience: 9 })];
    const result = await fit(model, line, { ...options, epochs, callbacks, training: { resume } });
    return { ...result, weight: model.parameters().get("layers.0.weight")?.value?.item() };
  };
  const three = await run(3);
  expect(three.history[2]?.["validation_loss"]).toBeGreaterThan(three.history[0]?.["validation_loss"] ?? 0);
  // Of the first epoch: 0 + 0.5 · mean(2 · (y - 0) x).
  expect(three.weight).toBeCloseTo((2 + 8 + 18) / 3, 4);
  expect(three.notes).toEqual([]);
  const five = await run(5);
  const longer = await run(5, decodeCheckpoint(encodeCheckpoint(three.progress)));
  expect(longer.history).toEqual(five.history);
  expect(longer.weight).toBe(five.weight);
  expect((await run(3, decodeCheckpoint(encodeCheckpoint(three.progress)))).weight).toBe(three.weight);
});

test("a run that ends on a worse epoch than its best says so", async () => {
  const { notes } = await fit(network(), line, { ...diverging, epochs: 3 });
  expect(notes).toHaveLength(1);
  expect(notes[0]).toMatch(
    /^the run ended with a validation_loss of .*, and had .* after epoch 1 of 3: .*earlyStopping\(\)/,
  );
  const better = { ...diverging, optimizer: sgd({ learningRate: 0.01 }), epochs: 3 };
  expect((await fit(network(), line, better)).notes).toEqual([]);
});

test("averaged weights are measured and delivered, what is trained goes on without them", async () => {
  const options = { ...diverging, optimizer: sgd({ learningRate: 0.05 }) };
  const run = async (epochs: number, average: boolean, resume?: Progress) => {
    const model = network();
    const seen: number[] = [];
    const weight = () => Number(model.parameters().get("layers.0.weight")?.value?.item());
    const watch: Callback = { name: "watch", onBatch: () => void seen.push(weight()) };
    const callbacks = average ? [movingAverage({ decay: 0.5 }), watch] : [watch];
    const result = await fit(model, line, { ...options, epochs, callbacks, training: { resume } });
    return { ...result, seen, weight: weight() };
  };
  const [plain, averaged] = [await run(4, false), await run(4, true)];
  expect(averaged.seen).toEqual(plain.seen);
  const expected = plain.seen.reduce((mean, own, i) => {
    const kept = Math.min(0.5, (2 + i) / (11 + i));
    return i === 0 ? own : kept * mean + (1 - kept) * own;
  }, 0);
  expect(averaged.weight).toBeCloseTo(expected, 5);
  const half = await run(2, true);
  const resumed = await run(4, true, decodeCheckpoint(encodeCheckpoint(half.progress)));
  expect(resumed.weight).toBe(averaged.weight);
  expect(resumed.history).toEqual(averaged.history);
  expect(() => movingAverage({ decay: 1 })).toThrow("decay is 1; pass a number in [0, 1)");
});

test("early stopping with averaged weights keeps the best averages, in either order", async () => {
  const delivered = async (first: boolean) => {
    const model = network();
    const both = [movingAverage({ decay: 0.9 }), earlyStopping({ patience: 2 })];
    const callbacks = first ? both : both.toReversed();
    const { history } = await fit(model, line, { ...diverging, callbacks });
    const { results } = await evaluate(model, line, { loss: meanSquaredError() });
    const best = Math.min(...history.map((results) => results["validation_loss"] ?? 0));
    expect(results["loss"]).toBeCloseTo(best, 4);
    return results["loss"];
  };
  expect(await delivered(true)).toBe(await delivered(false));
});

test("a result that only an objective knows is looked for after the first epoch", async () => {
  const model = network();
  const run = (monitor: string) =>
    fit(model, line, {
      objective: (context, { x, y }) => {
        const loss = meanSquaredError()(model.apply(x, context), y);
        return { loss, figures: { error: loss } };
      },
      optimizer: sgd({ learningRate: 0.01 }),
      epochs: 1,
      callbacks: [earlyStopping({ monitor })],
    });
  expect((await run("error")).history).toHaveLength(1);
  await expect(run("eror")).rejects.toThrow('unknown result "eror"; did you mean "error"?');
});

test("a result that a run does not have is reported before its first batch", async () => {
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

test("printProgress writes a line for each epoch, and for each batch where it is asked to", async () => {
  const lines: string[] = [];
  const options = { loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.01 }), epochs: 2 };
  await fit(dense(1), line, { ...options, callbacks: [printProgress({ write: (text) => lines.push(text) })] });
  expect(lines).toEqual([
    expect.stringMatching(/^Epoch 1\/2 {3}loss \d+\.\d{4}/),
    expect.stringMatching(/^Epoch 2\/2 {3}loss \d+\.\d{4}/),
  ]);
  lines.length = 0;
  const all = printProgress({ write: (text) => lines.push(text), seconds: 0 });
  await fit(dense(1), line, { ...options, epochs: 1, callbacks: [all] });
  expect(lines[0]).toMatch(/^Epoch 1\/1, 100 % {3}loss /);
  expect(lines).toHaveLength(2);
});

test("the pace of an epoch is that of its samples", () => {
  expect(epochText(3, 20, { loss: 0.25, accuracy: 0.5 }, { seconds: 2, samples: 4620 })).toBe(
    "Epoch  3/20   loss 0.2500   accuracy 50.00 %   2,310 samples/s   2.0 s",
  );
});
