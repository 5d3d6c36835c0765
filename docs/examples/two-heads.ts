/**
 * Two outputs by name, each with a loss, a weight and metrics: the species of a flower and the width of its petals from its other
 * measurements. Multitask learning with a shared layer (Caruana 1997), on Iris (Fisher 1936).
 */
import {
  accuracy,
  adam,
  type Context,
  crossEntropy,
  dense,
  evaluate,
  fit,
  fitStandardize,
  fromTensors,
  keyOf,
  Module,
  meanAbsoluteErrorMetric,
  meanSquaredError,
  tensor,
  transform,
  type Value,
} from "sardonyx";
import { loadIris } from "sardonyx/node";

class Flowers extends Module<Value, { readonly species: Value; readonly width: Value }> {
  readonly shared = dense(16, { activation: "tanh" });
  readonly species = dense(3);
  readonly width = dense(1);
  protected call(x: Value, context: Context) {
    const features = this.shared.apply(x, context);
    return { species: this.species.apply(features, context), width: this.width.apply(features, context) };
  }
}

const { x, y } = (await loadIris()).all.tensors;
const numbers = x.toNumbers(); // sepal length, sepal width, petal length, petal width, in cm
const inputs = tensor(
  numbers.filter((_, i) => i % 4 < 3),
  { shape: [150, 3] },
);
const widths = numbers.filter((_, i) => i % 4 === 3);
const flowers = { x: transform(inputs, fitStandardize(inputs)), species: y, width: tensor(widths) };
const [train, test] = fromTensors(flowers).split(0.8, keyOf(1));

const loss = {
  species: { loss: crossEntropy(), metrics: [accuracy()] },
  width: { loss: meanSquaredError(), weight: 3, metrics: [meanAbsoluteErrorMetric()] },
};
const model = new Flowers();
await fit(model, train.shuffle(keyOf(1)).batch(20), { loss, optimizer: adam({ learningRate: 0.01 }), epochs: 100 });
const { results } = await evaluate(model, test.batch(30), { loss });

const mean = widths.reduce((sum, width) => sum + width, 0) / widths.length;
const spread = widths.reduce((sum, width) => sum + Math.abs(width - mean), 0) / widths.length;
console.log(`species accuracy: ${results.species_accuracy?.toFixed(3)}`);
console.log(`species accuracy of the most common: ${(1 / 3).toFixed(3)}`);
console.log(`width error in cm: ${results.width_meanAbsoluteError?.toFixed(3)}`);
console.log(`width error of the mean in cm: ${spread.toFixed(3)}`);
