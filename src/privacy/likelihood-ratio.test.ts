/** The likelihood-ratio attack on small networks: it finds what a network memorized, and nothing of a private one. */
import { expect, test } from "vitest";
import { DataError } from "../core/errors.ts";
import { foldIn, keyOf, Random } from "../core/random.ts";
import { Tensor } from "../core/tensor.ts";
import { fromTensors } from "../data/index.ts";
import { crossEntropy, dense, sequential } from "../nn/index.ts";
import { adam, fit, sampleLosses } from "../train/index.ts";
import { auditMembership, differentialPrivacy, likelihoodRatios } from "./index.ts";

const count = 120;
const random = new Random(keyOf(4));
const y = Int32Array.from({ length: count }, () => random.integer(2));
// Classes that overlap, so that what a network learns of a sample is the sample itself.
const x = Float32Array.from({ length: 8 * count }, (_, i) => random.normal() + 0.5 * (y[Math.floor(i / 8)] ?? 0));
const all = fromTensors({ x: new Tensor("float32", [count, 8], x), y: new Tensor("int32", [count], y) });
const loss = crossEntropy();

/** A network trained on half of the samples: its losses of all, and which half. */
async function trained(seed: number, epsilon?: number) {
  // Of two models one learned from each sample.
  const order = new Random(foldIn(keyOf(1), Math.floor(seed / 2))).permutation(count);
  const learned = Array.from({ length: count }, () => seed % 2 === 1);
  for (const place of order.subarray(0, count / 2)) learned[place] = seed % 2 === 0;
  const places = learned.flatMap((own, i) => (own ? [i] : []));
  const own = fromTensors({
    x: new Tensor(
      "float32",
      [places.length, 8],
      Float32Array.from(places.flatMap((i) => [...x.subarray(8 * i, 8 * i + 8)])),
    ),
    y: new Tensor(
      "int32",
      [places.length],
      Int32Array.from(places, (i) => y[i] ?? 0),
    ),
  }).batch(20);
  const model = sequential([dense(32, { activation: "tanh" }), dense(2)]);
  const epochs = 120;
  const privacy =
    epsilon === undefined ? undefined : differentialPrivacy(own, { epsilon, delta: 1e-3, epochs, key: keyOf(seed) });
  await fit(model, privacy?.batches ?? own, {
    ...{ loss, optimizer: adam({ learningRate: 0.02 }), epochs },
    training: { seed, ...(privacy && { transforms: [privacy.transform] }) },
  });
  return { losses: await sampleLosses(model, all.batch(60), { loss }), learned };
}

const areaOf = (scores: ArrayLike<number>, learned: readonly boolean[]) => {
  const of = (isMember: boolean) => Array.from(scores).filter((_, i) => learned[i] === isMember);
  return auditMembership(of(true), of(false)).area;
};

test("it tells more than losses do of a network that memorized its samples", async () => {
  const shadows = [];
  for (let seed = 0; seed < 12; seed++) shadows.push(await trained(seed));
  const [byLoss, byRatio] = [0, 0].map(() => [] as number[]) as [number[], number[]];
  for (let seed = 20; seed < 23; seed++) {
    const { losses, learned } = await trained(seed);
    byLoss.push(areaOf(losses, learned));
    byRatio.push(areaOf(likelihoodRatios(losses, shadows), learned));
  }
  const mean = (values: readonly number[]) => values.reduce((sum, own) => sum + own, 0) / values.length;
  expect(mean(byRatio)).toBeGreaterThan(0.75);
  expect(mean(byRatio)).toBeGreaterThan(mean(byLoss) + 0.1);
  const { losses, learned } = await trained(30, 1);
  expect(areaOf(likelihoodRatios(losses, shadows), learned)).toBeLessThan(0.65);
}, 120_000);

test("two normal distributions by hand", () => {
  const probability = (logit: number) => -Math.log(1 / (1 + Math.exp(-logit)));
  const shadow = (logit: number, learned: boolean) => ({ losses: [probability(logit)], learned: [learned] });
  const shadows = [shadow(3, true), shadow(5, true), shadow(0, false), shadow(2, false)];
  // Means 4 and 1, variances 2 and 2: ((3 - 4)² - (3 - 1)²) / 4 at 3.
  expect(likelihoodRatios([probability(3)], shadows)[0]).toBeCloseTo(-0.75, 6);
});

test("too few models are refused", () => {
  expect(() => likelihoodRatios([1], [])).toThrow(DataError);
  expect(() => likelihoodRatios([1, 2], [{ losses: [1], learned: [true] }])).toThrow(
    /shadow model 0 has 1 losses, expected 2/,
  );
});
