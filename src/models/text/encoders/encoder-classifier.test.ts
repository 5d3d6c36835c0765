/** A classifier on an encoder's mean: padding changes nothing. */
import { expect, test } from "vitest";
import { keyOf } from "../../../core/random.ts";
import { tensor } from "../../../core/tensor.ts";
import { copyWeights } from "../../../nn/index.ts";
import { predict } from "../../../train/predict.ts";
import { BertModel, EncoderClassifier } from "../../index.ts";

const sizes = { vocabulary: 31, width: 16, layers: 2, heads: 4, feedForward: 24, positions: 12 };

test("a text has the same scores however much padding stands after it", async () => {
  const model = new EncoderClassifier(new BertModel({ sizes, pooler: false }), { classes: 3 });
  model.trace({ dtype: "int32", shape: [1, 4] });
  model.initialize(keyOf(1));
  expect(model.parameters().get("classifier.weight")?.shape).toEqual([3, 16]);
  const short = await predict(model, tensor([[5, 9, 2]], { dtype: "int32" }));
  const long = await predict(model, tensor([[5, 9, 2, 0, 0, 0, 0]], { dtype: "int32" }));
  // Sums of at most seven terms in another order.
  for (const [i, score] of (short.data as Float32Array).entries()) expect(long.data[i]).toBeCloseTo(score, 5);
  const other = await predict(model, tensor([[5, 9, 3]], { dtype: "int32" }));
  expect(Math.abs(Number(other.data[0]) - Number(short.data[0]))).toBeGreaterThan(1e-4);
});

test("a text read in windows: the mean over the tokens of all", async () => {
  const encoder = new BertModel({ sizes, pooler: false });
  const [whole, parted] = [4, 2].map((window) => new EncoderClassifier(encoder, { classes: 2, window })) as [
    EncoderClassifier,
    EncoderClassifier,
  ];
  whole.trace({ dtype: "int32", shape: [1, 4] });
  whole.initialize(keyOf(2));
  parted.trace({ dtype: "int32", shape: [1, 4] });
  copyWeights(whole, parted);
  // Two windows alike have the mean of one; padding windows have none.
  const one = await predict(parted, tensor([[5, 9, 0, 0]], { dtype: "int32" }));
  const twice = await predict(parted, tensor([[5, 9, 5, 9]], { dtype: "int32" }));
  for (const [i, score] of (one.data as Float32Array).entries()) expect(twice.data[i]).toBeCloseTo(score, 5);
  expect(() => parted.trace({ dtype: "int32", shape: [1, 3] })).toThrow(
    "input [1, 3] does not fall into windows of 2 tokens; pad it to a multiple",
  );
});
