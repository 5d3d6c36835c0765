/** Training steps in less memory: the same numbers with results computed again, budgets that are met, and those that cannot be. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import type { Value } from "../../graph/ir.ts";
import type { Executable } from "../../jit/compile.ts";
import { engineMemory } from "../../jit/run-memory.ts";
import { CifarResNet } from "../../models/index.ts";
import { Gpt2Model } from "../../models/text/decoders/gpt2.ts";
import { type AnyModule, crossEntropy, dense, dropout, sequential } from "../../nn/index.ts";
import { randomTensor } from "../../nn/testing/check-layer.ts";
import { reshape } from "../../ops/index.ts";
import { sgd } from "../optimizers/index.ts";
import type { MemoryOptions } from "./step-memory.ts";
import { Trainer } from "./trainer.ts";

interface Given {
  readonly model: () => AnyModule;
  readonly batch: Batch;
  /** Modules whose outputs alone are kept. */
  readonly checkpoint?: string;
}

const classesOf = (count: number, classes: number) =>
  tensor(
    Array.from({ length: count }, (_, i) => (5 * i) % classes),
    { dtype: "int32", shape: [count] },
  );
const [texts, length, width] = [2, 64, 32];
const sizes = { vocabulary: 100, positions: length, width, layers: 4, heads: 4, feedForward: 4 * width };
const gpt: Given = {
  model: () => new Gpt2Model({ sizes }),
  batch: {
    x: tensor(
      Array.from({ length: texts * length }, (_, i) => (7 * i) % 100),
      { dtype: "int32", shape: [texts, length] },
    ),
    y: classesOf(texts * length, width),
  },
  checkpoint: "h.*",
};
const resnet: Given = {
  model: () => sequential([new CifarResNet({ blocks: 2, width: 8 }), dropout(0.1)]),
  batch: { x: randomTensor([8, 3, 32, 32], 3), y: classesOf(8, 10) },
  checkpoint: "layers.0.layer*.*",
};
const plain: Given = {
  model: () => sequential([0, 1, 2, 3].flatMap(() => [dense(64, { activation: "gelu" }), dropout(0.3)])),
  batch: { x: randomTensor([32, 48], 1), y: classesOf(32, 64) },
  checkpoint: "layers.*",
};

/** One class for each row of outputs. */
const loss = (scores: Value, classes: Value) =>
  crossEntropy()(reshape(scores, [classes.shape[0] ?? 1, scores.shape.at(-1) ?? 1]), classes);

/** Three steps with their losses, and every parameter and buffer after them; what the steps take, as estimated. */
async function trained({ model, batch }: Given, memory: MemoryOptions) {
  const trainer = new Trainer(model(), { loss, optimizer: sgd({ learningRate: 0.1 }), training: memory });
  const step = await trainer.prepare(batch);
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) losses.push((await trainer.step(batch)).loss);
  const tensors = [...trainer.model.parameters()].map(([path, { value }]) => [path, value?.toNumbers()] as const);
  await trainer.release();
  return { step, losses, tensors, values: engineMemory((step.executables[0] as Executable).graph) };
}

describe.each([
  ["GPT-2 with dropout", gpt],
  ["ResNet with batch normalization", resnet],
  ["dense layers with dropout", plain],
] as const)("%s", (_, given) => {
  test("computes the same numbers in less memory, with modules that are named and within a budget", async () => {
    const usual = await trained(given, {});
    const named = await trained(given, { checkpoint: given.checkpoint });
    expect(named.values).toBeLessThan(0.9 * usual.values);
    expect(named.losses).toEqual(usual.losses);
    expect(named.tensors).toEqual(usual.tensors);

    const most = (await trained(given, { memory: "1TB" })).step.memory;
    expect(most).toMatchObject({ segments: { again: 0 }, addedWork: 0 });
    const room = (most?.bytes ?? 0) - 0.1 * usual.values;
    const fitted = await trained(given, { memory: room });
    expect(fitted.step.memory?.bytes).toBeLessThanOrEqual(room);
    expect(fitted.step.memory?.addedWork).toBeGreaterThan(0);
    expect(fitted.losses).toEqual(usual.losses);
    expect(fitted.tensors).toEqual(usual.tensors);
  });
});

test("a budget that no step meets is refused, with the least and what to do", async () => {
  const trainer = new Trainer(gpt.model(), { loss, optimizer: sgd(), training: { memory: "1MB" } });
  await expect(trainer.prepare(gpt.batch)).rejects.toThrow(
    /^training: the budget of memory is 977 KiB, and a step takes at least [\d.]+ MiB however much is computed again; allow that much, or pass a smaller batch, shorter sequences or smaller images, or train fewer parameters \(freeze, LoRA\)$/,
  );
});

test("modules that there are not, both choices at once and other values are refused", async () => {
  const of = (training: MemoryOptions) => new Trainer(gpt.model(), { loss, optimizer: sgd(), training });
  await expect(of({ checkpoint: ["h.*", "layers.*"] }).prepare(gpt.batch)).rejects.toThrow(
    /^checkpoint names "layers\.\*", and no module of the model has such a path; pass one such as "/,
  );
  expect(() => of({ checkpoint: "h.*", memory: "1GB" })).toThrow(OptionError);
  expect(() => of({ memory: "lots" })).toThrow(/memory .*pass bytes, such as 2e9, "2GB" or "1.5GiB"/);
});

test("scores of many classes are made in pieces where memory is short, with the same gradients but for the order of sums", async () => {
  const scored: Given = {
    model: () => sequential([dense(32), dense(20_000, { bias: false })]),
    batch: { x: randomTensor([128, 16], 5), y: classesOf(128, 20_000) },
  };
  const usual = await trained(scored, {});
  const { bytes = 0 } = (await trained(scored, { memory: "1TB" })).step.memory ?? {};
  const fitted = await trained(scored, { memory: bytes - 0.5 * usual.values });
  expect(fitted.step.memory?.hasPieces).toBe(true);
  for (const [i, own] of usual.losses.entries()) expect(fitted.losses[i]).toBeCloseTo(own, 4);
});
