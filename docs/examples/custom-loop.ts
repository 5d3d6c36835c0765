/**
 * A training loop of your own: the model as a function of its parameters, its gradient compiled into one graph that writes where the
 * optimizer reads, and the update of Adam (Kingma and Ba 2015). It makes the same steps as `Trainer`, bit for bit.
 */
import {
  adam,
  crossEntropy,
  dense,
  functional,
  jit,
  keyOf,
  sequential,
  Trainer,
  type Value,
  type ValuesByPath,
  valueAndGrad,
} from "sardonyx";
import { loadIris } from "sardonyx/node";

const data = (await loadIris()).all.shuffle(keyOf(1)).batch(15);
const network = () => sequential([dense(16, { activation: "tanh" }), dense(3)]);
const epochs = 20;

const { parameters, apply } = functional(network(), { dtype: "float32", shape: [15, 4] });
const loss = (weights: ValuesByPath, x: Value, y: Value) => crossEntropy()(apply(weights, x), y);
const optimizer = adam({ learningRate: 0.01 });
let state = optimizer.init(parameters);
const step = jit(valueAndGrad(loss), { into: [undefined, state.gradients] });
const own: number[] = [];
for (let epoch = 0; epoch < epochs; epoch++)
  for await (const { x, y } of data.epoch(epoch)) {
    const [error, gradients] = await step(state.parameters, x, y);
    state = await optimizer.update(gradients, state);
    own.push(error.item());
  }

const model = network();
const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: adam({ learningRate: 0.01 }) });
const trained: number[] = [];
for (let epoch = 0; epoch < epochs; epoch++)
  for await (const batch of data.epoch(epoch)) trained.push((await trainer.step(batch)).loss);

const differences = Array.from(model.parameters(), ([path, { value }]) => {
  const other = state.parameters[path]?.toNumbers() ?? [];
  return Math.max(...(value?.toNumbers() ?? []).map((weight, i) => Math.abs(weight - (other[i] ?? Number.NaN))));
});
console.log(`first loss: ${own[0]?.toFixed(4)}`);
console.log(`last loss: ${own.at(-1)?.toFixed(4)}`);
console.log(
  `largest difference of a loss: ${Math.max(...own.map((error, i) => Math.abs(error - (trained[i] ?? Number.NaN))))}`,
);
console.log(`largest difference of a weight: ${Math.max(...differences)}`);
