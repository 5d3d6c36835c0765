/** The classifier of sentences: padding does not matter, dropped words are unknown ones. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { expectClose, runLayer } from "../../nn/testing/check-layer.ts";
import { type RecurrentCell, RecurrentClassifier } from "./recurrent-classifier.ts";

const sizes = { vocabulary: 12, classes: 2, width: 4 };
const ids = (...rows: number[][]) => tensor(rows, { dtype: "int32" });

describe.each<RecurrentCell>(["lstm", "gru", "rnn"])("%s", (cell) => {
  test("a sentence has the same scores however far it is padded", async () => {
    const model = new RecurrentClassifier({
      ...sizes,
      recurrent: { units: 5, cell, layers: 2, bidirectional: true },
    });
    model.trace(ids([1]));
    model.initialize(keyOf(1));
    const narrow = await runLayer(model, ids([5, 3, 7], [4, 0, 0]));
    const wide = await runLayer(model, ids([5, 3, 7, 0, 0], [4, 0, 0, 0, 0]));
    expectClose(wide.output, narrow.output, "scores");
    expect(narrow.output.shape).toEqual([2, 2]);
  });
});

test("with every word dropped sentences of one length are alike, and only while training", async () => {
  const model = new RecurrentClassifier({ ...sizes, recurrent: { units: 5 }, wordDropout: 1 });
  const x = ids([5, 3, 7], [4, 9, 2], [4, 9, 0]);
  model.trace(x);
  model.initialize(keyOf(1));
  const scores = async (training: boolean) => (await runLayer(model, x, { training })).output.toArray() as number[][];
  const [first, second, shorter] = await scores(true);
  expect(first).toEqual(second);
  expect(first).not.toEqual(shorter);
  const [one, other] = await scores(false);
  expect(one).not.toEqual(other);
});
