/** Parts of ratings with given weights, by hand; that each kind learns. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import { type Module, meanSquaredError } from "../../nn/index.ts";
import { Trainer } from "../../train/engine/trainer.ts";
import { fit } from "../../train/fit.ts";
import { adam, sgd } from "../../train/optimizers/index.ts";
import { predict } from "../../train/predict.ts";
import { ItemRanker } from "./item-ranker.ts";
import { Biases, Factors, FeatureBiases, NeuralFactors, RatingModel, Recommender, Tastes } from "./recommender.ts";

const sizes = { users: 2, items: 3 };
const pairs = tensor(
  [
    [0, 2],
    [1, 0],
  ],
  { dtype: "int32" },
);
const features = tensor([
  [1, 0],
  [0, 1],
  [1, 1],
]);

/** A model with its weights set. */
function withWeights<M extends Module>(model: M, weights: Readonly<Record<string, readonly (readonly number[])[]>>): M {
  model.trace(pairs);
  for (const [path, parameter] of model.parameters()) parameter.value = tensor(weights[path] ?? []);
  return model;
}

const model = (penalty = 0) =>
  withWeights(
    new RatingModel(3, {
      biases: new Biases({ ...sizes, penalty }),
      factors: new Factors({ ...sizes, factors: 2, penalty }),
      tastes: new Tastes({ users: 2, features, penalty: 0 }),
      genres: new FeatureBiases({ features, penalty: 0 }),
    }),
    {
      "parts.biases.user.weight": [[0.5], [-0.5]],
      "parts.biases.item.weight": [[0.1], [0.2], [0.3]],
      "parts.factors.user.weight": [
        [1, 2],
        [3, 4],
      ],
      "parts.factors.item.weight": [
        [0.1, 0],
        [0, 0.1],
        [0.1, 0.2],
      ],
      "parts.tastes.user.weight": [
        [0.01, 0.02],
        [0.03, 0.04],
      ],
      "parts.genres.weight.weight": [[0.001, 0.002]],
    },
  );

test("mean + biases + products + tastes, by hand", async () => {
  const y = await predict(model(), pairs);
  expect(y.shape).toEqual([2]);
  // 3 + 0.5 + 0.3 + (0.1 + 0.4) + (0.01 + 0.02) + 0.003, and 3 - 0.5 + 0.1 + 0.3 + 0.03 + 0.001
  expect(y.data[0]).toBeCloseTo(4.333, 5);
  expect(y.data[1]).toBeCloseTo(2.931, 5);
});

test("stars and choices stand side by side: each is what its part gives alone", async () => {
  const ranker = new ItemRanker([0, 9, 3], { users: 2, factors: 2 });
  ranker.initialize(keyOf(0), { dtype: "int32", shape: [1] });
  const { stars, choices } = await predict(new Recommender(model(), ranker), pairs);
  expect(stars.toNumbers()).toEqual((await predict(model(), pairs)).toNumbers());
  expect(choices.shape).toEqual([2, 3]);
  expect(choices.toNumbers()).toEqual((await predict(ranker, tensor([0, 1], { dtype: "int32" }))).toNumbers());
});

test("the penalty is of what the batch's ratings are made of", async () => {
  const y = tensor([4.333, 2.931]);
  const trainer = new Trainer(model(0.1), { loss: meanSquaredError(), optimizer: sgd({ learningRate: 0 }) });
  const { loss } = await trainer.step({ x: pairs, y });
  // Biases: (0.25 + 0.25) / 2 + (0.09 + 0.01) / 2; vectors: (5 + 25) / 2 + (0.05 + 0.01) / 2.
  expect(loss).toBeCloseTo(0.1 * (0.25 + 0.05 + 15 + 0.03), 4);
});

describe("learns ratings made of two directions", () => {
  const random = new Random(keyOf(3));
  const vectors = (count: number) => Array.from({ length: count }, () => [random.normal(), random.normal()] as const);
  const [users, items] = [vectors(20), vectors(30)];
  const all = users.flatMap((_, user) => items.map((_, item) => [user, item] as const));
  const stars = all.map(
    ([user, item]) =>
      3 + (users[user]?.[0] ?? 0) * (items[item]?.[0] ?? 0) + (users[user]?.[1] ?? 0) * (items[item]?.[1] ?? 0),
  );
  const x = new Tensor("int32", [600, 2], Int32Array.from(all.flat()));
  const options = { users: 20, items: 30, factors: 4, penalty: 0 };
  test.each([
    ["factors", () => new Factors(options)],
    ["neural factors", () => new NeuralFactors(options)],
    ["tastes, features known", () => new Tastes({ users: 20, penalty: 0, features: tensor(items) })],
  ])("%s", async (_, make) => {
    const rated = new RatingModel(3, { part: make() });
    const data = fromTensors({ x, y: tensor(stars) })
      .shuffle(keyOf(1))
      .batch(50);
    const { history } = await fit(rated, data, {
      loss: meanSquaredError(),
      optimizer: adam({ learningRate: 0.02 }),
      epochs: 25,
    });
    // The variance of the ratings is near 2.
    expect(history.at(-1)?.["loss"]).toBeLessThan(0.4);
  });
});
