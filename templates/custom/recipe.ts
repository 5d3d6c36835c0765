/** A network of your own on data of your own: which of two spirals a point lies on. */
import {
  accuracy,
  type Context,
  confusionMatrix,
  crossEntropy,
  defineRecipe,
  dense,
  fromTensors,
  keyOf,
  limited,
  Module,
  ops,
  Random,
  Tensor,
  type Value,
} from "sardonyx";

/** A layer of your own: a dense layer beside a shortcut around it. */
class Residual extends Module {
  readonly inner;

  constructor(width: number) {
    super();
    this.inner = dense(width, { activation: "tanh" });
  }

  /** x: [batch, width] */
  protected call(x: Value, context: Context): Value {
    return ops.add(x, this.inner.apply(x, context));
  }
}

/** A model is a layer as well: what it takes, what it gives. */
class Spirals extends Module {
  readonly first;
  readonly second;
  readonly head = dense(2);

  constructor(width: number) {
    super();
    this.first = dense(width, { activation: "tanh" });
    this.second = new Residual(width);
  }

  /** x: [batch, 2] */
  protected call(x: Value, context: Context): Value {
    return this.head.apply(this.second.apply(this.first.apply(x, context), context), context);
  }
}

/** Points of two spirals in turns, with some noise. */
function spirals(points: number, seed: number) {
  const random = new Random(keyOf(seed));
  const x = new Float32Array(2 * points);
  const y = Int32Array.from({ length: points }, (_, i) => i % 2);
  for (let i = 0; i < points; i++) {
    const turn = random.uniform(0.5, 3.5);
    const angle = turn * Math.PI + ((y[i] ?? 0) === 0 ? 0 : Math.PI);
    x[2 * i] = turn * Math.cos(angle) + 0.1 * random.normal();
    x[2 * i + 1] = turn * Math.sin(angle) + 0.1 * random.normal();
  }
  return fromTensors({ x: new Tensor("float32", [points, 2], x), y: new Tensor("int32", [points], y) });
}

/** What a trained model is used with; `load` adds the data. */
const open = ({ width }: { readonly width: number }) => ({
  model: new Spirals(width),
  inputs: { dtype: "float32", shape: [1, 2] } as const,
  classes: ["red", "blue"],
});

export default defineRecipe({
  name: "spirals",
  summary: "Which of two spirals a point lies on",
  defaults: { epochs: 60, batchSize: 32, learningRate: 0.01, optimizer: "adam", seed: 0 },
  options: { width: { description: "units of the hidden layers", default: 32 } },
  search: { width: { choices: [16, 32, 64] }, learningRate: { low: 0.001, high: 0.03, log: true } },
  open,
  async load({ width, batchSize, seed }, limit) {
    const [train, validation, test] = [spirals(1000, 1), spirals(300, 2), spirals(300, 3)];
    return {
      ...open({ width }),
      train: limited(train, limit).shuffle(keyOf(seed)).batch(batchSize),
      validation: validation.batch(300),
      test: test.batch(300),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(2)],
    };
  },
});
