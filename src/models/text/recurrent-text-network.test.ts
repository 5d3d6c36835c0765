/** Recurrent networks beside evidence: filling up does not matter, each reads its part of a row, and order matters to one of them. */
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { predict } from "../../train/predict.ts";
import { RecurrentTextNetwork } from "./recurrent-text-network.ts";

const ids = (...rows: number[][]) => tensor(rows, { dtype: "int32" });
const recurrent = { vocabulary: 9, classes: 2, width: 4, recurrent: { units: 3, bidirectional: true } };

/** What words say of two classes to both members: the first of the first, the second of the second. */
const evidence = tensor(
  Array.from({ length: 2 }, () => [
    [9, 9],
    [1, -1],
    [-2, 2],
  ]),
  { dtype: "float32" },
);

/** A network of which the kinds count by these shares. */
function network(...mix: [recurrent: number, words: number]): RecurrentTextNetwork {
  const model = new RecurrentTextNetwork({ recurrent, words: 2, members: 2 }, evidence);
  model.trace(ids([0, 0, 0]));
  model.initialize(keyOf(1));
  const shares = model.parameters().get("mix");
  if (shares) shares.value = tensor(mix, { dtype: "float32" });
  return model;
}

test("rows give the same however far they are filled up", async () => {
  const model = network(0.5, 0.5);
  const narrow = await predict(model, ids([4, 5, 1, 2, 0, 0]));
  const wide = await predict(model, ids([4, 5, 0, 1, 2, 0, 0, 0, 0]));
  expect(narrow.shape).toEqual([1, 2]);
  expect(wide.toNumbers()).toEqual(narrow.toNumbers().map((own) => expect.closeTo(own, 5)));
});

test("evidence says what naive Bayes does, less certain of it, whatever the order is", async () => {
  const y = await predict(network(0, 1), ids([4, 5, 1, 2, 0, 0], [5, 4, 1, 2, 0, 0], [4, 5, 0, 0, 0, 0]));
  // softmax(0.4 [1 - 2, -1 + 2]), and even chances of a text of which nothing is known.
  const share = 1 / (1 + Math.exp(0.8));
  const wanted = [share, 1 - share, share, 1 - share, 0.5, 0.5].map(Math.log);
  expect(y.toNumbers()).toEqual(wanted.map((value) => expect.closeTo(value, 5)));
});

test("the recurrent network reads words in their order, and no evidence", async () => {
  const y = await predict(network(1, 0), ids([4, 5, 1, 2, 0, 0], [5, 4, 1, 2, 0, 0], [4, 5, 0, 0, 0, 0]));
  const [first, , other, , without] = y.toNumbers();
  expect(Math.abs((first ?? 0) - (other ?? 0))).toBeGreaterThan(1e-5);
  expect(without).toBeCloseTo(first ?? 0, 6);
});

test("options are checked", () => {
  expect(() => new RecurrentTextNetwork({ recurrent, words: 2, members: 0 })).toThrow(/members is 0/);
  expect(() => new RecurrentTextNetwork({ recurrent: 3 as never, words: 2 })).toThrow(/recurrent is 3/);
});
