/**
 * Policy gradient: actions that led to reward become more probable. A batch holds an advantage for each step and no target; the
 * objective weights log-probabilities by it. REINFORCE with a baseline (Williams 1992, sec. 5), on the game of catch (Mnih et al. 2014):
 * a ball falls, the paddle has to be beneath it at the end.
 */
import { adam, dense, keyOf, type Objective, ops, predictor, Random, sequential, Tensor, Trainer } from "sardonyx";

const [rows, columns, episodes] = [8, 7, 64];
const random = new Random(keyOf(1));
const policy = sequential([dense(64, { activation: "relu" }), dense(3)]);

type Steps = { readonly x: Tensor; readonly action: Tensor; readonly advantage: Tensor };
const objective: Objective<Steps> = (context, { x, action, advantage }) => {
  const logProbabilities = ops.logSoftmax(policy.apply(x, context)); // [steps, 3]
  const taken = ops.reduceSum(ops.mul(logProbabilities, ops.oneHot(action, 3)), 1); // [steps]
  const entropy = ops.neg(ops.reduceMean(ops.reduceSum(ops.mul(ops.exp(logProbabilities), logProbabilities), 1)));
  return { loss: ops.neg(ops.reduceMean(ops.mul(taken, advantage))), figures: { entropy } };
};

/** One-hot rows of the ball's height, its column and the paddle's. */
function observe(row: number, balls: readonly number[], paddles: readonly number[]): Tensor {
  const width = rows + 2 * columns;
  const data = new Float32Array(episodes * width);
  for (const [i, ball] of balls.entries())
    for (const place of [row, rows + ball, rows + columns + (paddles[i] ?? 0)]) data[i * width + place] = 1;
  return new Tensor("float32", [episodes, width], data);
}

/** An action for each row of logits, drawn by its probability: the largest logit with Gumbel noise. */
function draw(logits: Tensor): number[] {
  const noisy = logits.toNumbers().map((logit) => logit - Math.log(-Math.log(random.uniform(1e-9))));
  return Array.from({ length: episodes }, (_, i) => {
    const own = noisy.slice(3 * i, 3 * i + 3);
    return own.indexOf(Math.max(...own));
  });
}

policy.initialize(keyOf(0), { dtype: "float32", shape: [episodes, rows + 2 * columns] });
const ask = predictor(policy, { compile: { threads: 1 } });

const meanOf = (numbers: readonly number[]) => numbers.reduce((sum, own) => sum + own, 0) / numbers.length;

/** Plays episodes in parallel. Returns their steps, and the share of balls that were caught. */
async function play(act: (x: Tensor) => Promise<number[]>): Promise<{ steps: Steps; caught: number }> {
  const balls = Array.from({ length: episodes }, () => random.integer(columns));
  let paddles = Array.from({ length: episodes }, () => random.integer(columns));
  const observed: Tensor[] = [];
  const actions: number[] = [];
  for (let row = 0; row < rows - 1; row++) {
    const x = observe(row, balls, paddles);
    const chosen = await act(x);
    paddles = paddles.map((paddle, i) => Math.min(columns - 1, Math.max(0, paddle + (chosen[i] ?? 0) - 1)));
    observed.push(x);
    actions.push(...chosen);
  }
  const rewards = balls.map((ball, i) => Number(ball === paddles[i]));
  const caught = meanOf(rewards);
  const advantages = observed.flatMap(() => rewards.map((reward) => reward - caught));
  const x = Float32Array.from(observed.flatMap((own) => own.toNumbers()));
  const steps = {
    x: new Tensor("float32", [actions.length, rows + 2 * columns], x),
    action: new Tensor("int32", [actions.length], Int32Array.from(actions)),
    advantage: new Tensor("float32", [actions.length], Float32Array.from(advantages)),
  };
  return { steps, caught };
}

const atRandom = [];
for (let i = 0; i < 20; i++)
  atRandom.push((await play(async () => Array.from({ length: episodes }, () => random.integer(3)))).caught);

const trainer = new Trainer(policy, {
  objective,
  optimizer: adam({ learningRate: 0.01 }),
  training: { compile: { threads: 1 } },
});
const caught = [];
for (let i = 0; i < 200; i++) {
  const played = await play(async (x) => draw(await ask(x)));
  await trainer.step(played.steps);
  caught.push(played.caught);
}
console.log(`caught by a random policy: ${meanOf(atRandom).toFixed(3)}`);
console.log(`caught by the trained policy: ${meanOf(caught.slice(-20)).toFixed(3)}`);
