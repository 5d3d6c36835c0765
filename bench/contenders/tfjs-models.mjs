// Owns the networks as TensorFlow.js layers models, with a step of training each; channels last, as its convolutions are.
import * as tf from "@tensorflow/tfjs";
import { labels, uniform } from "./data.mjs";

const { dense, flatten, conv2d, batchNormalization, activation, maxPooling2d } = tf.layers;

/** One step of training on a batch: forward, backward, Adam, and the loss read back. */
function trainingStep(model, inputShape, batch) {
  model.compile({
    optimizer: tf.train.adam(1e-3, 0.9, 0.999, 1e-8),
    loss: (targets, logits) => tf.losses.softmaxCrossEntropy(targets, logits),
  });
  const size = inputShape.reduce((product, extent) => product * extent, batch);
  const inputs = tf.tensor(uniform(size), [batch, ...inputShape]);
  const targets = tf.oneHot(tf.tensor1d(labels(batch), "int32"), 10);
  return { step: () => model.trainOnBatch(inputs, targets) };
}

export function lenet() {
  // TensorFlow.js computes convolutions on channels-last images only.
  const inputShape = [28, 28, 1];
  const model = tf.sequential({
    layers: [
      conv2d({ filters: 32, kernelSize: 3, activation: "relu", inputShape }), // [64, 26, 26, 32]
      maxPooling2d({ poolSize: 2 }), // [64, 13, 13, 32]
      conv2d({ filters: 64, kernelSize: 3, activation: "relu" }), // [64, 11, 11, 64]
      maxPooling2d({ poolSize: 2 }), // [64, 5, 5, 64]
      flatten(),
      dense({ units: 128, activation: "relu" }),
      dense({ units: 10 }),
    ],
  });
  return trainingStep(model, inputShape, 64);
}

export function mlp() {
  const model = tf.sequential({
    layers: [
      dense({ units: 512, activation: "relu", inputShape: [784] }),
      dense({ units: 512, activation: "relu" }),
      dense({ units: 10 }),
    ],
  });
  return trainingStep(model, [784], 128);
}

export function cnn() {
  const inputShape = [32, 32, 3];
  const block = (filters, options = {}) => [
    conv2d({ filters, kernelSize: 3, padding: "same", ...options }),
    batchNormalization({ momentum: 0.9, epsilon: 1e-5 }),
    activation({ activation: "relu" }),
  ];
  const model = tf.sequential({
    layers: [
      ...block(32, { inputShape }), // [64, 32, 32, 32]
      ...block(32),
      maxPooling2d({ poolSize: 2 }), // [64, 16, 16, 32]
      ...block(64), // [64, 16, 16, 64]
      ...block(64),
      maxPooling2d({ poolSize: 2 }), // [64, 8, 8, 64]
      flatten(),
      dense({ units: 128, activation: "relu" }),
      dense({ units: 10 }),
    ],
  });
  return trainingStep(model, inputShape, 64);
}
