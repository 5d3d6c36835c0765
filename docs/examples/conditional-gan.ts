/**
 * Class-conditional GAN: the generator makes points of a given class from noise (Mirza and Osindero 2014, sec. 3.2). Two models by name,
 * two alternating steps, each with its objective, optimizer and parameters.
 */
import {
  activation,
  adam,
  binaryCrossEntropy,
  type Context,
  dense,
  fit,
  frechetDistance,
  fromTensors,
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

const [classes, noise, count] = [4, 4, 4000];
const random = new Random(keyOf(1));
/** A wedge of points, in another direction for each class. */
function pointOf(label: number): number[] {
  const [angle, far] = [(2 * Math.PI * label) / classes, random.uniform(1, 2)];
  const [x, y] = [far + 0.05 * random.normal(), 0.15 * far * random.normal()];
  return [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)];
}
const labels = Array.from({ length: count }, (_, i) => i % classes);
const real = { x: tensor(labels.map(pointOf)), label: tensor(labels, { dtype: "int32" }) };

const leaky = () => activation((x) => ops.leakyRelu(x, 0.2));
const generator = sequential([dense(32), leaky(), dense(32), leaky(), dense(2)]);
const discriminator = sequential([dense(64), leaky(), dense(64), leaky(), dense(1)]);

/** Values followed by the class as a one-hot row. */
const beside = (x: Value, label: Value) => ops.concat([x, ops.oneHot(label, classes)], 1);
const generate = (context: Context, label: Value) =>
  generator.apply(beside(ops.randomNormal(context.randomKey(), [label.shape[0] ?? 0, noise]), label), context);
/** The discriminator's loss if points were real (1) or generated (0). */
const error = (context: Context, x: Value, label: Value, target: number) => {
  const logits = discriminator.apply(beside(x, label), context);
  return binaryCrossEntropy()(logits, ops.full(logits.shape, target));
};

type Points = { readonly x: Tensor; readonly label: Tensor };
const discriminate: Objective<Points> = (context, { x, label }) => {
  const fake = context.detached(() => generate(context, label));
  return { loss: ops.add(error(context, x, label, 1), error(context, fake, label, 0)) };
};
const deceive: Objective<{ label: Tensor }> = (context, { label }) => ({
  loss: error(context, generate(context, label), label, 1),
});

/** The Fréchet distance between generated and real points, averaged over the classes. */
async function distance(): Promise<string> {
  let sum = 0;
  for (let label = 0; label < classes; label++) {
    const inputs = Array.from({ length: 500 }, () => [
      ...Array.from({ length: noise }, () => random.normal()),
      ...Array.from({ length: classes }, (_, i) => Number(i === label)),
    ]);
    const generated = await predict(generator, tensor(inputs));
    sum += frechetDistance(generated, tensor(Array.from({ length: 500 }, () => pointOf(label))));
  }
  return (sum / classes).toFixed(4);
}

generator.initialize(keyOf(0), { dtype: "float32", shape: [1, noise + classes] });
console.log(`Fréchet distance before: ${await distance()}`);
const data = fromTensors(real).shuffle(keyOf(2)).batch(100);
const optimizer = () => adam({ learningRate: 0.002, beta1: 0.5 });
await fit({ generator, discriminator }, data, {
  steps: {
    discriminator: { objective: discriminate, optimizer: optimizer(), trains: "discriminator" },
    generator: { objective: deceive, optimizer: optimizer(), trains: "generator" },
  },
  epochs: 60,
  training: { compile: { threads: 1 } },
});
console.log(`Fréchet distance after: ${await distance()}`);
