/** What is measured does not depend on how the data is cut into batches, nor on labels that do not count. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../core/random.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import { fromTensors } from "../data/pipeline/dataset.ts";
import { batchNorm, crossEntropy, dense, embedding, meanSquaredError, sequential } from "../nn/index.ts";
import { randomTensor } from "../nn/testing/check-layer.ts";
import { evaluate } from "./evaluate.ts";
import { fit } from "./fit.ts";
import { accuracy, confusionMatrix, confusionOf, f1, perplexity } from "./metrics/classification.ts";
import { sgd } from "./optimizers/index.ts";

const labels = (...values: number[]) => tensor(values, { dtype: "int32" });

/** Two sentences with a label at each of six tokens, two with one label alone: batches of two differ in what counts. */
const sentences = {
  x: new Tensor(
    "int32",
    [4, 6],
    Int32Array.from({ length: 24 }, (_, i) => i % 5),
  ),
  y: new Tensor(
    "int32",
    [4, 6],
    Int32Array.from({ length: 24 }, (_, i) => {
      if (i < 12) return (i * 7) % 5;
      return i % 6 === 0 ? 2 : -100;
    }),
  ),
};
const tagger = () => sequential([embedding(5, 4), dense(5)]);

describe.each([
  ["ignored labels", { ignoreIndex: -100 }],
  ["ignored labels and weights of classes", { ignoreIndex: -100, classWeights: [1, 5, 0.5, 2, 1] }],
])("%s", (_, options) => {
  const loss = crossEntropy(options);

  test("one loss comes out of whatever batches", async () => {
    const model = tagger();
    model.initialize(keyOf(0), sentences.x);
    const measured = await Promise.all(
      [1, 2, 3, 4].map(async (size) => {
        const { results } = await evaluate(model, fromTensors(sentences).batch(size), { loss });
        return results["loss"] as number;
      }),
    );
    // Sums in another order: some units in the last place of float32.
    for (const one of measured) expect(one).toBeCloseTo(measured[0] as number, 5);
  });

  test("the loss of an epoch is that of its data, where nothing moves", async () => {
    const model = tagger();
    const { history } = await fit(model, fromTensors(sentences).batch(3), {
      loss,
      optimizer: sgd({ learningRate: 0 }),
      epochs: 1,
    });
    const { results } = await evaluate(model, fromTensors(sentences).batch(4), { loss });
    expect(history[0]?.loss).toBeCloseTo(results["loss"] as number, 5);
  });

  test("two batches of two, accumulated, make the update of one batch of four", async () => {
    const biasAfter = async (size: number, accumulate: number) => {
      const model = tagger();
      await fit(model, fromTensors(sentences).batch(size), {
        loss,
        optimizer: sgd({ learningRate: 1 }),
        epochs: 1,
        training: { accumulate, seed: 1 },
      });
      return Array.from((model.parameters().get("layers.1.bias")?.value?.data ?? []) as Float32Array);
    };
    const [whole, parted] = [await biasAfter(4, 1), await biasAfter(2, 2)];
    for (const [i, value] of parted.entries()) expect(value).toBeCloseTo(whole[i] as number, 5);
  });
});

test("perplexity is e to the loss over the labels that count", async () => {
  const model = tagger();
  model.initialize(keyOf(0), sentences.x);
  const { results } = await evaluate(model, fromTensors(sentences).batch(3), {
    loss: crossEntropy({ ignoreIndex: -100 }),
    metrics: [perplexity({ ignoreIndex: -100 })],
  });
  expect(results["perplexity"]).toBeCloseTo(Math.exp(results["loss"] as number), 4);
});

test.each([-1, -100])("what the loss ignores, label %i, no metric counts", async (ignoreIndex) => {
  const model = sequential([dense(3)]);
  const data = fromTensors({ x: randomTensor([4, 4], 1), y: labels(ignoreIndex, 2, 1, 0) }).batch(4);
  model.initialize(keyOf(0), randomTensor([1, 4], 1));
  const { statistics } = await evaluate(model, data, {
    loss: crossEntropy({ ignoreIndex }),
    metrics: [confusionMatrix(3), accuracy(), f1({ classes: 3 })],
  });
  const matrix = confusionOf(statistics["confusionMatrix"] ?? []);
  expect(matrix.flat().reduce((sum, count) => sum + count, 0)).toBe(3);
  expect(matrix.map((row) => row.reduce((sum, count) => sum + count, 0))).toEqual([1, 1, 1]);
});

test("accuracy of numbers is refused", async () => {
  const data = fromTensors({ x: randomTensor([4, 2], 1), y: randomTensor([4, 1], 2) }).batch(2);
  const model = sequential([dense(1)]);
  model.initialize(keyOf(0), randomTensor([1, 2], 1));
  await expect(evaluate(model, data, { loss: meanSquaredError(), metrics: [accuracy()] })).rejects.toThrow(/accuracy/);
});

test("a last batch of one sample is refused under batch normalization, with what to do", async () => {
  const data = fromTensors({ x: randomTensor([33, 4], 1), y: labels(...new Array<number>(33).fill(0)) });
  const train = (batches: ReturnType<typeof data.batch>) =>
    fit(sequential([dense(6), batchNorm(), dense(3)]), batches, { loss: crossEntropy(), optimizer: sgd(), epochs: 1 });
  await expect(train(data.batch(16))).rejects.toThrow(/1 sample.*batch\(16, \{ dropLast: true \}\)/s);
  const { trainer } = await train(data.batch(16, { dropLast: true }));
  expect(trainer.batches).toBe(2);
});
