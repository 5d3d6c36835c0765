/**
 * An autoencoder, compared with its own input, with weights of samples: a rare kind of sample, one in twenty, counts for as much as the
 * common kind. Autoencoders are Hinton and Salakhutdinov's (2006); weights by inverse frequency, King and Zeng's (2001).
 */
import {
  adam,
  against,
  dense,
  evaluate,
  fit,
  fromTensors,
  keyOf,
  meanSquaredError,
  Random,
  sequential,
  type Tensor,
  tensor,
} from "sardonyx";

const [features, code, share] = [10, 2, 1 / 20];
const random = new Random(keyOf(1));
const normals = (length: number) => Array.from({ length }, () => random.normal());
/** Each kind lies in its own plane, with a little noise. */
const planes = [0, 1].map(() => [normals(features), normals(features)]);
function pointOf(kind: number): number[] {
  const [first = [], second = []] = planes[kind] ?? [];
  const [a, b] = [random.normal(), random.normal()];
  return normals(features).map((noise, i) => a * (first[i] ?? 0) + b * (second[i] ?? 0) + 0.1 * noise);
}
const kinds = Array.from({ length: 2000 }, () => Number(random.uniform() < share));
const x = tensor(kinds.map(pointOf));
const weight = tensor(kinds.map((kind) => 1 / (kind === 1 ? share : 1 - share)));

const loss = against("x", meanSquaredError());
async function errors(data: { readonly x: Tensor; readonly weight?: Tensor }): Promise<string[]> {
  const model = sequential([
    dense(32, { activation: "tanh" }),
    dense(code),
    dense(32, { activation: "tanh" }),
    dense(features),
  ]);
  await fit(model, fromTensors(data).shuffle(keyOf(2)).batch(50), {
    loss,
    optimizer: adam({ learningRate: 0.01 }),
    epochs: 25,
    training: { compile: { threads: 1 } },
  });
  const test = [0, 1].map((kind) => fromTensors({ x: tensor(Array.from({ length: 500 }, () => pointOf(kind))) }));
  const measured = await Promise.all(test.map((points) => evaluate(model, points.batch(500), { loss })));
  return measured.map(({ results }) => results.loss?.toFixed(3) ?? "");
}
const [common, rare] = await errors({ x });
const [commonWeighted, rareWeighted] = await errors({ x, weight });
console.log(`error of common samples: ${common}`);
console.log(`error of common samples, weighted: ${commonWeighted}`);
console.log(`error of rare samples: ${rare}`);
console.log(`error of rare samples, weighted: ${rareWeighted}`);
