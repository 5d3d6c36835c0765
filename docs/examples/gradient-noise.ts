/**
 * A gradient transform of your own: adds normal noise of decaying variance to all gradients before the update. Four layers with weights
 * of zero have no gradient to learn from; with noise they do.
 * Neelakantan et al. 2015, sec. 3; zero initialization is from their sec. 4.1.
 */
import {
  accuracy,
  crossEntropy,
  dense,
  evaluate,
  fit,
  flatten,
  type GradientTransform,
  keyOf,
  Random,
  scaleBytes,
  sequential,
  sgd,
} from "sardonyx";
import { loadMnist } from "sardonyx/node";

/** Adds noise of variance η / (1 + t)^γ at batch t. */
const gradientNoise = (eta: number, gamma = 0.55): GradientTransform => ({
  name: "gradientNoise",
  bind: () => ({
    apply(gradients, { batch, key, report }) {
      const deviation = Math.sqrt(eta / (1 + batch) ** gamma);
      const random = new Random(key);
      report({ deviation });
      return gradients.edit((gradient) => {
        for (const [i, element] of gradient.entries()) gradient[i] = element + deviation * random.normal();
      });
    },
  }),
});

const { train, test } = await loadMnist();
const digits = train.take(5000).shuffle(keyOf(1)).batch(50).map(scaleBytes());
const held = test.take(2000).batch(500).map(scaleBytes());
const options = { loss: crossEntropy(), metrics: [accuracy()] };
async function trained(transforms: readonly GradientTransform[]): Promise<string | undefined> {
  const hidden = Array.from({ length: 4 }, () => dense(32, { activation: "relu", initializer: "zeros" }));
  const model = sequential([flatten(), ...hidden, dense(10, { initializer: "zeros" })]);
  await fit(model, digits, {
    ...options,
    optimizer: sgd({ learningRate: 0.1 }),
    epochs: 12,
    training: { transforms, clipNorm: 10, compile: { threads: 1 } },
  });
  return (await evaluate(model, held, options)).results.accuracy?.toFixed(3);
}
console.log(`accuracy with noise: ${await trained([gradientNoise(1)])}`);
console.log(`accuracy without noise: ${await trained([])}`);
