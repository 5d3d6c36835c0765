/**
 * Two inputs by name, an image and a row of a table. The image shows a digit, the row holds two numbers: does the digit lie between them?
 * Neither input is enough. Each has its own layers, whose features are joined. The digits are MNIST's (LeCun et al. 1998).
 */
import {
  accuracy,
  adam,
  type Context,
  conv2d,
  crossEntropy,
  type Dataset,
  dense,
  evaluate,
  fit,
  flatten,
  keyOf,
  type Labelled,
  lambda,
  Module,
  maxPool2d,
  ops,
  scaleBytes,
  sequential,
  tensor,
  type Value,
} from "sardonyx";
import { loadMnist } from "sardonyx/node";

type Inputs = { readonly image: Value; readonly table: Value };
class Fusion extends Module<Inputs> {
  override readonly inputs = { image: "required", table: "required" } as const;
  readonly ofImage = sequential([
    ...[conv2d(8, 5, { stride: 2, activation: "relu" }), maxPool2d(2), flatten()],
    dense(32, { activation: "relu" }),
  ]);
  readonly ofTable = dense(32, { activation: "relu" });
  readonly head = sequential([dense(32, { activation: "relu" }), dense(2)]);
  protected call({ image, table }: Inputs, context: Context): Value {
    const features = [this.ofImage.apply(image, context), this.ofTable.apply(table, context)];
    return this.head.apply(ops.concat(features, 1), context);
  }
}

const { train, test } = await loadMnist();
/** Digits with two numbers each; `y` is 1 where the digit lies between them. */
const withTable = (digits: Dataset<Labelled>) =>
  digits.batch(64).map(({ x, y }, random) => {
    const rows = y.toNumbers().map(() => [random.integer(10), random.integer(10)].sort((a, b) => a - b));
    const between = y.toNumbers().map((digit, i) => {
      const [low = 0, high = 0] = rows[i] ?? [];
      return Number(low <= digit && digit <= high);
    });
    const table = rows.map((row) => row.map((number) => number / 9));
    return { image: scaleBytes()({ x }).x, table: tensor(table), y: tensor(between, { dtype: "int32" }) };
  }, keyOf(1));
const options = {
  loss: crossEntropy(),
  optimizer: adam({ learningRate: 0.003 }),
  metrics: [accuracy()],
  training: { compile: { threads: 1 } },
};

/** Trains on what `see` leaves of the inputs. Returns the accuracy on test digits. */
async function measured(see: (inputs: Inputs) => Inputs): Promise<string> {
  const model = sequential<Inputs>([lambda(see), new Fusion()]);
  await fit(model, withTable(train.take(10_000).shuffle(keyOf(2))), { ...options, epochs: 6 });
  const { results } = await evaluate(model, withTable(test.take(2000)), options);
  return (results.accuracy ?? 0).toFixed(3);
}
console.log(`accuracy with both inputs: ${await measured((inputs) => inputs)}`);
console.log(`accuracy with the image: ${await measured(({ image, table }) => ({ image, table: ops.mul(table, 0) }))}`);
console.log(`accuracy with the table: ${await measured(({ image, table }) => ({ image: ops.mul(image, 0), table }))}`);
