/**
 * Parameter groups, each with an optimizer, a rate and a schedule: a network trained on the digits 0 to 4 is fine-tuned to 5 to 9 on 100
 * images. Adam trains the new head, SGD the old layers, the lower ones at smaller rates.
 * Discriminative fine-tuning (Howard and Ruder 2018, sec. 3.2); transfer of layers (Yosinski et al. 2014).
 */
import {
  accuracy,
  adam,
  conv2d,
  cosine,
  crossEntropy,
  dense,
  evaluate,
  exponentialDecay,
  fit,
  flatten,
  type Labelled,
  type Module,
  maxPool2d,
  type ParameterGroup,
  scaleBytes,
  sequential,
  sgd,
  tensor,
} from "sardonyx";
import { loadMnist } from "sardonyx/node";

const { train, test } = await loadMnist();
const isLow = ({ y }: Labelled) => y.item() < 5;
const low = train.filter(isLow).take(5000).batch(50).map(scaleBytes());
const fromZero = ({ x, y }: Labelled) => ({
  x,
  y: tensor(
    y.toNumbers().map((digit) => digit - 5),
    { dtype: "int32" },
  ),
});
const high = (data: typeof train, count: number, size: number) =>
  data
    .filter((digit) => !isLow(digit))
    .take(count)
    .batch(size)
    .map(scaleBytes())
    .map(fromZero);
const [few, held] = [high(train, 100, 20).cache(), high(test, 2000, 500)];

const relu = { activation: "relu" } as const;
const body = () =>
  sequential([
    ...[conv2d(8, 5, relu), maxPool2d(2), conv2d(16, 5, relu), maxPool2d(2)],
    ...[flatten(), dense(64, relu)],
  ]);
const options = { loss: crossEntropy(), metrics: [accuracy()] };
const compile = { threads: 1 };
const known = body();
await fit(sequential([known, dense(5)]), low, { ...options, optimizer: adam(), epochs: 3, training: { compile } });

const steps = 20 * 5;
/** The accuracy after training on few images. */
async function trained(model: Module, groups: readonly ParameterGroup[]): Promise<string | undefined> {
  await fit(model, few, {
    ...options,
    optimizer: sgd({ learningRate: cosine({ rate: 0.05, steps }), momentum: 0.9 }),
    epochs: 20,
    training: { groups, compile },
  });
  return (await evaluate(model, held, options)).results.accuracy?.toFixed(3);
}
const tuned = sequential([known, dense(5)]);
const weights = ["layers.0.weight", "layers.2.weight", "layers.5.weight"];
const valuesOf = () => weights.map((path) => known.parameters().get(path)?.value?.toNumbers() ?? []);
const before = valuesOf();
const groups = [
  { parameters: "layers.1", optimizer: adam({ learningRate: exponentialDecay({ rate: 0.01, factor: 0.99 }) }) },
  { parameters: "layers.0.layers.0", learningRateScale: 0.1 },
  { parameters: "layers.0.layers.2", learningRate: cosine({ rate: 0.02, steps }) },
];
console.log(`accuracy when fine-tuned: ${await trained(tuned, groups)}`);
console.log(`accuracy when trained from scratch: ${await trained(sequential([body(), dense(5)]), [])}`);
for (const [layer, after] of valuesOf().entries()) {
  const moved = after.map((own, i) => own - (before[layer]?.[i] ?? 0));
  console.log(
    `${weights[layer]} moved by: ${(Math.hypot(...moved) / Math.hypot(...(before[layer] ?? []))).toFixed(3)}`,
  );
}
