/** Networks of texts: what they begin with, and that filling up does not matter. */
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { predict } from "../../train/predict.ts";
import { TextNetwork, type TextNetworkOptions } from "./text-network.ts";

const inputs = { words: 3, characters: 2, weights: [1, 2, 3, 1, 1], runs: 2 };
const ids = (...rows: number[][]) => tensor(rows, { dtype: "int32" });

function network(options: TextNetworkOptions): TextNetwork {
  const model = new TextNetwork(inputs, { members: 2, width: 4, ...options });
  model.trace(ids([0, 0, 0]));
  model.initialize(keyOf(1));
  return model;
}

/** Lets the first kind alone count. */
function useWords(model: TextNetwork): void {
  const mix = model.parameters().get("mix");
  if (mix) mix.value = tensor([1, 0, 0], { dtype: "float32" });
}

/** What words say of two classes: the first of the first, the second of the second, to both members alike. */
const evidence = tensor(
  Array.from({ length: 2 }, () => [
    [9, 9],
    [1, -1],
    [-2, 2],
    [0, 0],
  ]),
  { dtype: "float32" },
);

test("begins with what naive Bayes says, to which the other kinds add nothing yet", async () => {
  const model = network({ outputs: 2, evidence });
  useWords(model);
  const y = await predict(model, ids([1, 2, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]));
  // softmax([1 - 2, -1 + 2]), and even chances of a text of which nothing is known.
  const share = 1 / (1 + Math.exp(2));
  const wanted = [Math.log(share), Math.log(1 - share), Math.log(0.5), Math.log(0.5)];
  expect(y.toNumbers()).toEqual(wanted.map((value) => expect.closeTo(value, 5)));
});

test.each([
  ["classes", { outputs: 2, evidence }],
  ["labels", { outputs: 2, evidence, target: "labels" }],
  ["a number", { outputs: 1, target: { mean: 5, deviation: 2 } }],
] as const)("%s: a row gives the same however far it is filled up", async (_, options) => {
  const model = network(options);
  for (const [path, own] of model.parameters())
    if (path.endsWith("weight"))
      own.value = new Tensor(
        "float32",
        own.shape,
        Float32Array.from({ length: size(own.shape) }, (__, i) => Math.sin(i)),
      );
  const narrow = await predict(model, ids([1, 3, 2, 1, 0, 0]));
  const wide = await predict(model, ids([1, 3, 0, 2, 1, 0, 0, 0, 0]));
  expect(wide.toNumbers()).toEqual(narrow.toNumbers().map((value) => expect.closeTo(value, 5)));
});

test("labels are given as log odds, a number in its units", async () => {
  const labels = network({ outputs: 2, evidence, target: "labels" });
  useWords(labels);
  expect((await predict(labels, ids([1, 0, 0]))).toNumbers()).toEqual([expect.closeTo(1, 4), expect.closeTo(-1, 4)]);
  const number = network({ outputs: 1, target: { mean: 5, deviation: 2 } });
  useWords(number);
  expect((await predict(number, ids([1, 0, 0]))).toNumbers()).toEqual([5]);
});
