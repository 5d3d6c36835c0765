/** The LSTM against PyTorch, and whether it learns what only memory can. */
import { expect, test } from "vitest";
import { foldIn, keyOf, Random } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { crossEntropy } from "../../nn/index.ts";
import { checkLayer } from "../../nn/testing/check-layer.ts";
import { fixture } from "../../nn/testing/fixture.node.ts";
import { Trainer } from "../../train/engine/trainer.ts";
import { adam } from "../../train/optimizers/index.ts";
import { LstmClassifier } from "../index.ts";

test("as PyTorch's embedding, LSTM and linear layer", () =>
  checkLayer(new LstmClassifier({ classes: 3, vocabulary: 10, width: 4 }), {
    expected: {
      outputShape: [3, 3],
      parameters: 10 * 4 + 4 * 4 * (4 + 4 + 2) + 4 * 3 + 3,
      recorded: fixture("recurrent")("classifier"),
    },
  }));

test("it learns which of two words came first, ten words ago", async () => {
  const random = new Random(foldIn(keyOf(5), "words"));
  const batch = () => {
    const labels = Array.from({ length: 32 }, () => random.integer(2));
    const words = labels.map((label) => [label, ...Array.from({ length: 10 }, () => 2 + random.integer(6))]);
    return { x: tensor(words, { dtype: "int64" }), y: tensor(labels, { dtype: "int32" }) };
  };
  const model = new LstmClassifier({ vocabulary: 8, width: 16 });
  const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: adam({ learningRate: 0.02 }) });
  let loss = Number.POSITIVE_INFINITY;
  for (let step = 0; step < 240; step++) ({ loss } = await trainer.step(batch()));
  // A guess has log 2 = 0.69.
  expect(loss).toBeLessThan(0.1);
});
