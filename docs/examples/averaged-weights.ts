/**
 * An exponential moving average of the weights as a callback, compared with the same run without it: at a high constant rate the weights
 * keep moving, and their average is better than the last ones (Polyak and Juditsky 1992; Tarvainen and Valpola 2017, sec. 2).
 */
import {
  accuracy,
  type Callback,
  crossEntropy,
  dense,
  evaluate,
  fit,
  flatten,
  keyOf,
  movingAverage,
  scaleBytes,
  sequential,
  sgd,
} from "sardonyx";
import { loadMnist } from "sardonyx/node";

const { train, test } = await loadMnist();
const digits = train.take(6000).shuffle(keyOf(1)).batch(16).map(scaleBytes());
const held = test.batch(500).map(scaleBytes());
const options = { loss: crossEntropy(), metrics: [accuracy()] };

async function trained(callbacks: readonly Callback[]) {
  const model = sequential([flatten(), dense(64, { activation: "relu" }), dense(10)]);
  const { history } = await fit(model, digits, {
    ...options,
    optimizer: sgd({ learningRate: 0.3, momentum: 0.5 }),
    epochs: 4,
    callbacks,
    training: { compile: { threads: 1 } },
  });
  const { results } = await evaluate(model, held, options);
  return { results, last: history.at(-1) };
}
const [plain, averaged] = [await trained([]), await trained([movingAverage({ decay: 0.995 })])];
console.log(`difference of the training losses: ${(plain.last?.loss ?? 0) - (averaged.last?.loss ?? 1)}`);
console.log(`test loss of the last weights: ${plain.results.loss?.toFixed(4)}`);
console.log(`test loss of the average: ${averaged.results.loss?.toFixed(4)}`);
console.log(`accuracy of the last weights: ${plain.results.accuracy?.toFixed(4)}`);
console.log(`accuracy of the average: ${averaged.results.accuracy?.toFixed(4)}`);
