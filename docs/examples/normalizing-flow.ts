/**
 * A normalizing flow: an invertible network maps two moons to a normal distribution, which gives the density of every point. Run
 * backwards, it samples. Affine coupling layers (Dinh, Sohl-Dickstein and Bengio 2017, Real NVP, sec. 3).
 */
import {
  adam,
  type Context,
  dense,
  evaluate,
  fit,
  fitStandardize,
  fromTensors,
  keyOf,
  Module,
  type Objective,
  ops,
  predict,
  Random,
  sequential,
  type Tensor,
  tensor,
  type Value,
} from "sardonyx";

/** One coordinate of points [N, 2], as [N, 1]. */
const coordinate = (x: Value, i: number) => ops.slice(x, { axis: 1, start: i, end: i + 1 });
const affine = (both: Value) => ({ scale: ops.tanh(coordinate(both, 0)), shift: coordinate(both, 1) });

/** In each layer a network of one coordinate scales and shifts the other, and the two are swapped. */
class Flow extends Module<Value, { readonly z: Value; readonly logDeterminant: Value }> {
  readonly networks = Array.from({ length: 8 }, () =>
    sequential([dense(48, { activation: "relu" }), dense(48, { activation: "relu" }), dense(2)]),
  );
  protected call(x: Value, context: Context) {
    let [first, second, logDeterminant] = [coordinate(x, 0), coordinate(x, 1), ops.scalar(0)];
    for (const network of this.networks) {
      const { scale, shift } = affine(network.apply(first, context));
      [first, second] = [ops.add(ops.mul(second, ops.exp(scale)), shift), first];
      logDeterminant = ops.add(logDeterminant, scale); // [N, 1]
    }
    return { z: ops.concat([first, second], 1), logDeterminant };
  }
  inverse(z: Value, context: Context): Value {
    let [first, second] = [coordinate(z, 0), coordinate(z, 1)];
    for (const network of this.networks.toReversed()) {
      const { scale, shift } = affine(network.apply(second, context));
      [first, second] = [second, ops.mul(ops.sub(first, shift), ops.exp(ops.neg(scale)))];
    }
    return ops.concat([first, second], 1);
  }
}
/** The flow run backwards. */
class Inverse extends Module {
  readonly flow: Flow;
  constructor(flow: Flow) {
    super();
    this.flow = flow;
  }
  protected call(z: Value, context: Context): Value {
    return this.flow.inverse(z, context);
  }
}

const random = new Random(keyOf(1));
const moons = (count: number) =>
  tensor(
    Array.from({ length: count }, (_, i) => {
      const [angle, side] = [Math.PI * random.uniform(), i % 2 === 0 ? 1 : -1];
      const point = [side * (Math.cos(angle) - 0.5), side * (Math.sin(angle) - 0.25)];
      return point.map((own) => own + 0.07 * random.normal());
    }),
  );

const flow = new Flow();
/** The mean of -log p(x), with log p(x) = log N(z; 0, 1) + log |dz/dx|. */
const objective: Objective<{ x: Tensor }> = (context, { x }) => {
  const { z, logDeterminant } = flow.apply(x, context);
  const normal = ops.add(ops.mul(0.5, ops.reduceSum(ops.square(z), 1)), Math.log(2 * Math.PI));
  return { loss: ops.reduceMean(ops.sub(normal, ops.reshape(logDeterminant, [-1]))) };
};
const data = fromTensors({ x: moons(2000) });
await fit(flow, data.shuffle(keyOf(2)).batch(200), {
  objective,
  optimizer: adam({ learningRate: 0.003 }),
  epochs: 60,
  training: { clipNorm: 5, compile: { threads: 1 } },
});

const x = moons(1000);
const { results } = await evaluate(flow, fromTensors({ x }).batch(1000), { objective });
// A normal distribution for each coordinate has 1 + log 2π + Σ log σ.
const deviations = fitStandardize(x).scale.reduce((sum, scale) => sum + Math.log(scale), 0);
const { z } = await predict(flow, x);
const again = (await predict(new Inverse(flow), z)).toNumbers();
const differences = x.toNumbers().map((own, i) => Math.abs(own - (again[i] ?? Number.NaN)));
console.log(`negative log-likelihood of the flow: ${results.loss?.toFixed(3)}`);
console.log(`negative log-likelihood of normal distributions: ${(1 + Math.log(2 * Math.PI) + deviations).toFixed(3)}`);
console.log(`largest error of inverse(forward(x)): ${Math.max(...differences).toExponential(1)}`);
