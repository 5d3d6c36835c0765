/**
 * Model-agnostic meta-learning: finds weights from which one gradient step on ten points of a new sine wave fits the wave. The step is part
 * of what is differentiated, so the gradient holds a gradient. Finn, Abbeel and Levine 2017, algorithm 2 and sec. 5.1.
 */
import {
  adam,
  dense,
  functional,
  grad,
  jit,
  keyOf,
  meanSquaredError,
  ops,
  Random,
  sequential,
  tensor,
  type Value,
  valueAndGrad,
} from "sardonyx";

const [tasks, shots, rate] = [10, 10, 0.01];
const random = new Random(keyOf(1));
const compile = { threads: 1 };

/** For each of several waves, ten points to adapt to and ten to measure on. */
const waves = () =>
  Array.from({ length: tasks }, () => {
    const [amplitude, phase] = [random.uniform(0.1, 5), random.uniform(0, Math.PI)];
    const points = () => {
      const x = Array.from({ length: shots }, () => random.uniform(-5, 5));
      return { x: tensor(x.map((own) => [own])), y: tensor(x.map((own) => [amplitude * Math.sin(own - phase)])) };
    };
    return { support: points(), query: points() };
  });
type Points = { readonly x: Value; readonly y: Value };
type Task = { readonly support: Points; readonly query: Points };
type Parameters = Readonly<Record<string, Value>>;

const model = sequential([dense(40, { activation: "relu" }), dense(40, { activation: "relu" }), dense(1)]);
const { parameters, apply } = functional(model, { dtype: "float32", shape: [shots, 1] });
const lossOf = (weights: Parameters, { x, y }: Points) => meanSquaredError()(apply(weights, x), y);
/** The weights after one step on a task. */
const adapted = (weights: Parameters, points: Points): Parameters => {
  const gradients = grad(lossOf)(weights, points);
  return Object.fromEntries(
    Object.entries(weights).map(([path, weight]) => [path, ops.sub(weight, ops.mul(rate, gradients[path] ?? 0))]),
  );
};
/** The mean loss over tasks, before or after the step. */
const meanLoss = (weights: Parameters, given: readonly Task[], adapt: boolean) => {
  const losses = given.map(({ support, query }) => lossOf(adapt ? adapted(weights, support) : weights, query));
  return ops.reduceMean(ops.stack(losses));
};

/** Trains for the loss after the step, or for that before it. */
async function trained(adapt: boolean): Promise<typeof parameters> {
  const optimizer = adam();
  let state = optimizer.init(parameters);
  const step = jit(valueAndGrad(meanLoss), { ...compile, into: [undefined, state.gradients] });
  for (let i = 0; i < 1500; i++) {
    const [, gradients] = await step(state.parameters, waves(), adapt);
    state = await optimizer.update(gradients, state);
  }
  return state.parameters;
}

const measure = jit(meanLoss, compile);
const test = Array.from({ length: 20 }, waves);
/** The loss on new waves, after the step or before. */
async function tested(weights: typeof parameters, adapt: boolean): Promise<string> {
  const losses = await Promise.all(test.map((given) => measure(weights, given, adapt)));
  return (losses.reduce((sum, loss) => sum + loss.item(), 0) / test.length).toFixed(3);
}
const [meta, pretrained] = [await trained(true), await trained(false)];
console.log(`loss before the step, meta-learned: ${await tested(meta, false)}`);
console.log(`loss after the step, meta-learned: ${await tested(meta, true)}`);
console.log(`loss before the step, pretrained: ${await tested(pretrained, false)}`);
console.log(`loss after the step, pretrained: ${await tested(pretrained, true)}`);
