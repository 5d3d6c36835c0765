/** Fisher information against values worked by hand, and what merging by it does. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { batchNorm, crossEntropy, dense, meanSquaredError, sequential } from "../../nn/index.ts";
import { fit, sgd } from "../../train/index.ts";
import { average, fisher, fisherInformation, mergeModules, mergeTensors, tensorsOfModule } from "./index.ts";

/** Scores of two classes from one number. */
const scores = (weight: readonly number[], bias: readonly number[]) => {
  const model = dense(2);
  model.trace({ dtype: "float32", shape: [1, 1] });
  for (const [path, parameter] of model.parameters())
    parameter.value = path === "weight" ? tensor(weight.map((own) => [own])) : tensor([...bias]);
  return model;
};

test("the mean of each sample's squared gradients, however they are batched", async () => {
  const model = scores([0, 0], [0, 0]);
  const data = fromTensors({ x: tensor([[1], [2], [-3]]), y: tensor([0, 1, 1], { dtype: "int32" }) });
  // By hand: probabilities are 1/2, gradients of the scores (p − y) = ∓1/2, of the weights x times that: x²/4 and 1/4 on average.
  for (const size of [1, 2, 3]) {
    const { weight, bias } = await fisherInformation(model, data.batch(size, { dropLast: false }), {
      loss: crossEntropy(),
    });
    for (const value of weight?.toNumbers() ?? []) expect(value).toBeCloseTo((1 + 4 + 9) / 4 / 3, 5);
    expect(bias?.toNumbers()).toEqual([0.25, 0.25]);
  }
});

test("the square of a batch's mean gradient is another thing: samples that cancel still count", async () => {
  const model = scores([0, 0], [0, 0]);
  const data = fromTensors({ x: tensor([[1], [1]]), y: tensor([0, 1], { dtype: "int32" }) });
  const { bias } = await fisherInformation(model, data.batch(2), { loss: crossEntropy() });
  expect(bias?.toNumbers()).toEqual([0.25, 0.25]);
});

test("running statistics have none, and are averaged", async () => {
  const made = (seed: number) => {
    const model = sequential([dense(3), batchNorm(), dense(2)]);
    model.initialize(keyOf(seed), { dtype: "float32", shape: [1, 2] });
    return model;
  };
  const models = [made(1), made(2)] as const;
  const data = fromTensors({
    x: tensor([
      [1, 2],
      [3, 4],
    ]),
    y: tensor([0, 1], { dtype: "int32" }),
  }).batch(2);
  const information = [];
  for (const model of models) information.push(await fisherInformation(model, data, { loss: crossEntropy() }));
  const paths = Object.keys(information[0] ?? {});
  expect(paths.some((path) => /running/.test(path))).toBe(false);
  expect(paths.length).toBe(6);
  const before = models.map(tensorsOfModule);
  const byMean = mergeTensors(before, average());
  const merged = mergeModules([...models], fisher({ information }));
  const running = [...merged.parameters()].filter(([, { isBuffer }]) => isBuffer);
  expect(running.length).toBe(2);
  for (const [path, { value }] of running) expect(value?.toNumbers()).toEqual(byMean[path]?.toNumbers());
  expect(merged.parameters().get("layers.0.weight")?.value?.toNumbers()).not.toEqual(
    byMean["layers.0.weight"]?.toNumbers(),
  );
});

test("of two linear models that each saw one column move, it keeps what each knows, where the mean halves it", async () => {
  const random = new Random(keyOf(5));
  const rows = (active: number) =>
    Array.from({ length: 64 }, () => [0, 1].map((column) => (column === active ? random.normal() : 0)));
  const slopes = [2, -3];
  const learned = async (active: number) => {
    const x = rows(active);
    const y = x.map((row) => [
      row.reduce((sum, value, i) => sum + value * (slopes[i] ?? 0), 0) + 0.1 * random.normal(),
    ]);
    const data = fromTensors({ x: tensor(x), y: tensor(y) });
    const model = dense(1);
    model.initialize(keyOf(0), { dtype: "float32", shape: [1, 2] });
    const loss = meanSquaredError();
    await fit(model, data.batch(16), { loss, optimizer: sgd({ learningRate: 0.1 }), epochs: 20 });
    return { model, information: await fisherInformation(model, data.batch(8), { loss }) };
  };
  const [first, second] = [await learned(0), await learned(1)];
  const models = [first.model, second.model].map(tensorsOfModule);
  const error = (weights: readonly number[]) =>
    Math.max(...weights.map((weight, i) => Math.abs(weight - (slopes[i] ?? 0))));
  const byMean = error(mergeTensors(models, average())["weight"]?.toNumbers() ?? []);
  const byFisher = error(
    mergeTensors(models, fisher({ information: [first.information, second.information] }))["weight"]?.toNumbers() ?? [],
  );
  expect(byFisher).toBeLessThan(0.1);
  expect(byMean).toBeGreaterThan(0.5);
});

test("refuses an empty dataset, no loss and batches that nothing reads", async () => {
  const model = scores([0, 0], [0, 0]);
  const [x, y] = [tensor([[1]]), tensor([0], { dtype: "int32" })];
  const none = { epoch: async function* () {} } as never;
  await expect(fisherInformation(model, none, { loss: crossEntropy() })).rejects.toThrow("the dataset is empty");
  await expect(fisherInformation(model, none, {} as never)).rejects.toThrow("fisherInformation: loss is missing");
  await expect(
    fisherInformation(model, fromTensors({ x, y, z: x }).batch(1), { loss: crossEntropy() }),
  ).rejects.toThrow('the batch has "z", which nothing reads');
});
