/**
 * Grad-CAM: where a classifier looks. The maps of the last convolution, weighted by the gradient of the class's score, show the place that
 * decides (Selvaraju et al. 2017, eq. 1 and 2); the pointing game (Zhang et al. 2016) counts how often its maximum lies on the object.
 */
import {
  accuracy,
  adam,
  conv2d,
  crossEntropy,
  dense,
  evaluate,
  fit,
  fromTensors,
  functional,
  globalAveragePool,
  grad,
  highest,
  jit,
  keyOf,
  ops,
  predict,
  Random,
  sequential,
  Tensor,
  tensor,
  type Value,
  type ValuesByPath,
} from "sardonyx";

const [size, shapes] = [32, 3];
const random = new Random(keyOf(1));
/** Whether a square (0), a cross (1) or a ring (2) of 9 x 9 pixels covers a place, counted from its middle. */
const covers = (shape: number, row: number, column: number) => {
  const [far, near] = [Math.max(Math.abs(row), Math.abs(column)), Math.min(Math.abs(row), Math.abs(column))];
  if (far > 4) return false;
  return shape === 0 ? far >= 3 : shape === 1 ? near <= 1 : Math.abs(Math.hypot(row, column) - 3.5) < 1;
};
/** Noisy images with a shape each, the kinds of the shapes, and the places of their middles. */
function scenes(count: number) {
  const x = new Float32Array(count * size * size);
  const kinds = Array.from({ length: count }, () => random.integer(shapes));
  const middles = kinds.map((kind, image) => {
    const [u, v] = [4 + random.integer(size - 8), 4 + random.integer(size - 8)];
    for (let i = 0; i < size * size; i++) {
      const isBright = covers(kind, Math.floor(i / size) - u, (i % size) - v);
      x[image * size * size + i] = 0.5 * Number(isBright) + 0.2 * random.normal();
    }
    return [u, v];
  });
  const tensors = { x: new Tensor("float32", [count, 1, size, size], x), y: tensor(kinds, { dtype: "int32" }) };
  return { tensors, middles };
}

const relu = { padding: 1, activation: "relu" } as const;
const features = sequential([
  conv2d(8, 3, { ...relu, stride: 2 }),
  conv2d(16, 3, relu),
  conv2d(16, 3, { ...relu, stride: 2 }),
]);
const head = sequential([globalAveragePool(), dense(shapes)]);
const model = sequential([features, head]);
const options = { loss: crossEntropy(), metrics: [accuracy()] };
await fit(model, fromTensors(scenes(2000).tensors).shuffle(keyOf(2)).batch(50), {
  ...options,
  optimizer: adam({ learningRate: 0.005 }),
  epochs: 10,
  training: { compile: { threads: 1 } },
});

const { tensors, middles } = scenes(300);
const { results } = await evaluate(model, fromTensors(tensors).batch(100), options);
const maps = await predict(features, tensors.x); // [N, 16, 8, 8]
const { parameters, apply } = functional(head, maps);
const locate = jit((weights: ValuesByPath, own: Value, kinds: Value) => {
  // The sum over samples: each one's gradient is that of its own score.
  const score = (given: Value) => ops.reduceSum(ops.mul(apply(weights, given), ops.oneHot(kinds, shapes)));
  const importance = ops.reduceMean(grad(score)(own), [2, 3], { keepDims: true });
  return ops.relu(ops.reduceSum(ops.mul(own, importance), 1)); // [N, 8, 8]
});
const heat = (await locate(parameters, maps, tensors.y)).toNumbers();

/** Whether a cell of 4 x 4 pixels has its middle in a sample's shape. */
const lies = (cell: number, [u = 0, v = 0]: readonly number[]) =>
  Math.abs(4 * Math.floor(cell / 8) + 1.5 - u) <= 4 && Math.abs(4 * (cell % 8) + 1.5 - v) <= 4;
const share = (hits: readonly boolean[]) => (hits.filter(Boolean).length / hits.length).toFixed(3);
const looked = middles.map((middle, i) => lies(highest(heat.slice(64 * i, 64 * i + 64), 1)[0] ?? 0, middle));
console.log(`accuracy: ${results.accuracy?.toFixed(3)}`);
console.log(`maximum on the shape: ${share(looked)}`);
console.log(`maximum on the shape by chance: ${share(middles.map((middle) => lies(random.integer(64), middle)))}`);
