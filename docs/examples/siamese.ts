/**
 * A Siamese network: one encoder embeds both images of a pair, so that pairs of the same digit lie close and others apart.
 * Contrastive loss with a margin (Hadsell, Chopra and LeCun 2006, eq. 4), on MNIST.
 */
import {
  adam,
  collect,
  dense,
  fit,
  foldIn,
  fromIterable,
  keyOf,
  type Objective,
  ops,
  predict,
  Random,
  scaleBytes,
  sequential,
  Tensor,
  tensor,
} from "sardonyx";
import { loadMnist } from "sardonyx/node";

const { train, test } = await loadMnist();
const known = scaleBytes()(await collect(train.take(6000)));
const held = scaleBytes()(await collect(test.take(2000)));

/** Images by their places. */
const imagesAt = ({ data }: Tensor<"float32">, places: readonly number[]) => {
  const images = new Float32Array(places.length * 784);
  for (const [i, place] of places.entries()) images.set(data.subarray(place * 784, (place + 1) * 784), i * 784);
  return new Tensor("float32", [places.length, 784], images);
};
/** Pairs of images, every other one of the same digit. */
function pairs({ x, y }: typeof known, count: number, random: Random) {
  const digits = y.toNumbers();
  const left = Array.from({ length: count }, () => random.integer(digits.length));
  const right = left.map((place, i) => {
    let other = place;
    while (other === place || (digits[other] === digits[place]) !== (i % 2 === 0))
      other = random.integer(digits.length);
    return other;
  });
  const same = tensor(left.map((_, i) => (i % 2 === 0 ? 1 : 0)));
  return { left: imagesAt(x, left), right: imagesAt(x, right), same };
}

const encoder = sequential([dense(128, { activation: "relu" }), dense(64, { activation: "relu" }), dense(8)]);
const objective: Objective<ReturnType<typeof pairs>> = (context, { left, right, same }) => {
  const difference = ops.sub(encoder.apply(left, context), encoder.apply(right, context));
  const squared = ops.reduceSum(ops.square(difference), 1);
  const short = ops.relu(ops.sub(1, ops.sqrt(ops.add(squared, 1e-12))));
  const terms = ops.add(ops.mul(same, squared), ops.mul(ops.sub(1, same), ops.square(short)));
  return { loss: ops.reduceMean(terms) };
};
const data = fromIterable(function* (epoch) {
  const random = new Random(foldIn(keyOf(1), epoch));
  for (let i = 0; i < 100; i++) yield pairs(known, 128, random);
});
await fit(encoder, data, {
  objective,
  optimizer: adam(),
  epochs: 8,
  training: { compile: { threads: 1 } },
});

/** The share of pairs that are classified rightly by whether their distance is below the median. */
async function accuracyOf(encode: (x: Tensor) => Promise<Tensor>): Promise<string> {
  const { left, right } = pairs(held, 2000, new Random(keyOf(2)));
  const [a, b] = [(await encode(left)).toNumbers(), (await encode(right)).toNumbers()];
  const width = a.length / 2000;
  const distances = Array.from({ length: 2000 }, (_, i) =>
    Math.hypot(...a.slice(i * width, (i + 1) * width).map((own, k) => own - (b[i * width + k] ?? 0))),
  );
  const median = distances.toSorted((p, q) => p - q)[1000] ?? 0;
  const hits = distances.filter((distance, i) => distance < median === (i % 2 === 0));
  return (hits.length / 2000).toFixed(3);
}
console.log(`accuracy by embeddings: ${await accuracyOf((x) => predict(encoder, x))}`);
console.log(`accuracy by pixels: ${await accuracyOf(async (x) => x)}`);
