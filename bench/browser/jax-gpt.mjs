// Owns the small GPT as a jax-js function.
import { nn, numpy as np } from "@jax-js/jax";
import { uniform } from "../contenders/data.mjs";
import { gpt, gptTokens } from "../contenders/gpt-sizes.mjs";

const { texts, tokens, vocabulary, width, layers, heads, feedForward } = gpt;

/** Uniform with the standard deviation 0.02 that GPT-2 begins with. */
function drawn(shape, seed) {
  const size = shape.reduce((product, extent) => product * extent);
  return np.array(uniform(size, seed).map((value) => (value - 0.5) * 0.02 * Math.sqrt(12))).reshape(shape);
}
const dense = (inputs, outputs, seed) => ({ w: drawn([inputs, outputs], seed), b: np.zeros([outputs]) });
const norm = () => ({ scale: np.ones([width]), shift: np.zeros([width]) });

const block = (seed) => ({
  before: norm(),
  queries: dense(width, width, seed),
  keys: dense(width, width, seed + 1),
  values: dense(width, width, seed + 2),
  out: dense(width, width, seed + 3),
  between: norm(),
  up: dense(width, feedForward, seed + 4),
  down: dense(feedForward, width, seed + 5),
});

const apply = ({ w, b }, x) => np.matmul(x, w).add(b);
const normalize = ({ scale, shift }, x) => nn.standardize(x, -1, { epsilon: 1e-5 }).mul(scale).add(shift);

function attend({ queries, keys, values, out }, x) {
  const split = (part) => part.reshape([texts, tokens, heads, width / heads]);
  const [q, k, v] = [apply(queries, x.ref), apply(keys, x.ref), apply(values, x)].map(split);
  return apply(out, nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([texts, tokens, width]));
}

/** Its parameters, function and batch, for `trainingStep`. */
export function gptModel() {
  const parameters = {
    table: drawn([vocabulary, width], 1),
    places: drawn([tokens, width], 2),
    blocks: Array.from({ length: layers }, (_, i) => block(10 * (i + 1))),
    last: norm(),
  };
  const scoresOf = (parameters, statistics, ids) => {
    let x = np.take(parameters.table.ref, ids, 0).add(parameters.places);
    for (const own of parameters.blocks) {
      x = x.ref.add(attend(own, normalize(own.before, x)));
      x = x.ref.add(apply(own.down, nn.gelu(apply(own.up, normalize(own.between, x)))));
    }
    const scores = np.matmul(normalize(parameters.last, x), np.transpose(parameters.table));
    return [scores, statistics];
  };
  const ids = np.array(gptTokens()).reshape([texts, tokens]);
  const targets = nn.oneHot(ids.ref, vocabulary);
  return { parameters, statistics: {}, apply: scoresOf, batch: { inputs: ids, targets, rows: texts * tokens } };
}
