/**
 * Activation maximization: images that excite the output unit of each digit, optimized from grey by gradients with respect to the image,
 * with a penalty on brightness (Erhan et al. 2009; Simonyan, Vedaldi and Zisserman 2014, sec. 2). A second network classifies them.
 */
import {
  accuracy,
  activation,
  adam,
  crossEntropy,
  dense,
  dropout,
  evaluate,
  fit,
  flatten,
  fromTensors,
  functional,
  grad,
  jit,
  keyOf,
  ops,
  predict,
  scaleBytes,
  sequential,
  Tensor,
  tensor,
  type Value,
  type ValuesByPath,
} from "sardonyx";
import { loadMnist } from "sardonyx/node";

const { train, test } = await loadMnist();
const digits = train.take(10_000).shuffle(keyOf(1)).batch(50).map(scaleBytes());
const options = { loss: crossEntropy(), metrics: [accuracy()] };
async function trained(units: number, seed: number) {
  const model = sequential([flatten(), dense(units, { activation: "relu" }), dropout(0.3), dense(10)]);
  await fit(model, digits, { ...options, optimizer: adam(), epochs: 3, training: { seed, compile: { threads: 1 } } });
  return model;
}
const [model, judge] = [await trained(128, 1), await trained(96, 2)];

const [shape, classes] = [[10, 1, 28, 28], Array.from({ length: 10 }, (_, i) => i)];
const { parameters, apply } = functional(model, { dtype: "float32", shape });
const unit = ops.oneHot(ops.range(10), 10);
/** Minus the score of unit k of image k, plus the penalty. Pixels are sigmoids, to stay in [0, 1]. */
const objective = (images: Value, weights: ValuesByPath) => {
  const pixels = ops.sigmoid(images);
  const scores = ops.mul(apply(weights, pixels), unit);
  return ops.sub(ops.mul(0.02, ops.reduceSum(pixels)), ops.reduceSum(scores));
};
const optimizer = adam({ learningRate: 0.1 });
const state = optimizer.init(new Tensor("float32", shape, new Float32Array(7840).fill(-2)));
const step = jit(grad(objective), { threads: 1, into: state.gradients });

const pixels = () => predict(activation("sigmoid"), state.parameters);
/** The mean score of the digits' own units. */
const excitement = async () => {
  const scores = (await predict(model, await pixels())).toNumbers();
  return classes.reduce((sum, digit) => sum + (scores[11 * digit] ?? 0) / 10, 0).toFixed(2);
};
const before = await excitement();
for (let i = 0; i < 200; i++) await optimizer.update(await step(state.parameters, parameters), state);

const images = await pixels();
const generated = fromTensors({ x: images, y: tensor(classes, { dtype: "int32" }) }).batch(10);
const { results: real } = await evaluate(judge, test.take(2000).batch(500).map(scaleBytes()), options);
const { results: seen } = await evaluate(judge, generated, options);
console.log(`mean score before: ${before}`);
console.log(`mean score after: ${await excitement()}`);
console.log(`accuracy of a second network on real digits: ${real.accuracy?.toFixed(3)}`);
console.log(`accuracy of a second network on generated images: ${seen.accuracy?.toFixed(3)}`);
const three = images.toNumbers().slice(3 * 784, 4 * 784);
for (let row = 0; row < 28; row += 2)
  console.log(
    three
      .slice(28 * row, 28 * row + 28)
      .map((own) => (own > 0.5 ? "#" : " "))
      .join(""),
  );
