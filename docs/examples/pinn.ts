/**
 * A physics-informed network solves the heat equation u_t = α u_xx on a rod: the loss is the residual of the equation, made of derivatives
 * of the output with respect to the inputs, plus the initial and boundary conditions. The exact solution is used in the test alone.
 * Raissi, Perdikaris and Karniadakis 2019, sec. 3.1.
 */
import {
  adam,
  cosine,
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

const diffusivity = 0.1;
/** With u(x, 0) = sin πx and 0 at both ends. */
const exact = (x: number, t: number) => Math.exp(-diffusivity * Math.PI ** 2 * t) * Math.sin(Math.PI * x);

/** Random places and times in [0, 1]. */
const points = fromIterable(function* (epoch) {
  const random = new Random(keyOf(epoch));
  const uniform = () => tensor(Array.from({ length: 128 }, () => [random.uniform()]));
  for (let i = 0; i < 250; i++) yield { x: uniform(), t: uniform() };
});
const random = new Random(keyOf(100));
const places = Array.from({ length: 1000 }, () => [random.uniform(), random.uniform()]);
const truth = places.map(([x = 0, t = 0]) => exact(x, t));
const lengthOf = (numbers: readonly number[]) => Math.hypot(...numbers);

/** The relative error of a network trained with or without the residual. */
async function error(physics: boolean): Promise<string> {
  const model = sequential([dense(32, { activation: "tanh" }), dense(32, { activation: "tanh" }), dense(1)]);
  const objective: Objective<{ x: Tensor; t: Tensor }> = (context, { x, t }) => {
    const u = (place: Value, time: Value) => model.apply(ops.concat([place, time], 1), context); // [N, 1]
    // Rows are independent: the gradient of the sum holds the derivative of each.
    const ux = (place: Value) => grad((own: Value) => ops.reduceSum(u(own, t)))(place);
    const uxx = grad((own: Value) => ops.reduceSum(ux(own)))(x);
    const ut = grad((own: Value) => ops.reduceSum(u(x, own)))(t);
    const squares = (value: Value) => ops.reduceMean(ops.square(value));
    const residual = squares(ops.sub(ut, ops.mul(diffusivity, uxx)));
    const [zero, one] = [ops.zeros(x.shape), ops.ones(x.shape)];
    const start = squares(ops.sub(u(x, zero), ops.sin(ops.mul(Math.PI, x))));
    const ends = squares(ops.concat([u(zero, t), u(one, t)]));
    const known = ops.mul(10, ops.add(start, ends));
    return { loss: physics ? ops.add(known, residual) : known, figures: { residual } };
  };
  await fit(model, points, {
    objective,
    optimizer: adam({ learningRate: cosine({ rate: 0.01, steps: 1500 }) }),
    epochs: 6,
    training: { compile: { threads: 1 } },
  });
  const found = (await predict(model, tensor(places))).toNumbers();
  return (lengthOf(truth.map((own, i) => own - (found[i] ?? 0))) / lengthOf(truth)).toFixed(4);
}
console.log(`relative error with the equation: ${await error(true)}`);
console.log(`relative error without the equation: ${await error(false)}`);
