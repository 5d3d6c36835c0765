// Owns the three networks as jax-js functions: parameters, running statistics, and apply.
import { lax, nn, numpy as np } from "@jax-js/jax";
import { weights } from "./data.mjs";

const array = (values, shape) => np.array(values).reshape(shape);

function denseParameters(inputs, outputs, seed) {
  return { w: array(weights(inputs * outputs, inputs, seed), [inputs, outputs]), b: np.zeros([outputs]) };
}

function convolutionParameters(inputs, outputs, seed) {
  const fanIn = inputs * 9;
  return { w: array(weights(outputs * fanIn, fanIn, seed), [outputs, inputs, 3, 3]), b: np.zeros([outputs]) };
}

const dense = ({ w, b }, x) => np.matmul(x, w).add(b);

const convolution = ({ w, b }, x, padding) =>
  lax.convGeneralDilated(x, w, [1, 1], padding).add(b.reshape([1, -1, 1, 1]));

const maxPool = (x) => lax.reduceWindow(x, (window) => np.max(window), [2, 2], [2, 2]);

/** Normalizes each channel over the batch and the image; returns the running statistics moved a tenth towards it. */
function batchNormalization({ scale, shift }, { mean: runningMean, variance: runningVariance }, x) {
  const axes = [0, 2, 3];
  const channel = (values) => values.reshape([1, -1, 1, 1]);
  const count = x.shape[0] * x.shape[2] * x.shape[3];

  const mean = np.mean(x.ref, axes);
  const centred = x.sub(channel(mean.ref));
  const variance = np.mean(np.square(centred.ref), axes);
  const gain = scale.div(np.sqrt(variance.ref.add(1e-5)));
  const output = centred.mul(channel(gain)).add(channel(shift));

  const statistics = {
    mean: runningMean.mul(0.9).add(lax.stopGradient(mean).mul(0.1)),
    variance: runningVariance.mul(0.9).add(lax.stopGradient(variance).mul((0.1 * count) / (count - 1))),
  };
  return [output, statistics];
}

export function lenet() {
  const parameters = {
    first: convolutionParameters(1, 32, 1),
    second: convolutionParameters(32, 64, 2),
    hidden: denseParameters(1600, 128, 3),
    output: denseParameters(128, 10, 4),
  };
  const apply = (parameters, statistics, inputs) => {
    let x = maxPool(nn.relu(convolution(parameters.first, inputs, "VALID"))); // [64, 32, 13, 13]
    x = maxPool(nn.relu(convolution(parameters.second, x, "VALID"))); // [64, 64, 5, 5]
    x = nn.relu(dense(parameters.hidden, x.reshape([64, 1600])));
    return [dense(parameters.output, x), statistics];
  };
  return { parameters, statistics: {}, apply, inputShape: [64, 1, 28, 28] };
}

export function mlp() {
  const parameters = {
    first: denseParameters(784, 512, 1),
    second: denseParameters(512, 512, 2),
    output: denseParameters(512, 10, 3),
  };
  const apply = (parameters, statistics, inputs) => {
    let x = nn.relu(dense(parameters.first, inputs));
    x = nn.relu(dense(parameters.second, x));
    return [dense(parameters.output, x), statistics];
  };
  return { parameters, statistics: {}, apply, inputShape: [128, 784] };
}

export function cnn() {
  const channels = [3, 32, 32, 64, 64];
  const blocks = channels.slice(1).map((outputs, index) => ({
    convolution: convolutionParameters(channels[index], outputs, index + 1),
    normalization: { scale: np.ones([outputs]), shift: np.zeros([outputs]) },
  }));
  const parameters = { blocks, hidden: denseParameters(4096, 128, 5), output: denseParameters(128, 10, 6) };
  const statistics = channels.slice(1).map((outputs) => ({ mean: np.zeros([outputs]), variance: np.ones([outputs]) }));

  const apply = (parameters, statistics, inputs) => {
    let x = inputs;
    const updated = parameters.blocks.map((block, index) => {
      x = convolution(block.convolution, x, "SAME");
      let moved;
      [x, moved] = batchNormalization(block.normalization, statistics[index], x);
      x = nn.relu(x);
      if (index % 2 === 1) x = maxPool(x); // [64, 32, 16, 16], then [64, 64, 8, 8]
      return moved;
    });
    x = nn.relu(dense(parameters.hidden, x.reshape([64, 4096])));
    return [dense(parameters.output, x), updated];
  };
  return { parameters, statistics, apply, inputShape: [64, 3, 32, 32] };
}
