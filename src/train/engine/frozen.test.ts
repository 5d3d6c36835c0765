/** A frozen part stays what it was, statistics and all, while another part is trained on it. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import {
  activation,
  batchNorm,
  conv2d,
  crossEntropy,
  dense,
  embedding,
  flatten,
  globalAveragePool,
  sequential,
} from "../../nn/index.ts";
import { randomTensor } from "../../nn/testing/check-layer.ts";
import { fit } from "../fit.ts";
import { sgd } from "../optimizers/index.ts";
import { predict } from "../predict.ts";

const labels = (...values: number[]) => tensor(values, { dtype: "int32" });
const images = randomTensor([32, 1, 8, 8], 1);
/** Of another mean and deviation than initial statistics have. */
const data = fromTensors({
  x: new Tensor(
    "float32",
    images.shape,
    Float32Array.from(images.data as Float32Array, (v) => 4 * v + 5),
  ),
  y: labels(...Array.from({ length: 32 }, (_, i) => i % 2)),
});
const probe = randomTensor([1, 1, 8, 8], 2);

describe.each([
  ["before the first trace", true],
  ["after it", false],
])("features with batch normalization, frozen %s", (_, early) => {
  test("are the same after a new head was trained on them", async () => {
    const features = sequential([conv2d(4, 3), batchNorm(), activation("relu"), globalAveragePool()]);
    const head = dense(2);
    const model = sequential([features, head]);
    if (early) features.freeze();
    model.initialize(keyOf(0), probe);
    if (!early) expect(features.freeze()).toBe(4);
    const before = (await predict(features, probe)) as Tensor;
    const untrained = (await predict(model, probe)) as Tensor;
    const { history } = await fit(model, data.batch(8), {
      loss: crossEntropy(),
      optimizer: sgd({ learningRate: 0.01 }),
      epochs: 3,
    });
    expect(((await predict(features, probe)) as Tensor).toArray()).toEqual(before.toArray());
    expect(((await predict(model, probe)) as Tensor).toArray()).not.toEqual(untrained.toArray());
    expect(history[2]?.loss).toBeLessThan(history[0]?.loss as number);
  });
});

test("an index outside a table is refused with its row, wherever it is fed", async () => {
  const model = sequential([embedding(5, 3), flatten(), dense(2)]);
  const ids = (last: number) => tensor([0, 1, 2, last], { dtype: "int32", shape: [2, 2] });
  const train = (last: number) =>
    fit(model, fromTensors({ x: ids(last), y: labels(0, 1) }).batch(2), {
      loss: crossEntropy(),
      optimizer: sgd(),
      epochs: 1,
    });
  const sentence = /row 1.* is 5, expected a whole number from 0 to 4; its embedding has 5 rows/s;
  await expect(train(5)).rejects.toThrow(sentence);
  await train(4);
  await expect(predict(model, ids(5))).rejects.toThrow(sentence);
  await expect(predict(model, ids(-1))).rejects.toThrow(/is -1, expected/);
});
