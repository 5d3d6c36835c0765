/**
 * WGAN with gradient penalty: five critic steps to one of the generator, and the gradient of the critic in the critic's own loss.
 * Gulrajani et al. 2017, algorithm 1, on the eight Gaussians of its figure 1.
 */
import {
  adam,
  type Context,
  dense,
  fit,
  fromIterable,
  grad,
  keyOf,
  type Objective,
  ops,
  predict,
  Random,
  sequential,
  type Tensor,
  tensor,
  type Value,
} from "sardonyx";

const [modes, noise, penaltyWeight] = [8, 4, 1];
const angles = Array.from({ length: modes }, (_, i) => (2 * Math.PI * i) / modes);
const centres = angles.map((angle) => [2 * Math.cos(angle), 2 * Math.sin(angle)]);
const around = (random: Random, [x = 0, y = 0]: readonly number[] = [], spread = 0.1) => [
  x + spread * random.normal(),
  y + spread * random.normal(),
];

const layers = () => [dense(64, { activation: "relu" }), dense(64, { activation: "relu" })];
const generator = sequential([...layers(), dense(2)]);
const critic = sequential([...layers(), dense(1)]);

const generate = (context: Context, batch: number) =>
  generator.apply(ops.randomNormal(context.randomKey(), [batch, noise]), context);

const judge: Objective<{ x: Tensor }> = (context, { x }) => {
  const batch = x.shape[0] ?? 1;
  const fake = context.detached(() => generate(context, batch));
  const score = (own: Value) => ops.reduceMean(critic.apply(own, context));
  // (|∇D| - 1)² at points between real and generated ones.
  const share = ops.randomUniform(context.randomKey(), [batch, 1]);
  const between = ops.add(ops.mul(share, x), ops.mul(ops.sub(1, share), fake));
  const gradient = grad((own: Value) => ops.reduceSum(critic.apply(own, context)))(between); // [batch, 2]
  const norm = ops.sqrt(ops.add(ops.reduceSum(ops.square(gradient), 1), 1e-12));
  const penalty = ops.reduceMean(ops.square(ops.sub(norm, 1)));
  const distance = ops.sub(score(x), score(fake));
  return {
    loss: ops.sub(ops.mul(penaltyWeight, penalty), distance),
    figures: { distance, norm: ops.reduceMean(norm) },
  };
};
const deceive: Objective<{ x: Tensor }> = (context, { x }) => ({
  loss: ops.neg(ops.reduceMean(critic.apply(generate(context, x.shape[0] ?? 1), context))),
});

const data = fromIterable(function* (epoch) {
  const random = new Random(keyOf(epoch));
  for (let i = 0; i < 600; i++)
    yield { x: tensor(Array.from({ length: 128 }, (_, i) => around(random, centres[i % modes]))) };
});
const optimizer = () => adam({ learningRate: 0.002, beta1: 0.5, beta2: 0.9 });
const { history } = await fit({ generator, critic }, data, {
  steps: {
    critic: { objective: judge, optimizer: optimizer(), trains: "critic", times: 5 },
    generator: { objective: deceive, optimizer: optimizer(), trains: "generator" },
  },
  epochs: 12,
  training: { compile: { threads: 1 } },
});

const random = new Random(keyOf(99));
const drawn = Array.from({ length: 1000 }, () => Array.from({ length: noise }, () => random.normal()));
const generated = (await predict(generator, tensor(drawn))).toNumbers();
/** The modes that lie within four standard deviations of points. */
const reached = (points: readonly (readonly number[])[]) =>
  points.flatMap(([x = 0, y = 0]) => {
    const mode = centres.findIndex(([u = 0, v = 0]) => Math.hypot(x - u, y - v) < 0.4);
    return mode < 0 ? [] : [mode];
  });
const near = reached(drawn.map((_, i) => generated.slice(2 * i, 2 * i + 2)));
// Of the data's variance.
const normal = reached(drawn.map(() => around(random, [0, 0], Math.SQRT2)));
console.log(`generated points near a mode: ${(near.length / 1000).toFixed(3)}`);
console.log(`points of one Gaussian near a mode: ${(normal.length / 1000).toFixed(3)}`);
console.log(`modes reached: ${new Set(near).size}`);
console.log(`norm of the critic's gradient: ${history.at(-1)?.critic_norm?.toFixed(3)}`);
