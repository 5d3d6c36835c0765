/** Baselines of tables against scikit-learn 1.2.1 on its own tables, recorded by scripts/record-baseline-fixtures.py. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DataError, OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fitLogistic } from "../few-shot/logistic.ts";
import { scoreOf, type TableLabels, type TablePart, tableRows } from "./baseline.ts";
import { boostedTrees } from "./boosted-trees.ts";
import { compareTableBaselines } from "./compare.ts";
import { ridge } from "./linear.ts";
import { randomForest } from "./random-forest.ts";

interface Linear {
  readonly weights: readonly number[];
  readonly bias: number | readonly number[];
}
interface RecordedPart {
  readonly x: readonly number[];
  readonly y: readonly number[];
}
interface Recording {
  readonly classes: number;
  readonly features: number;
  readonly logistic?: Readonly<Record<string, Linear>>;
  readonly ridge?: Readonly<Record<string, Linear>>;
  readonly test: Readonly<Record<string, number>>;
  readonly train: RecordedPart;
  readonly validation: RecordedPart;
  readonly "test part": RecordedPart;
}

const tables = Object.fromEntries(
  ["breast-cancer", "diabetes", "iris"].map((name) => {
    const path = new URL(`../../../test/fixtures/baselines/${name}.json`, import.meta.url);
    const recording = JSON.parse(readFileSync(path, "utf8")) as Recording;
    const partOf = ({ x, y }: RecordedPart): TablePart => ({
      x: new Tensor("float32", [y.length, recording.features], Float32Array.from(x)),
      labels:
        recording.classes > 0
          ? { kind: "classes", y: new Tensor("int32", [y.length], Int32Array.from(y)), classes: recording.classes }
          : { kind: "numbers", y: new Tensor("float32", [y.length], Float32Array.from(y)) },
    });
    const { train, validation, "test part": test } = recording;
    return [name, { recording, train: partOf(train), validation: partOf(validation), test: partOf(test) }] as const;
  }),
);
type Table = NonNullable<(typeof tables)[string]>;
const table = (name: string): Table => tables[name] as Table;

/** The mean of a model's scores on the test part with the keys 0 … 4. */
function meanScore({ train, test }: Table, predict: (part: TablePart, seed: number, x: Tensor) => Tensor): number {
  const rows = tableRows("test", test);
  const scores = [0, 1, 2, 3, 4].map((seed) => scoreOf(predict(train, seed, test.x).toNumbers(), rows));
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

describe("linear baselines find scikit-learn's coefficients", () => {
  test.each(["breast-cancer", "iris"])("logistic regression of %s", (name) => {
    const { recording, train } = table(name);
    const rows = tableRows("test", train);
    const classes = Array.from({ length: rows.classes }, (_, c) => c);
    const labelled = { ...rows, classes, places: Int32Array.from(rows.targets) };
    for (const [c, { weights, bias }] of Object.entries(recording.logistic ?? {})) {
      const found = fitLogistic(labelled, 1 / Number(c), { maxIterations: 10_000, tolerance: 1e-9 });
      // Of two classes scikit-learn keeps the second's row.
      const from = found.weights.length - weights.length;
      for (const [i, weight] of weights.entries()) expect(found.weights[from + i]).toBeCloseTo(weight, 4);
      const biases = [bias].flat();
      for (const [i, own] of biases.entries())
        expect(found.bias[found.bias.length - biases.length + i]).toBeCloseTo(own, 4);
    }
  });

  test("ridge regression of diabetes", () => {
    const { recording, train } = table("diabetes");
    const rows = tableRows("test", train);
    const solve = ridge(rows)(rows.targets);
    for (const [alpha, { weights, bias }] of Object.entries(recording.ridge ?? {})) {
      const found = solve(Number(alpha));
      // Coefficients of up to 60; the features are float32.
      for (const [i, weight] of weights.entries()) expect(found.weights[i]).toBeCloseTo(weight, 4);
      expect(found.bias).toBeCloseTo(bias as number, 4);
    }
  });

  test("ridge regression of fewer rows than columns is the limit of many rows'", () => {
    const values = Float64Array.from({ length: 12 }, (_, i) => Math.sin(7 * i + 1));
    const rows = { count: 3, width: 4, values, targets: Float64Array.of(1, -2, 4), classes: 0 };
    const { weights, bias } = ridge(rows)(rows.targets)(0.5);
    // At the minimum the gradient is zero: Xᵀ(Xw + b - y) + α w = 0.
    for (let j = 0; j < 4; j++) {
      let gradient = 0.5 * (weights[j] as number);
      for (let i = 0; i < 3; i++) {
        let error = bias - (rows.targets[i] as number);
        for (let k = 0; k < 4; k++) error += (values[4 * i + k] as number) * (weights[k] as number);
        gradient += error * (values[4 * i + j] as number);
      }
      expect(gradient).toBeCloseTo(0, 10);
    }
  });
});

describe("trees reach what scikit-learn's reach, as means of five seeds", () => {
  const forest = (part: TablePart, seed: number, x: Tensor) =>
    randomForest(part.x, part.labels, { key: keyOf(seed) }).predict(x);
  const boosted =
    (leaves: number) =>
    ({ x, labels }: TablePart, _: number, asked: Tensor) =>
      boostedTrees(x, labels, { leaves }).predict(asked);

  test.each(["breast-cancer", "iris"])("%s: within a point of accuracy", (name) => {
    const { recording } = table(name);
    const close = (found: number, what: string) =>
      expect(Math.abs(found - (recording.test[what] as number)), what).toBeLessThan(0.0101);
    close(meanScore(table(name), forest), "random forest");
    close(meanScore(table(name), boosted(31)), "boosted trees");
    close(meanScore(table(name), boosted(7)), "boosted trees, of 7 leaves");
  });

  test("diabetes: within two hundredths of the error", () => {
    const { recording } = table("diabetes");
    const close = (found: number, what: string) => {
      const wanted = recording.test[what] as number;
      expect(Math.abs(found - wanted) / wanted, `${what}: ${found} for ${wanted}`).toBeLessThan(0.02);
    };
    close(meanScore(table("diabetes"), forest), "random forest");
    close(meanScore(table("diabetes"), boosted(31)), "boosted trees");
    close(meanScore(table("diabetes"), boosted(7)), "boosted trees, of 7 leaves");
  });
});

describe("compareTableBaselines", () => {
  test.each(["breast-cancer", "diabetes", "iris"])("%s: as good as scikit-learn's, chosen alike", async (name) => {
    const { recording, ...parts } = table(name);
    const results = await compareTableBaselines(parts, { seconds: 30 });
    const isClasses = recording.classes > 0;
    expect(results.map((result) => result.name)).toEqual([
      isClasses ? "majority" : "mean",
      isClasses ? "logistic regression" : "ridge regression",
      "k nearest neighbours",
      "random forest",
      "boosted trees",
    ]);
    const scores = Object.fromEntries(results.map((result) => [result.name, result.test]));
    // Chosen of the same candidates by the same rule; a row of slack for distances that float32 rounds to be equal.
    const tolerance = isClasses ? 1.01 / (recording["test part"].y.length as number) : 0.05;
    const near = (name: string, what: string) =>
      expect(Math.abs((scores[name] as number) - (recording.test[what] as number)), what).toBeLessThan(tolerance);
    near(isClasses ? "logistic regression" : "ridge regression", "linear, chosen");
    near("k nearest neighbours", "k nearest neighbours, chosen");
    for (const { metric, settings, seconds } of results) {
      expect(metric).toBe(isClasses ? "accuracy" : "rmse");
      expect(settings).not.toBe("");
      expect(seconds).toBeGreaterThanOrEqual(0);
    }
  });

  test("equal seeds give equal results", async () => {
    const { recording: _, ...parts } = table("iris");
    const measure = async () => (await compareTableBaselines(parts, { seed: 3 })).map(({ seconds: _, ...own }) => own);
    expect(await measure()).toEqual(await measure());
  });

  test("little time is said: fewer rows, fewer trees, or left out", async () => {
    const count = 4000;
    const x = new Tensor(
      "float32",
      [count, 40],
      Float32Array.from({ length: 40 * count }, (_, i) => Math.sin(i * i)),
    );
    const y = new Tensor(
      "int32",
      [count],
      Int32Array.from({ length: count }, (_, i) => Number((x.data[40 * i] as number) > 0)),
    );
    const part: TablePart = { x, labels: { kind: "classes", y, classes: 2 } };
    const began = performance.now();
    const results = await compareTableBaselines({ train: part, validation: part, test: part }, { seconds: 0.2 });
    expect(performance.now() - began).toBeLessThan(5000);
    expect(results).toHaveLength(5);
    // The slowest two at least: what the others manage depends on the computer.
    const cut = results.filter(({ settings }) => /of 4,000 rows|left out/.test(settings));
    expect(cut.length).toBeGreaterThanOrEqual(2);
  });

  test("parts that do not fit, labels and features that are none are refused in a sentence", async () => {
    const labels: TableLabels = { kind: "classes", y: tensor([0, 1], { dtype: "int32" }), classes: 2 };
    const part = { x: tensor([[1], [2]], { dtype: "float32" }), labels };
    const compare = (own: Partial<Record<"train" | "validation" | "test", TablePart>>) =>
      compareTableBaselines({ train: part, validation: part, test: part, ...own });
    const wide = {
      x: tensor([[1, 2]], { dtype: "float32" }),
      labels: { ...labels, y: tensor([0], { dtype: "int32" }) },
    };
    await expect(compare({ test: wide })).rejects.toThrow(
      "compareTableBaselines: test: has 2 features and 2 classes, the training part 1 and 2; pass parts of one table",
    );
    await expect(compare({ test: wide })).rejects.toThrow(ShapeError);
    const missing = { ...part, x: tensor([[1], [Number.NaN]], { dtype: "float32" }) };
    await expect(compare({ train: missing })).rejects.toThrow(
      "train: feature 0 of row 1 is NaN; impute it, or leave the row out",
    );
    const stray = { ...part, labels: { ...labels, y: tensor([0, 2], { dtype: "int32" }) } };
    await expect(compare({ validation: stray })).rejects.toThrow(
      "validation: the label of row 1 is 2; pass classes from 0 to 1",
    );
    await expect(compare({ validation: stray })).rejects.toThrow(DataError);
    await expect(compareTableBaselines({ train: part, validation: part, test: part }, { seconds: 0 })).rejects.toThrow(
      OptionError,
    );
  });
});

describe("trees by hand", () => {
  const labels = (...y: number[]): TableLabels => ({ kind: "classes", y: tensor(y, { dtype: "int32" }), classes: 2 });
  const x = (...rows: number[][]) => tensor(rows, { dtype: "float32" });

  test("a forest learns exclusive or, where no single split helps", () => {
    const corners = x([0, 0], [0, 1], [1, 0], [1, 1]);
    const many = x(...Array.from({ length: 40 }, (_, i) => [i & 1, (i >> 1) & 1]));
    const y = labels(...Array.from({ length: 40 }, (_, i) => (i & 1) ^ ((i >> 1) & 1)));
    expect(randomForest(many, y).predict(corners).toNumbers()).toEqual([0, 1, 1, 0]);
  });

  test("one boosted split of numbers goes a tenth of the way to the means of its sides", () => {
    const y: TableLabels = { kind: "numbers", y: tensor([0, 0, 10, 10], { dtype: "float32" }) };
    const model = boostedTrees(x([1], [2], [3], [4]), y, { rounds: 1, leaves: 2, leastLeaf: 1 });
    // The mean, 5, and 0.1 · ±5; the edge lies at 2.5.
    const found = model.predict(x([2.4], [2.6])).toNumbers();
    expect(found[0]).toBeCloseTo(4.5, 6);
    expect(found[1]).toBeCloseTo(5.5, 6);
  });

  test("one boosted split of classes takes Newton's step", () => {
    const model = boostedTrees(x([1], [2], [3], [4]), labels(0, 0, 1, 1), { rounds: 1, leaves: 2, leastLeaf: 1 });
    // From even odds G / H = (2 · 0.5) / (2 · 0.25) = 2, a tenth of which is 0.2.
    expect(model.scores(x([9])).toNumbers()[1]).toBeCloseTo(1 / (1 + Math.exp(-0.2)), 6);
  });

  test("equal keys give equal forests", () => {
    const { train, test } = table("iris");
    const scores = (seed: number) =>
      randomForest(train.x, train.labels, { key: keyOf(seed), trees: 5 })
        .scores(test.x)
        .toNumbers();
    expect(scores(1)).toEqual(scores(1));
    expect(scores(1)).not.toEqual(scores(2));
  });
});
