/**
 * Classifiers of features against values by hand and scikit-learn 1.2.1. Its numbers are of `features` and `queries` below:
 * LogisticRegression(C=1/λ, solver="newton-cg", tol=1e-12, max_iter=100000), NearestCentroid(), KNeighborsClassifier(k, metric=…).
 */
import { describe, expect, test } from "vitest";
import { DataError, OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { dense, sequential } from "../../nn/index.ts";
import { activations, predict } from "../predict.ts";
import { featuresOf } from "./features.ts";
import { linearProbe } from "./linear-probe.ts";
import { minimize } from "./minimize.ts";
import { nearestNeighbours } from "./nearest-neighbours.ts";
import { prototypes } from "./prototypes.ts";
import { episodes, sampleShots } from "./shots.ts";

const table = (rows: number, of: (i: number, j: number) => number) =>
  tensor(Array.from({ length: rows }, (_, i) => Array.from({ length: 4 }, (_, j) => of(i, j))));
const features = table(24, (i, j) => Math.sin(1.7 * i + 2.3 * j + 0.5 * (i % 3) * j));
const labels = tensor(Array.from({ length: 24 }, (_, i) => i % 3));
const queries = table(9, (i, j) => Math.cos(1.1 * i + 0.9 * j + 0.5 * (i % 3) * j));

function close(found: Tensor, expected: readonly number[], digits = 5): void {
  const numbers = found.toNumbers();
  for (const [i, value] of expected.entries()) expect(numbers[i]).toBeCloseTo(value, digits);
}

describe("prototypes", () => {
  test("by hand: means, negative squared distances, the nearest", () => {
    const found = prototypes(
      tensor([
        [0, 0],
        [0, 2],
        [4, 4],
      ]),
      tensor([3, 3, 7]),
    );
    expect(found.classes).toEqual([3, 7]);
    expect(found.means.toArray()).toEqual([
      [0, 1],
      [4, 4],
    ]);
    expect(
      found
        .scores(
          tensor([
            [1, 1],
            [3, 3],
          ]),
        )
        .toArray(),
    ).toEqual([
      [-1, -18],
      [-13, -2],
    ]);
    expect(
      found
        .predict(
          tensor([
            [1, 1],
            [3, 3],
          ]),
        )
        .toNumbers(),
    ).toEqual([3, 7]);
    expect(
      found.accuracy(
        tensor([
          [1, 1],
          [3, 3],
        ]),
        tensor([3, 3]),
      ),
    ).toBe(0.5);
  });

  test("by angle: the length does not count", () => {
    const found = prototypes(
      tensor([
        [1, 0],
        [0, 10],
      ]),
      tensor([0, 1]),
      { distance: "cosine" },
    );
    close(
      found.scores(
        tensor([
          [5, 5],
          [3, 0],
          [0, 0],
        ]),
      ),
      [Math.SQRT1_2 - 1, Math.SQRT1_2 - 1, 0, -1],
    );
    expect(
      found
        .predict(
          tensor([
            [9, 1],
            [1, 2],
          ]),
        )
        .toNumbers(),
    ).toEqual([0, 1]);
  });

  test("scikit-learn's NearestCentroid", () => {
    const found = prototypes(features, labels);
    expect(found.predict(queries).toNumbers()).toEqual([2, 1, 2, 1, 0, 1, 2, 1, 2]);
    const cosine = prototypes(features, labels, { distance: "cosine" });
    expect(cosine.predict(queries).toNumbers()).toEqual([2, 1, 2, 0, 0, 1, 2, 1, 2]);
  });
});

describe("nearest neighbours", () => {
  test("by hand, with ties", () => {
    const found = nearestNeighbours(tensor([[0], [2], [10], [12]]), tensor([1, 0, 1, 0]), { neighbours: 2 });
    expect(found.scores(tensor([[1], [11]])).toArray()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    expect(found.predict(tensor([[1]])).toNumbers()).toEqual([0]);
    // Equally far from 0 and 2: the earlier sample.
    const one = nearestNeighbours(tensor([[0], [2]]), tensor([1, 0]), { neighbours: 1 });
    expect(one.predict(tensor([[1]])).toNumbers()).toEqual([1]);
    expect(() => nearestNeighbours(tensor([[0], [2]]), tensor([1, 0]), { neighbours: 3 })).toThrow("pass 2 at most");
  });

  test.each([
    [1, "euclidean", [2, 1, 1, 2, 0, 0, 2, 1, 0], [0, 0, 1, 0, 1, 0, 0, 1, 0]],
    [3, "euclidean", [2, 1, 0, 2, 0, 0, 2, 1, 0], [0, 1 / 3, 2 / 3, 1 / 3, 2 / 3, 0, 2 / 3, 1 / 3, 0]],
    [5, "euclidean", [2, 0, 0, 2, 0, 0, 2, 1, 0], [0, 0.4, 0.6, 0.4, 0.4, 0.2, 0.4, 0.2, 0.4]],
    [1, "cosine", [2, 0, 0, 2, 0, 0, 2, 0, 0], [0, 0, 1, 1, 0, 0, 1, 0, 0]],
    [3, "cosine", [2, 1, 0, 2, 0, 0, 2, 1, 0], [0, 0, 1, 1 / 3, 2 / 3, 0, 2 / 3, 1 / 3, 0]],
    [5, "cosine", [2, 0, 0, 2, 0, 0, 2, 0, 0], [0, 0.2, 0.8, 0.4, 0.4, 0.2, 0.6, 0.2, 0.2]],
  ] as const)("scikit-learn's KNeighborsClassifier: %i, %s", (neighbours, distance, predicted, shares) => {
    const found = nearestNeighbours(features, labels, { neighbours, distance });
    expect(found.predict(queries).toNumbers()).toEqual(predicted);
    close(found.scores(queries), shares);
  });
});

describe("linear probe", () => {
  // decision_function of the first two queries, intercept_, coef_[0], predict
  test.each([
    [
      0.1,
      [1.07764, -0.748551, -0.329089, -0.541703, 0.277287, 0.264416],
      [-0.058622, 0.025305, 0.033318],
      [0.051236, 0.507551, -0.430132, -0.743084],
      [0, 1, 1, 1, 0, 0, 0, 1, 1],
    ],
    [
      1,
      [0.311312, -0.244484, -0.066828, -0.43312, 0.296127, 0.136993],
      [-0.025725, 0.012162, 0.013562],
      [-0.166384, 0.293022, -0.115381, -0.326368],
      [0, 1, 2, 1, 0, 0, 0, 1, 2],
    ],
    [
      10,
      [0.018772, -0.027295, 0.008523, -0.138913, 0.09915, 0.039764],
      [-0.002704, 0.002759, -5.5e-5],
      [-0.103048, 0.097406, -0.032128, -0.062689],
      [0, 1, 2, 1, 0, 1, 0, 1, 0],
    ],
  ])("scikit-learn's LogisticRegression, λ = %f", (strength, logits, bias, weights, predicted) => {
    const probe = linearProbe(features, labels, { strengths: [strength], tolerance: 1e-9 });
    close(probe.scores(queries), logits);
    close(probe.bias, bias);
    close(probe.weights, weights);
    expect(probe.predict(queries).toNumbers()).toEqual(predicted);
    expect([probe.strength, probe.trials]).toEqual([strength, []]);
  });

  test("cross-validation by accuracy, then loss: scikit-learn's in the same folds", () => {
    // The i-th sample of a class is held out in fold i mod 4; hits of 24, and the mean of -log predict_proba.
    const trials = [
      [0.01, 6, 1.549956],
      [0.1, 7, 1.4977],
      [1, 7, 1.373189],
      [10, 7, 1.202621],
      [100, 6, 1.114118],
    ] as const;
    const probe = linearProbe(features, labels, { strengths: trials.map(([own]) => own), folds: 4, tolerance: 1e-9 });
    expect(probe.strength).toBe(10);
    for (const [i, [strength, hits, loss]] of trials.entries()) {
      expect(probe.trials[i]).toMatchObject({ strength, accuracy: hits / 24 });
      expect(probe.trials[i]?.loss).toBeCloseTo(loss, 5);
    }
    expect(probe.scores(queries).toNumbers()).toEqual(
      linearProbe(features, labels, { strengths: [10], tolerance: 1e-9 })
        .scores(queries)
        .toNumbers(),
    );
  });

  test("the search goes from decades to eighths of one, around the best", () => {
    const probe = linearProbe(features, labels, { maxIterations: 100 });
    const exponents = probe.trials.map(({ strength }) => Math.log10(strength));
    for (const coarse of [-6, -4, -2, 0, 2, 4, 6]) expect(exponents).toContain(coarse);
    expect(exponents.length).toBeLessThanOrEqual(7 + 2 * 4);
    expect(Math.log10(probe.strength) * 8).toBeCloseTo(Math.round(Math.log10(probe.strength) * 8), 6);
    const most = Math.max(...probe.trials.map(({ accuracy }) => accuracy));
    expect(probe.trials.find(({ strength }) => strength === probe.strength)?.accuracy).toBe(most);
  });

  test("validation data chooses, and is learned from then", () => {
    const validation = { features: gatherRows(features, [0, 1, 2, 3]), labels: gatherRows(labels, [0, 1, 2, 3]) };
    const rest = Array.from({ length: 20 }, (_, i) => i + 4);
    const [own, ownLabels] = [gatherRows(features, rest), gatherRows(labels, rest)];
    const probe = linearProbe(own, ownLabels, { strengths: [0.1, 10], validation, tolerance: 1e-9 });
    expect(probe.trials).toHaveLength(2);
    const all = linearProbe(features, labels, { strengths: [probe.strength], tolerance: 1e-9 });
    close(probe.scores(queries), all.scores(queries).toNumbers());
    const stray = { ...validation, labels: tensor([0, 1, 2, 9]) };
    expect(() => linearProbe(own, ownLabels, { validation: stray })).toThrow("validation has the label 9");
  });

  test("one sample of each class: nothing to validate", () => {
    const probe = linearProbe(
      tensor([
        [1, 0],
        [0, 1],
      ]),
      tensor([0, 1]),
    );
    expect([probe.strength, probe.trials]).toEqual([1, []]);
    expect(
      probe
        .predict(
          tensor([
            [3, 1],
            [1, 2],
          ]),
        )
        .toNumbers(),
    ).toEqual([0, 1]);
  });

  test("L-BFGS finds the minimum of Rosenbrock's valley, (1, 1)", () => {
    const found = minimize(
      ([x = 0, y = 0]) => ({
        value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
        gradient: Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
      }),
      Float64Array.of(-1.2, 1),
      { maxIterations: 200, tolerance: 1e-10 },
    );
    expect(found[0]).toBeCloseTo(1, 8);
    expect(found[1]).toBeCloseTo(1, 8);
  });
});

describe("shots", () => {
  const many = tensor(Array.from({ length: 120 }, (_, i) => i % 3));

  test.each([1, 2, 16, 32, 40])("%i of each class, none of them in the rest, the same again", (shots) => {
    const { support, rest } = sampleShots(many, shots, keyOf(1));
    expect(sampleShots(many, shots, keyOf(1)).support).toEqual(support);
    const drawn = Array.from(support, (i) => i % 3);
    for (const label of [0, 1, 2]) expect(drawn.filter((own) => own === label)).toHaveLength(shots);
    expect([...support, ...rest].sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, i) => i));
    if (shots < 40) expect(sampleShots(many, shots, keyOf(2)).support).not.toEqual(support);
  });

  test("fewer are among more", () => {
    const [few, more] = [sampleShots(many, 2, keyOf(1)).support, new Set(sampleShots(many, 8, keyOf(1)).support)];
    expect([...few].every((i) => more.has(i))).toBe(true);
  });

  test("too many, none, and no labels", () => {
    expect(() => sampleShots(tensor([0, 0, 1]), 2, keyOf(1))).toThrow("class 1 has 1 of 2 samples");
    expect(() => sampleShots(many, 0, keyOf(1))).toThrow(OptionError);
    expect(() => sampleShots(tensor([0.5]), 1, keyOf(1))).toThrow(DataError);
    expect(() => sampleShots(tensor([[1]]), 1, keyOf(1))).toThrow(ShapeError);
  });

  test("episodes: so many classes, shots and queries, without overlap, the same again", () => {
    const wide = tensor(Array.from({ length: 200 }, (_, i) => i % 10));
    const drawn = episodes(wide, { count: 20, ways: 3, shots: 2, queries: 5, key: keyOf(4) });
    expect(episodes(wide, { count: 20, ways: 3, shots: 2, queries: 5, key: keyOf(4) })).toEqual(drawn);
    expect(drawn).toHaveLength(20);
    for (const { classes, support, query } of drawn) {
      expect(new Set(classes).size).toBe(3);
      expect([support.length, query.length, new Set([...support, ...query]).size]).toEqual([6, 15, 21]);
      for (const label of classes) expect([...support].filter((i) => i % 10 === label)).toHaveLength(2);
      expect([...query].every((i) => classes.includes(i % 10))).toBe(true);
    }
    expect(new Set(drawn.map(({ classes }) => classes.join())).size).toBeGreaterThan(5);
    expect(() => episodes(wide, { ways: 11 })).toThrow("10 classes have 16 samples");
    expect(() => episodes(wide, { shots: 10, queries: 11 })).toThrow("0 classes have 21 samples");
  });
});

describe("features of a model", () => {
  const model = sequential([dense(4, { activation: "relu" }), dense(2)]);
  model.initialize(keyOf(1), { x: { dtype: "float32", shape: [1, 4] } });

  test("its output and that of a layer, batch by batch", async () => {
    const data = fromTensors({ x: features, y: labels }).batch(7);
    const whole = await featuresOf(model, data);
    expect(whole.labels.toNumbers()).toEqual(labels.toNumbers());
    close(whole.features, (await predict(model, features)).toNumbers());
    const hidden = await featuresOf(model, data, { layer: "layers.0" });
    expect(hidden.features.shape).toEqual([24, 4]);
    close(hidden.features, (await activations(model, features, ["layers.0"]))["layers.0"]?.toNumbers() ?? []);
    await expect(featuresOf(model, data, { layer: "layer.0" })).rejects.toThrow('did you mean "layers.0"?');
    await expect(featuresOf(model, data, { output: "y" })).rejects.toThrow('has no output "y"; leave output out');
  });

  test("without labels", async () => {
    const data = fromTensors({ x: features }).batch(24);
    expect((await featuresOf(model, data)).labels.shape).toEqual([0]);
  });
});

test.each([
  [tensor([1, 2]), tensor([0, 1]), "features are [2]; pass [samples, features]"],
  [tensor([[1], [2]]), tensor([0]), "labels are [1]; pass one for each sample, [2]"],
  [tensor([[1], [2]]), tensor([0, -1]), "the label of sample 1 is -1; pass whole numbers from 0"],
  [tensor([[1], [Number.NaN]]), tensor([0, 1]), "sample 1 has a feature that is NaN"],
  [tensor([[1], [2]]), tensor([1, 1]), "all samples have the label 1; pass samples of two classes"],
  [new Tensor("float32", [0, 3], new Float32Array(0)), tensor([]), "features are [0, 3]; pass some"],
])("what cannot be learned from: %#", (own, ownLabels, message) => {
  for (const learn of [prototypes, nearestNeighbours, linearProbe])
    expect(() => learn(own, ownLabels)).toThrow(message);
  expect(() => prototypes(features, labels).predict(tensor([[1]]))).toThrow("samples have 1 features; pass 4");
});
