/**
 * Denoising diffusion: a network learns to predict the noise that was added to points, and new points are sampled from noise by removing
 * it step by step. Ho, Jain and Abbeel 2020: training is algorithm 1, sampling is algorithm 2, with 50 steps instead of 1,000.
 */
import {
  adam,
  type Context,
  dense,
  embedding,
  fit,
  fromTensors,
  keyOf,
  Module,
  meanSquaredError,
  type Objective,
  ops,
  predictor,
  Random,
  sequential,
  Tensor,
  tensor,
  type Value,
} from "sardonyx";

const steps = 50;
const random = new Random(keyOf(1));
/** Points of a spiral of one and a half turns. */
const pointsOf = (count: number) =>
  Array.from({ length: count }, () => {
    const turn = 3 * Math.PI * Math.sqrt(random.uniform());
    const [x, y] = [Math.cos(turn), Math.sin(turn)].map((own) => (own * turn) / 5 + 0.03 * random.normal());
    return [x ?? 0, y ?? 0];
  });

const betas = Array.from({ length: steps }, (_, t) => 1e-4 + (0.2 * t) / steps);
/** ᾱ, the product of 1 - β up to each step. */
const alphas = betas.map((_, t) => betas.slice(0, t + 1).reduce((product, beta) => product * (1 - beta), 1));

type Noisy = { readonly x: Value; readonly time: Value };
class NoisePredictor extends Module<Noisy> {
  override readonly inputs = { x: "required", time: "required" } as const;
  readonly times = embedding(steps, 64);
  readonly enter = dense(64);
  readonly body = sequential([dense(128, { activation: "silu" }), dense(128, { activation: "silu" }), dense(2)]);
  protected call({ x, time }: Noisy, context: Context): Value {
    return this.body.apply(ops.add(this.enter.apply(x, context), this.times.apply(time, context)), context);
  }
}
const model = new NoisePredictor();

const objective: Objective<{ x: Tensor }> = (context, { x }) => {
  const batch = x.shape[0] ?? 1;
  const time = ops.cast(ops.mul(ops.randomUniform(context.randomKey(), [batch]), steps), "int32");
  const noise = ops.randomNormal(context.randomKey(), x.shape);
  const alpha = ops.gather(ops.constant(tensor(alphas.map((alpha) => [alpha]))), time); // [N, 1]
  const noisy = ops.add(ops.mul(ops.sqrt(alpha), x), ops.mul(ops.sqrt(ops.sub(1, alpha)), noise));
  return { loss: meanSquaredError()(model.apply({ x: noisy, time }, context), noise) };
};
const data = fromTensors({ x: tensor(pointsOf(2000)) });
await fit(model, data.shuffle(keyOf(2)).batch(200), {
  objective,
  optimizer: adam({ learningRate: 0.003 }),
  epochs: 200,
  training: { compile: { threads: 1 } },
});

const ask = predictor(model, { compile: { threads: 1 } });
const begin = Array.from({ length: 500 }, () => [random.normal(), random.normal()]);
let points = Float32Array.from(begin.flat());
for (let t = steps - 1; t >= 0; t--) {
  const [beta = 0, alpha = 1] = [betas[t], alphas[t]];
  const x = new Tensor("float32", [500, 2], points);
  const noise = (await ask({ x, time: new Tensor("int32", [500], new Int32Array(500).fill(t)) })).toNumbers();
  points = points.map(
    (own, i) =>
      (own - (beta / Math.sqrt(1 - alpha)) * (noise[i] ?? 0)) / Math.sqrt(1 - beta) +
      (t > 0 ? Math.sqrt(beta) * random.normal() : 0),
  );
}

/** The mean distance from points to the nearest among others. */
const distance = (from: readonly number[][], to: readonly number[][]) =>
  from
    .map(([x = 0, y = 0]) => Math.min(...to.map(([u = 0, v = 0]) => Math.hypot(x - u, y - v))))
    .reduce((sum, own) => sum + own / from.length, 0)
    .toFixed(3);
const samples = begin.map((_, i) => Array.from(points.subarray(2 * i, 2 * i + 2)));
const real = pointsOf(500);
console.log(`distance of samples to the spiral: ${distance(samples, real)}`);
console.log(`distance of the spiral to samples: ${distance(real, samples)}`);
console.log(`distance of noise to the spiral: ${distance(begin, real)}`);
console.log(`distance of new points to the spiral: ${distance(pointsOf(500), real)}`);
