/** Models that were really trained, merged: two tasks in one network, and a soup beside its members; settings chosen on validation data. */
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import { loadMnist } from "../../data/index.node.ts";
import { collect, type Dataset, fromTensors, type Labelled, scaleBytes } from "../../data/index.ts";
import { crossEntropy, dense, flatten, sequential } from "../../nn/index.ts";
import { accuracy, adam, evaluate, fit, loadParameters } from "../../train/index.ts";
import {
  greedySoup,
  mergeModules,
  mergeTensors,
  type TensorsByPath,
  taskArithmetic,
  tensorsOfModule,
} from "./index.ts";

const [loss, metrics] = [crossEntropy(), [accuracy()]];

const network = (tensors?: TensorsByPath) => {
  const model = sequential([flatten(), dense(64, { activation: "relu" }), dense(10)]);
  model.initialize(keyOf(0), { dtype: "float32", shape: [1, 1, 28, 28] });
  if (tensors) loadParameters(model, tensors);
  return model;
};
const measure = async (tensors: TensorsByPath, data: Dataset<Labelled>): Promise<number> =>
  (await evaluate(network(tensors), data, { loss, metrics })).results["accuracy"] ?? Number.NaN;

/** Digits that are trained on, that choose, and that are tested once, each pixel changed. */
async function digits(change: (image: Float32Array) => Float32Array) {
  const { train, test: tested } = await loadMnist();
  const part = async (from: typeof train, start: number, end: number) => {
    const rows = from.skip(start).take(end - start);
    const { x, y } = scaleBytes()(await collect(rows));
    const pixels = x.data as Float32Array;
    for (let at = 0; at < pixels.length; at += 784) pixels.set(change(pixels.slice(at, at + 784)), at);
    return fromTensors<Labelled>({ x: x as Tensor, y }).batch(100);
  };
  return {
    train: await part(train, 0, 1500),
    validation: await part(train, 1500, 2000),
    test: await part(tested, 0, 1000),
  };
}

async function trained(data: Dataset<Labelled>, from: TensorsByPath | undefined, epochs: number, learningRate = 0.002) {
  const model = network(from);
  await fit(model, data, { loss, optimizer: adam({ learningRate }), epochs });
  return tensorsOfModule(model);
}

test("task arithmetic of two fine-tunings does each task better than the other's model", {
  timeout: 120_000,
}, async () => {
  const upright = await digits((image) => image);
  const mirrored = await digits((image) => image.map((_, i) => image[28 * Math.floor(i / 28) + 27 - (i % 28)] ?? 0));
  const turned = await digits((image) => image.map((_, i) => image[783 - i] ?? 0));
  const base = await trained(upright.train, undefined, 4);
  const [first, second] = [await trained(mirrored.train, base, 4), await trained(turned.train, base, 4)];
  const merge = (weight: number) =>
    mergeModules([network(first), network(second)], taskArithmetic({ weights: [weight, weight] }), {
      base: network(base),
    });

  // λ by the worse of the two on validation, as Ilharco et al. choose it on held-out data.
  let best = { weight: 0, result: 0 };
  for (const weight of [0.3, 0.5, 0.7, 1]) {
    const tensors = tensorsOfModule(merge(weight));
    const result = Math.min(await measure(tensors, mirrored.validation), await measure(tensors, turned.validation));
    if (result > best.result) best = { weight, result };
  }
  const both = tensorsOfModule(merge(best.weight));
  const row = async (tensors: TensorsByPath) => [
    await measure(tensors, mirrored.test),
    await measure(tensors, turned.test),
  ];
  const table = { base: await row(base), first: await row(first), second: await row(second), both: await row(both) };
  console.log(`task arithmetic, λ ${best.weight}: ${JSON.stringify(table)}`);
  expect(table.both[0]).toBeGreaterThan(table.second[0] ?? 1);
  expect(table.both[1]).toBeGreaterThan(table.first[1] ?? 1);
  expect(Math.min(...table.both)).toBeGreaterThan(Math.max(...table.base));
});

test("a greedy soup of fine-tunings is no worse on validation than its best member", { timeout: 120_000 }, async () => {
  const data = await digits((image) => image);
  const base = await trained(data.train, undefined, 2);
  const models = [];
  for (const learningRate of [0.0005, 0.002, 0.006]) models.push(await trained(data.train, base, 3, learningRate));
  const soup = await greedySoup(models, { validate: (tensors) => measure(tensors, data.validation) });
  expect(soup.result).toBeGreaterThanOrEqual(Math.max(...soup.results));
  expect(await measure(soup.tensors, data.validation)).toBe(soup.result);
  const tested = [await measure(soup.tensors, data.test)];
  for (const model of models) tested.push(await measure(model, data.test));
  console.log(`greedy soup of ${soup.members}: validation ${soup.result} beside ${soup.results}; test ${tested}`);
  // What was trained on from one start lies in one basin: the mean of all works.
  expect(await measure(mergeTensors(models, taskArithmetic({ normalize: true }), { base }), data.test)).toBeGreaterThan(
    0.8,
  );
});
