/** What is read of a model's outputs on its test, and which outputs are left alone. */
import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { type Batch, fromTensors } from "../../data/index.ts";
import type { Dataset } from "../../data/pipeline/dataset.ts";
import { dense } from "../../nn/index.ts";
import type { Task } from "../recipes/recipe.ts";
import { type Ask, judgeClasses, judgeNumbers, outputsOfTest } from "./outputs.ts";

const taskOf = (x: Tensor, y: Tensor, size: number): Task => {
  const data = fromTensors({ x, y }).batch(size, { dropLast: false }) as unknown as Dataset<Batch>;
  return { model: dense(2), inputs: { dtype: "float32", shape: [1, 2] }, train: data, test: data };
};
const echo: Ask = async (inputs) => inputs as Tensor;
const evaluated = (results: Readonly<Record<string, number>>) => ({ samples: 1, results });

describe("classes", () => {
  test("scores become probabilities by a softmax", () => {
    // softmax([0, log 3]) = [1/4, 3/4]
    expect(judgeClasses(tensor([[0, Math.log(3)]]), tensor([0], { dtype: "int32" }))).toEqual([
      { actual: 0, predicted: 1, confidence: expect.closeTo(0.75, 6), loss: expect.closeTo(Math.log(4), 6) },
    ]);
  });

  test("probabilities are taken as they are", () => {
    expect(judgeClasses(tensor([[0.75, 0.25]]), tensor([0], { dtype: "int32" }))).toEqual([
      { actual: 0, predicted: 0, confidence: 0.75, loss: -Math.log(0.75) },
    ]);
  });

  test("a label that counts for nothing is left out", () => {
    expect(judgeClasses(tensor([[1, 2]]), tensor([-1], { dtype: "int32" }))).toEqual([undefined]);
  });

  test("the worst are the wrong ones of the highest loss, over all batches", async () => {
    const x = tensor([
      [0, 1],
      [5, 0],
      [0, 2],
      [0, 9],
    ]);
    const task = taskOf(x, tensor([0, 0, 0, 1], { dtype: "int32" }), 2);
    const outputs = await outputsOfTest(task, echo, evaluated({ accuracy: 0.5 }));
    expect(outputs?.samples.map(({ predicted }) => predicted)).toEqual([1, 0, 1, 1]);
    expect(outputs?.worst.map(({ sample, input }) => [sample, (input as Tensor).toArray()])).toEqual([
      [2, [0, 2]],
      [0, [0, 1]],
    ]);
  });

  test("a model of several inputs is asked for all of them, and they are kept of the wrong samples", async () => {
    const x = tensor([[5], [7]], { dtype: "int32" });
    const mask = tensor([[1], [0]], { dtype: "int32" });
    const data = fromTensors({ x, mask, y: tensor([0, 0], { dtype: "int32" }) }).batch(2) as unknown as Dataset<Batch>;
    const type = { dtype: "int32", shape: [1, 1] } as const;
    const model = { inputs: { x: "required", mask: "optional" } } as unknown as Task["model"];
    const task: Task = { model, inputs: { x: type, mask: type }, train: data, test: data };
    const asked: unknown[] = [];
    const ask: Ask = async (inputs) => {
      asked.push(Object.keys(inputs));
      return tensor([
        [0, 1],
        [1, 0],
      ]);
    };
    const outputs = await outputsOfTest(task, ask, evaluated({ accuracy: 0.5 }));
    expect(asked).toEqual([["x", "mask"]]);
    const [{ input, sample } = { input: {}, sample: -1 }] = outputs?.worst ?? [];
    expect([sample, input]).toEqual([0, { x: tensor([5], { dtype: "int32" }), mask: tensor([1], { dtype: "int32" }) }]);
  });

  test("vectors beside labels are no scores where nothing says so", async () => {
    const task = taskOf(tensor([[1, 2]]), tensor([0], { dtype: "int32" }), 1);
    expect(await outputsOfTest(task, echo, evaluated({ loss: 1 }))).toBe(undefined);
  });
});

describe("numbers", () => {
  test("are judged by their squared error; one that is none is left out", () => {
    expect(judgeNumbers(tensor([[3], [Number.NaN]]), tensor([[1], [1]]))).toEqual([
      { actual: 1, predicted: 3, confidence: Number.NaN, loss: 4 },
      undefined,
    ]);
  });

  test("a logit of two classes is no number", async () => {
    const task = taskOf(tensor([[1], [2]]), tensor([[1], [0]]), 2);
    expect(await outputsOfTest(task, echo, evaluated({ accuracy: 1 }))).toBe(undefined);
    expect((await outputsOfTest(task, echo, evaluated({ loss: 1 })))?.kind).toBe("numbers");
  });
});

test("no more than 2,000 samples are looked at", async () => {
  const x = tensor(Array.from({ length: 2100 }, (_, i) => [i % 2, 0.5]));
  const y = tensor(
    Array.from({ length: 2100 }, () => 0),
    { dtype: "int32" },
  );
  const outputs = await outputsOfTest(taskOf(x, y, 700), echo, evaluated({ accuracy: 0.5 }));
  expect([outputs?.samples.length, outputs?.worst.length]).toEqual([2000, 12]);
});
