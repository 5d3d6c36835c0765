/**
 * A normalizing flow: an invertible network turns two moons into a normal distribution, which gives the density of every point, and,
 * run backwards, new points. Affine coupling layers (Dinh, Sohl-Dickstein and Bengio 2017, Real NVP, sec. 3.2 to 3.4).
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

type Mapped = { readonly z: Value; readonly logDeterminant: Value };
/** One coordinate of points [N, 2], as [N, 1]. */
const coordinate = (x: Value, i: number) => ops.slice(x, { axis: 1, start: i, end: i + 1 });

/** Keeps the first coordinate, scales and shifts the second by what a network makes of the first, and swaps the two. */
class Coupling extends Module<Value, Mapped> {
  readonly kind = "container";
  readonly network = sequential([dense(48, { activation: "relu" }), dense(48, { activation: "relu" }), dense(2)]);
  protected call(x: Value, context: Context): Mapped {
    const kept = coordinate(x, 0);
    const { scale, shift } = this.#affine(kept, context);
    const moved = ops.add(ops.mul(coordinate(x, 1), ops.exp(scale)), shift);
    return { z: ops.concat([moved, kept], 1), logDeterminant: scale };
  }
  inverse(z: Value, context: Context): Value {
    const kept = coordinate(z, 1);
    const { scale, shift } = this.#affine(kept, context);
    return ops.concat([kept, ops.mul(ops.sub(coordinate(z, 0), shift), ops.exp(ops.neg(scale)))], 1);
  }
  #affine(kept: Value, context: Context) {
    const both = this.network.apply(kept, context);
    return { scale: ops.tanh(coordinate(both, 0)), shift: coordinate(both, 1) };
  }
}

class Flow extends Module<Value, Mapped> {
  readonly kind = "container";
  readonly couplings = Array.from({ length: 8 }, () => new Coupling());
  protected call(x: Value, context: Context): Mapped {
    return this.couplings.reduce<Mapped>(
      (own, coupling) => {
        const { z, logDeterminant } = coupling.apply(own.z, context);
        return { z, logDeterminant: ops.add(own.logDeterminant, logDeterminant) };
      },
      { z: x, logDeterminant: ops.zeros([x.shape[0] ?? 1, 1]) },
    );
  }
  inverse(z: Value, context: Context): Value {
    return this.couplings.reduceRight((own, coupling) => coupling.inverse(own, context), z);
  }
}
/** The same flow run backwards. */
class Inverse extends Module {
  readonly kind = "container";
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
/** The mean of -log p(x), with log p(x) = log N(z; 0, 1) + log |dz/dx| (eq. 2). */
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
/** Of a normal distribution for each coordinate: 1 + log 2π + Σ log σ on average. */
const deviations = fitStandardize(x).scale.reduce((sum, scale) => sum + Math.log(scale), 0);
const { z } = await predict(flow, x);
const again = (await predict(new Inverse(flow), z)).toNumbers();
const differences = x.toNumbers().map((own, i) => Math.abs(own - (again[i] ?? Number.NaN)));
console.log(`-log density by the flow: ${results.loss?.toFixed(3)}`);
console.log(`-log density by normal distributions: ${(1 + Math.log(2 * Math.PI) + deviations).toFixed(3)}`);
console.log(`inverse(forward(x)) - x at most: ${Math.max(...differences).toExponential(1)}`);
