/** The variational autoencoder's divergence by hand. */
import { expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { randomTensor } from "../../nn/testing/check-layer.ts";
import { predict } from "../../train/predict.ts";
import { Vae } from "./vae.ts";

test("gives logits of every pixel, and the divergence of each image's code", async () => {
  const model = new Vae({ inputs: 6, hidden: 5, code: 2 });
  const images = randomTensor([3, 1, 2, 3], 1);
  model.trace(images);
  model.initialize(keyOf(2));
  const set = (path: string, numbers: readonly number[]) => {
    const parameter = model.parameters().get(path);
    if (!parameter) throw new Error(`there is no ${path}`);
    parameter.value = tensor(numbers, { shape: parameter.shape });
  };
  set("mean.weight", new Array(10).fill(0));
  set("mean.bias", [2, -1]);
  set("logVariance.bias", [Math.log(4), 0]);
  const { logits, divergence } = await predict(model, images);
  expect(logits.shape).toEqual([3, 6]);
  // -½ Σ (1 + log σ² - μ² - σ²) with μ = 2, -1 and σ² = 4, 1.
  const expected = -0.5 * (1 + Math.log(4) - 4 - 4 + (1 + 0 - 1 - 1));
  for (const own of divergence.toNumbers()) expect(own).toBeCloseTo(expected, 5);
});
