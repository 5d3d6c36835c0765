/** Experiments: what a trial reports of a network, and how outcomes are averaged. */
import { describe, expect, test } from "vitest";
import { tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { constantInit, crossEntropy, dense, sequential } from "../../nn/index.ts";
import { accuracy } from "../../train/metrics/classification.ts";
import { averages, type ExperimentTask, type Outcome, runTrial } from "./experiment.ts";

const points = fromTensors({
  x: tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]),
  y: tensor([0, 1, 1, 0], { dtype: "int32" }),
});
const task: ExperimentTask = {
  variants: [],
  train: () => points.batch(2),
  test: points.batch(4),
  loss: crossEntropy(),
  metrics: [accuracy()],
  inputs: { dtype: "float32", shape: [1, 2] },
};
const settings = { epochs: 3, learningRate: 0.05, optimizer: "adam" } as const;
const build = () => sequential([dense(8, { activation: "tanh" }), dense(2)]);

describe("runTrial", () => {
  test("gives results of each epoch, of the test, and gradients of the weights in order", async () => {
    const outcome = await runTrial(task, { series: "tanh", at: 8, build }, { settings, seed: 1 });
    expect(outcome).toMatchObject({ series: "tanh", at: 8, seed: 1, parameters: 2 * 8 + 8 + 8 * 2 + 2 });
    expect(outcome.history).toHaveLength(3);
    expect(outcome.gradients.map((norms) => Object.keys(norms))).toEqual(
      Array(3).fill(["layers.0.weight", "layers.1.weight"]),
    );
    for (const norms of outcome.gradients) for (const norm of Object.values(norms)) expect(norm).toBeGreaterThan(0);
    expect(Object.keys(outcome.test)).toEqual(["loss", "accuracy"]);
    expect(outcome.failure).toBeUndefined();
  });

  test("repeats from the same seed, and differs from another", async () => {
    const of = async (seed: number) => (await runTrial(task, { series: "a", at: 1, build }, { settings, seed })).test;
    const [first, again, other] = [await of(1), await of(1), await of(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test("a loss that is no number is the outcome", async () => {
    const broken = () => sequential([dense(2, { initializer: constantInit(3e38) }), dense(2)]);
    const {
      failure,
      history,
      test: results,
    } = await runTrial(task, { series: "a", at: 1, build: broken }, { settings, seed: 0 });
    expect(failure).toMatch(/not a finite number|NaN|Infinity/);
    expect([history, results]).toEqual([[], {}]);
  });
});

describe("averages", () => {
  const outcome = (series: string, at: number, value: number, failure?: string): Outcome => ({
    series,
    at,
    seed: 0,
    parameters: 0,
    seconds: value,
    history: [],
    test: {},
    gradients: [],
    ...(failure && { failure }),
  });

  test("mean and deviation of each variant, without failed trials", () => {
    const seconds = averages(
      [
        outcome("a", 1, 1),
        outcome("b", 1, 7),
        outcome("a", 1, 3),
        outcome("a", 1, 100, "NaN"),
        outcome("a", 2, 5, "NaN"),
      ],
      (own) => own.seconds,
    );
    expect(seconds).toEqual([
      { series: "a", at: 1, mean: 2, deviation: Math.SQRT2 },
      { series: "b", at: 1, mean: 7, deviation: Number.NaN },
      { series: "a", at: 2, mean: Number.NaN, deviation: Number.NaN },
    ]);
  });
});
