/**
 * Knowledge distillation: a small network learns from the softened probabilities of a large one, which is frozen and not part of the
 * trained model. Hinton, Vinyals and Dean 2015, sec. 2: temperature T, the soft loss times T² is added to the loss of the labels.
 */
import {
  accuracy,
  adam,
  categoricalCrossEntropy,
  crossEntropy,
  dense,
  dropout,
  evaluate,
  fit,
  flatten,
  keyOf,
  type Module,
  type Objective,
  ops,
  scaleBytes,
  sequential,
  type Tensor,
} from "sardonyx";
import { loadMnist } from "sardonyx/node";

const { train, test } = await loadMnist();
const digits = train.take(10_000).shuffle(keyOf(1)).batch(50).map(scaleBytes());
const few = train.take(500).shuffle(keyOf(1)).batch(50).map(scaleBytes());
const held = test.take(2000).batch(500).map(scaleBytes());
const options = { loss: crossEntropy(), metrics: [accuracy()], training: { compile: { threads: 1 } } };
const accuracyOf = async (model: Module) => (await evaluate(model, held, options)).results.accuracy?.toFixed(3);

const teacher = sequential([flatten(), dense(256, { activation: "relu" }), dropout(0.3), dense(10)]);
await fit(teacher, digits, { ...options, optimizer: adam(), epochs: 4 });

const student = () => sequential([flatten(), dense(16, { activation: "relu" }), dense(10)]);
const alone = student();
await fit(alone, few, { ...options, optimizer: adam({ learningRate: 0.003 }), epochs: 40 });

const [temperature, share] = [4, 0.9];
const distilled = student();
const distil: Objective<{ x: Tensor; y: Tensor }> = (context, { x, y }) => {
  const logits = distilled.apply(x, context);
  const targets = context.frozen(() => teacher.apply(x, context));
  const soft = categoricalCrossEntropy()(ops.div(logits, temperature), ops.softmax(ops.div(targets, temperature)));
  const hard = crossEntropy()(logits, y);
  return { loss: ops.add(ops.mul(soft, share * temperature ** 2), ops.mul(hard, 1 - share)), outputs: logits };
};
await fit(distilled, few, {
  objective: distil,
  metrics: [accuracy()],
  optimizer: adam({ learningRate: 0.003 }),
  epochs: 40,
  training: options.training,
});

console.log(`accuracy of the teacher: ${await accuracyOf(teacher)}`);
console.log(`accuracy of the distilled student: ${await accuracyOf(distilled)}`);
console.log(`accuracy of the student alone: ${await accuracyOf(alone)}`);
