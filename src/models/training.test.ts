/** A small training step: the loss is finite, and every parameter and buffer takes part. */
import { expect, test } from "vitest";
import { tensor } from "../core/tensor.ts";
import { crossEntropy } from "../nn/index.ts";
import { randomTensor } from "../nn/testing/check-layer.ts";
import { Trainer } from "../train/engine/trainer.ts";
import { sgd } from "../train/optimizers/index.ts";
import { gradientNorms } from "../train/transforms/index.ts";
import { BasicBlock, ResNet } from "./index.ts";

test("resnet18 on images of 32x32", async () => {
  const model = new ResNet({ block: BasicBlock, stages: [2, 2, 2, 2], classes: 10 });
  const batch = { x: randomTensor([4, 3, 32, 32], 2), y: tensor([0, 3, 5, 9], { dtype: "int32" }) };
  const trainer = new Trainer(model, {
    loss: crossEntropy(),
    optimizer: sgd({ learningRate: 0.01 }),
    training: { transforms: [gradientNorms()] },
  });
  const { loss, reports } = await trainer.step(batch);
  const norms = reports["gradientNorms"] ?? {};
  // The features are normalized, so that the loss is near that of a guess, log 10 = 2.3, and far from 10.
  expect(loss).toBeGreaterThan(0);
  expect(loss).toBeLessThan(10);
  const trainable = [...model.parameters()].filter(([, parameter]) => parameter.trainable).map(([path]) => path);
  expect(Object.keys(norms).sort()).toEqual(trainable.sort());
  expect(Object.entries(norms).filter(([, norm]) => !(norm > 0 && Number.isFinite(norm)))).toEqual([]);
  const means = [...model.parameters()].filter(([path]) => path.endsWith("running_mean"));
  expect(means).toHaveLength(20);
  expect(means.every(([, { value }]) => value?.toNumbers().some(Boolean))).toBe(true);
});
