/**
 * Quantile regression: a network predicts the 10 %, 50 % and 90 % quantiles of its target, by a loss of your own: the pinball loss, which
 * weights errors above and below each quantile differently. Koenker and Bassett 1978.
 */
import {
  adam,
  cosine,
  defineLoss,
  dense,
  evaluate,
  fit,
  fromTensors,
  keyOf,
  ops,
  predict,
  Random,
  sequential,
  tensor,
} from "sardonyx";

const levels = [0.1, 0.5, 0.9];
/** The mean of max(q d, (q - 1) d) over quantiles q, with d = target - output: outputs [N, 3] and targets [N, 1]. */
const pinball = defineLoss((output, target) => {
  const d = ops.sub(target, output);
  const q = ops.constant(tensor(levels));
  return { terms: ops.maximum(ops.mul(q, d), ops.mul(ops.sub(q, 1), d)) };
});

const random = new Random(keyOf(1));
/** A wave plus noise above it, which grows with x. */
const points = (count: number) => {
  const x = Array.from({ length: count }, () => random.uniform(0, 3));
  const y = x.map((own) => Math.sin(2 * own) + (0.1 + 0.3 * own) * Math.abs(random.normal()));
  return { x: tensor(x.map((own) => [own])), y: tensor(y.map((own) => [own])) };
};
const [train, test] = [points(2000), points(2000)];

const model = sequential([dense(32, { activation: "tanh" }), dense(32, { activation: "tanh" }), dense(levels.length)]);
await fit(model, fromTensors(train).shuffle(keyOf(2)).batch(100), {
  loss: pinball,
  optimizer: adam({ learningRate: cosine({ rate: 0.01, steps: 2000 }) }),
  epochs: 100,
  training: { compile: { threads: 1 } },
});

const { results } = await evaluate(model, fromTensors(test).batch(500), { loss: pinball });
const outputs = (await predict(model, test.x)).toNumbers(); // [N, 3]
const y = test.y.toNumbers();
for (const [i, level] of levels.entries()) {
  const below = y.filter((own, row) => own < (outputs[row * levels.length + i] ?? 0));
  console.log(`targets below the ${level} quantile: ${(below.length / y.length).toFixed(3)}`);
}
// The quantiles of all targets, whatever x is.
const sorted = train.y.toNumbers().toSorted((a, b) => a - b);
const constants = levels.map((level) => sorted[Math.floor(level * sorted.length)] ?? 0);
const errors = y.flatMap((own) =>
  levels.map((q, i) => Math.max(q * (own - (constants[i] ?? 0)), (q - 1) * (own - (constants[i] ?? 0)))),
);
console.log(`pinball loss of the network: ${results.loss?.toFixed(4)}`);
console.log(
  `pinball loss of constant quantiles: ${(errors.reduce((sum, own) => sum + own, 0) / errors.length).toFixed(4)}`,
);
