/**
 * Quantile regression: a network tells how far the answer may be off, as its 10 %, 50 % and 90 % quantiles, by a loss of your own,
 * in which each output errs upwards at another price than downwards. Koenker and Bassett 1978, eq. 3.1.
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
/** A wave under noise that grows with x and has a long tail above. */
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
  console.log(`share below the ${level} quantile: ${(below.length / y.length).toFixed(3)}`);
}
/** The quantiles of all targets, whatever x is. */
const sorted = train.y.toNumbers().toSorted((a, b) => a - b);
const fixed = levels.map((level) => sorted[Math.floor(level * sorted.length)] ?? 0);
const errors = y.flatMap((own) =>
  levels.map((q, i) => Math.max(q * (own - (fixed[i] ?? 0)), (q - 1) * (own - (fixed[i] ?? 0)))),
);
console.log(`loss of the network: ${results.loss?.toFixed(4)}`);
console.log(`loss of fixed quantiles: ${(errors.reduce((sum, own) => sum + own, 0) / errors.length).toFixed(4)}`);
