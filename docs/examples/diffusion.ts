/**
 * Denoising diffusion: points are drowned in noise step by step, a network learns to tell the noise in them, and new points come from
 * noise by taking it away again. Ho, Jain and Abbeel 2020: training is algorithm 1, sampling algorithm 2, with 50 steps.
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

const [steps, count] = [50, 2000];
const random = new Random(keyOf(1));
/** Points of a spiral of one and a half turns. */
const pointsOf = (count: number) =>
  Array.from({ length: count }, () => {
    const turn = 3 * Math.PI * Math.sqrt(random.uniform());
    const [x, y] = [Math.cos(turn), Math.sin(turn)].map((own) => (own * turn) / 5 + 0.03 * random.normal());
    return [x ?? 0, y ?? 0];
  });

const betas = Array.from({ length: steps }, (_, t) => 1e-4 + (0.2 * t) / steps);
/** What is left of a point after each step, squared: the product of 1 - β so far. */
const kept = betas.map((_, t) => betas.slice(0, t + 1).reduce((product, beta) => product * (1 - beta), 1));

type Noisy = { readonly x: Value; readonly time: Value };
class NoisePredictor extends Module<Noisy> {
  readonly kind = "container";
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
  const rest = ops.gather(ops.constant(tensor(kept.map((own) => [own]))), time); // [N, 1]
  const noisy = ops.add(ops.mul(ops.sqrt(rest), x), ops.mul(ops.sqrt(ops.sub(1, rest)), noise));
  return { loss: meanSquaredError()(model.apply({ x: noisy, time }, context), noise) };
};
await fit(
  model,
  fromTensors({ x: tensor(pointsOf(count)) })
    .shuffle(keyOf(2))
    .batch(200),
  {
    objective,
    optimizer: adam({ learningRate: 0.003 }),
    epochs: 200,
    training: { compile: { threads: 1 } },
  },
);

const ask = predictor(model, { compile: { threads: 1 } });
const begin = Array.from({ length: 500 }, () => [random.normal(), random.normal()]);
let points = Float32Array.from(begin.flat());
for (let t = steps - 1; t >= 0; t--) {
  const [beta = 0, left = 1] = [betas[t], kept[t]];
  const x = new Tensor("float32", [500, 2], points);
  const noise = (await ask({ x, time: new Tensor("int32", [500], new Int32Array(500).fill(t)) })).toNumbers();
  points = points.map(
    (own, i) =>
      (own - (beta / Math.sqrt(1 - left)) * (noise[i] ?? 0)) / Math.sqrt(1 - beta) +
      (t > 0 ? Math.sqrt(beta) * random.normal() : 0),
  );
}

/** The mean distance from points to the nearest of others. */
const distance = (from: readonly number[][], to: readonly number[][]) =>
  from
    .map(([x = 0, y = 0]) => Math.min(...to.map(([u = 0, v = 0]) => Math.hypot(x - u, y - v))))
    .reduce((sum, own) => sum + own / from.length, 0)
    .toFixed(3);
const made = begin.map((_, i) => Array.from(points.subarray(2 * i, 2 * i + 2)));
const real = pointsOf(500);
console.log(`from generated points to the spiral: ${distance(made, real)}`);
console.log(`from the spiral to generated points: ${distance(real, made)}`);
console.log(`from noise to the spiral: ${distance(begin, real)}`);
console.log(`from the spiral to itself: ${distance(pointsOf(500), real)}`);
