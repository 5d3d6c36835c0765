/** Rankings of items: they begin at what is popular, and learn whose taste is whose. */
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/pipeline/dataset.ts";
import { crossEntropy } from "../../nn/index.ts";
import { fit } from "../../train/fit.ts";
import { adam } from "../../train/optimizers/index.ts";
import { predict } from "../../train/predict.ts";
import { ItemRanker } from "./item-ranker.ts";

const ids = (values: readonly number[]) => tensor([...values], { dtype: "int32" });

test("begins at how often items were chosen", async () => {
  const model = new ItemRanker([0, 9, 3], { users: 2, factors: 2 });
  model.initialize(keyOf(0), { dtype: "int32", shape: [1] });
  const scores = (await predict(model, ids([0, 1]))).toNumbers();
  // Vectors of deviation 0.1 add next to nothing to the logarithms of 1, 10 and 4.
  for (const [i, score] of scores.entries()) expect(score).toBeCloseTo(Math.log([1, 10, 4][i % 3] ?? 0), 0);
});

test("learns tastes that popularity does not tell", async () => {
  const model = new ItemRanker([4, 4], { users: 2, factors: 2, penalty: 0 });
  const data = fromTensors({ x: ids([0, 0, 0, 0, 1, 1, 1, 1]), y: ids([0, 0, 0, 0, 1, 1, 1, 1]) });
  await fit(model, data.batch(8), { loss: crossEntropy(), optimizer: adam({ learningRate: 0.1 }), epochs: 30 });
  const [a = 0, b = 0, c = 0, d = 0] = (await predict(model, ids([0, 1]))).toNumbers();
  expect(a - b).toBeGreaterThan(1);
  expect(d - c).toBeGreaterThan(1);
});
