// Owns the small GPT in TensorFlow.js's operators: it has no layer of attention, so that its users write it so.
import * as tf from "@tensorflow/tfjs";
import { gpt, gptTokens } from "../contenders/gpt-sizes.mjs";

const { texts, tokens, vocabulary, width, layers, heads, feedForward } = gpt;

const drawn = (shape) => tf.variable(tf.randomNormal(shape, 0, 0.02));
const dense = (inputs, outputs) => ({ w: drawn([inputs, outputs]), b: tf.variable(tf.zeros([outputs])) });
const norm = () => ({ scale: tf.variable(tf.ones([width])), shift: tf.variable(tf.zeros([width])) });

const block = () => ({
  before: norm(),
  queries: dense(width, 3 * width),
  out: dense(width, width),
  between: norm(),
  up: dense(width, feedForward),
  down: dense(feedForward, width),
});

const apply = ({ w, b }, x) => x.matMul(w).add(b);

function normalize({ scale, shift }, x) {
  const { mean, variance } = tf.moments(x, -1, true);
  return x.sub(mean).div(variance.add(1e-5).sqrt()).mul(scale).add(shift);
}

/** GPT-2's form of Gelu, by the hyperbolic tangent. */
const gelu = (x) =>
  x.mul(0.5).mul(
    x
      .add(x.mul(x).mul(x).mul(0.044715))
      .mul(Math.sqrt(2 / Math.PI))
      .tanh()
      .add(1),
  );

/** -1e9 above the diagonal: what a token may not look at. */
const mask = () =>
  tf.tensor2d(
    Float32Array.from({ length: tokens * tokens }, (_, at) => (at % tokens > Math.floor(at / tokens) ? -1e9 : 0)),
    [tokens, tokens],
  );

function attend({ queries, out }, x, hidden) {
  const split = (part) => part.reshape([texts, tokens, heads, width / heads]).transpose([0, 2, 1, 3]);
  const [q, k, v] = tf.split(apply(queries, x), 3, 1).map(split);
  const scores = q
    .matMul(k, false, true)
    .mul(1 / Math.sqrt(width / heads))
    .add(hidden);
  const mixed = scores
    .softmax()
    .matMul(v)
    .transpose([0, 2, 1, 3])
    .reshape([texts * tokens, width]);
  return apply(out, mixed);
}

/** A step of training: forward, backward, Adam, the loss read. */
export function gptStep() {
  const table = drawn([vocabulary, width]);
  const places = drawn([tokens, width]);
  const blocks = Array.from({ length: layers }, block);
  const last = norm();
  const hidden = mask();
  const ids = tf.tensor1d(gptTokens(), "int32");
  const targets = tf.oneHot(ids, vocabulary);
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
  const loss = () => {
    let x = tf
      .gather(table, ids)
      .reshape([texts, tokens, width])
      .add(places)
      .reshape([texts * tokens, width]);
    for (const own of blocks) {
      x = x.add(attend(own, normalize(own.before, x), hidden));
      x = x.add(apply(own.down, gelu(apply(own.up, normalize(own.between, x)))));
    }
    const scores = normalize(last, x).matMul(table, false, true);
    return tf.losses.softmaxCrossEntropy(targets, scores);
  };
  return {
    async step() {
      const value = optimizer.minimize(loss, true);
      const [read] = await value.data();
      value.dispose();
      return read;
    },
  };
}
