/**
 * Records outputs of small Keras models in TensorFlow.js into test/fixtures/tfjs/layers.json, with the models as it saves
 * them. Weights and inputs are computed from their names alone, as src/models/testing/fill.ts does, and not recorded.
 *
 *   npm install --prefix bench && node scripts/record-tfjs-layer-fixtures.mjs
 */
import { inputOf, plain, tf, weightOf, write } from "./tfjs-recording.mjs";

const { layers } = tf;

/** A config without what only training reads, and without what is not set. */
function essential(part) {
  if (Array.isArray(part)) return part.map(essential);
  if (typeof part !== "object" || part === null) return part;
  const kept = Object.entries(part).filter(
    ([key, value]) =>
      !/_(initializer|regularizer|constraint)$|^(keras_version|backend|unroll|implementation|stateful|seed)$/.test(
        key,
      ) &&
      value !== null &&
      value !== undefined,
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, essential(value)]));
}

/** A model as it is saved, and its outputs for inputs of given shapes; `limits` make inputs of whole numbers. */
async function record(model, limits = []) {
  for (const weight of model.weights)
    weight.write(tf.tensor(weightOf(weight.originalName, weight.shape), weight.shape));
  let artifacts;
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  const inputs = model.inputs.map(({ shape }, i) => inputOf(i, [2, ...shape.slice(1)], limits[i]));
  const given = model.predict(inputs.length === 1 ? inputs[0] : inputs);
  return {
    model: {
      format: artifacts.format,
      generatedBy: artifacts.generatedBy,
      modelTopology: essential(artifacts.modelTopology),
      weightsManifest: [
        {
          paths: ["weights.bin"],
          weights: artifacts.weightSpecs.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
        },
      ],
    },
    ...(limits.length > 0 && { limits }),
    inputs: inputs.map(({ shape }) => shape),
    outputs: [given].flat().map(plain),
  };
}

/** A model of one chain on inputs of a shape, without the batch. */
function chain(inputShape, ...own) {
  const x = tf.input({ shape: inputShape });
  return tf.model({ inputs: x, outputs: own.reduce((y, layer) => layer.apply(y), x) });
}

const image = [5, 6, 2];
const sequence = [7, 3];

/** Layers of one class under several settings, one behind the other or side by side on one input. */
const cases = {
  "dense on the channels of an image, flattened in their order": () =>
    record(
      tf.sequential({
        layers: [
          layers.conv2d({ inputShape: image, filters: 3, kernelSize: 3, activation: "relu" }),
          layers.dense({ units: 4, useBias: false }),
          layers.flatten(),
          layers.dense({ units: 3, activation: "softmax" }),
        ],
      }),
    ),
  conv1d: () => {
    const x = tf.input({ shape: sequence });
    const settings = [
      { kernelSize: 3, strides: 2, padding: "same" },
      { kernelSize: 2, dilationRate: 3, padding: "valid", activation: "tanh" },
      { kernelSize: 4, padding: "same", useBias: false },
    ];
    return record(
      tf.model({ inputs: x, outputs: settings.map((own) => layers.conv1d({ filters: 2, ...own }).apply(x)) }),
    );
  },
  conv2d: () => {
    const x = tf.input({ shape: image });
    const settings = [
      { kernelSize: 3, strides: 2, padding: "same" },
      { kernelSize: [2, 3], strides: [2, 1], padding: "valid", activation: "softmax" },
      { kernelSize: 2, dilationRate: 2, padding: "same", useBias: false, activation: "elu" },
      { kernelSize: [1, 4], strides: 3, padding: "same", activation: "relu6" },
    ];
    return record(
      tf.model({ inputs: x, outputs: settings.map((own) => layers.conv2d({ filters: 2, ...own }).apply(x)) }),
    );
  },
  conv2dTranspose: () => {
    const x = tf.input({ shape: [2, 3, 2] });
    const settings = [
      { kernelSize: 3, strides: 2, padding: "same" },
      { kernelSize: 2, strides: 3, padding: "valid", activation: "relu" },
      { kernelSize: [4, 2], strides: [1, 3], padding: "same", useBias: false },
      { kernelSize: 3, strides: 1, padding: "valid" },
    ];
    const outputs = settings.map((own) => layers.conv2dTranspose({ filters: 2, ...own }).apply(x));
    return record(tf.model({ inputs: x, outputs }));
  },
  depthwiseConv2d: () => {
    const x = tf.input({ shape: image });
    const settings = [
      { kernelSize: 3, strides: 2, padding: "same", depthMultiplier: 2 },
      { kernelSize: 2, padding: "valid", useBias: false, activation: "softmax" },
    ];
    return record(tf.model({ inputs: x, outputs: settings.map((own) => layers.depthwiseConv2d(own).apply(x)) }));
  },
  separableConv2d: () =>
    record(
      chain(
        image,
        layers.separableConv2d({
          filters: 3,
          kernelSize: 3,
          strides: 2,
          padding: "same",
          depthMultiplier: 2,
          activation: "relu",
        }),
      ),
    ),
  "pooling over windows": () => {
    const [x, y] = [tf.input({ shape: image }), tf.input({ shape: sequence })];
    const outputs = [layers.maxPooling2d, layers.averagePooling2d].flatMap((pool) => [
      pool({ poolSize: 3, strides: 2, padding: "same" }).apply(x),
      pool({ poolSize: [2, 3], padding: "valid" }).apply(x),
    ]);
    const onSequences = [layers.maxPooling1d, layers.averagePooling1d].map((pool) =>
      pool({ poolSize: 3, strides: 2, padding: "same" }).apply(y),
    );
    return record(tf.model({ inputs: [x, y], outputs: [...outputs, ...onSequences] }));
  },
  "pooling over all": () => {
    const [x, y] = [tf.input({ shape: image }), tf.input({ shape: sequence })];
    const outputs = [
      layers.globalAveragePooling2d({}).apply(x),
      layers.globalMaxPooling2d({}).apply(x),
      layers.globalAveragePooling1d({}).apply(y),
      layers.globalMaxPooling1d({}).apply(y),
    ];
    return record(tf.model({ inputs: [x, y], outputs }));
  },
  "padding, cropping and repeating": () =>
    record(
      chain(
        image,
        layers.zeroPadding2d({
          padding: [
            [1, 0],
            [2, 3],
          ],
        }),
        layers.conv2d({ filters: 2, kernelSize: 3 }),
        layers.upSampling2d({ size: [2, 1] }),
        layers.cropping2D({
          cropping: [
            [2, 1],
            [0, 3],
          ],
        }),
      ),
    ),
  batchNormalization: () =>
    record(
      chain(
        image,
        layers.conv2d({ filters: 2, kernelSize: 2 }),
        layers.batchNormalization({ scale: false }),
        layers.batchNormalization({ epsilon: 0.01, center: false }),
        layers.flatten(),
        layers.batchNormalization({}),
      ),
    ),
  layerNormalization: () =>
    record(
      chain(
        image,
        layers.conv2d({ filters: 3, kernelSize: 2 }),
        layers.layerNormalization({}),
        layers.layerNormalization({ axis: [2, 3], scale: false, epsilon: 0.1 }),
      ),
    ),
  "activations that are layers": () => {
    const x = tf.input({ shape: image });
    const y = layers.conv2d({ filters: 2, kernelSize: 3 }).apply(x);
    const outputs = [
      layers.reLU({}),
      layers.reLU({ maxValue: 0.5 }),
      layers.leakyReLU({ alpha: 0.2 }),
      layers.leakyReLU({}),
      layers.prelu({}),
      layers.prelu({ sharedAxes: [1, 2] }),
      layers.elu({}),
      layers.thresholdedReLU({ theta: 0.4 }),
      layers.softmax({ axis: -1 }),
    ].map((layer) => layer.apply(y));
    return record(tf.model({ inputs: x, outputs }));
  },
  "activations by name": () => {
    const x = tf.input({ shape: [4] });
    const names = [
      "elu",
      "hardSigmoid",
      "linear",
      "relu",
      "relu6",
      "selu",
      "sigmoid",
      "softmax",
      "softplus",
      "softsign",
      "tanh",
      "swish",
      "mish",
      "gelu",
      "gelu_new",
    ];
    const outputs = names.map((activation) =>
      layers.activation({ activation }).apply(layers.dense({ units: 4 }).apply(x)),
    );
    return record(tf.model({ inputs: x, outputs }));
  },
  "moving elements": () =>
    record(
      chain(
        [4, 3],
        layers.permute({ dims: [2, 1] }),
        layers.reshape({ targetShape: [2, 6] }),
        layers.dropout({ rate: 0.4 }),
        layers.spatialDropout1d({ rate: 0.2 }),
        layers.gaussianNoise({ stddev: 1 }),
        layers.gaussianDropout({ rate: 0.3 }),
        layers.flatten(),
        layers.dense({ units: 3 }),
        layers.repeatVector({ n: 2 }),
        layers.reshape({ targetShape: [-1, 2] }),
      ),
    ),
  merging: () => {
    const [a, b] = [tf.input({ shape: [2, 3, 2] }), tf.input({ shape: [2, 3, 2] })];
    const left = layers.conv2d({ filters: 2, kernelSize: 1 }).apply(a);
    const row = layers.globalAveragePooling2d({}).apply(a);
    const outputs = [
      layers.add().apply([left, b]),
      layers.multiply().apply([left, b, a]),
      layers.average().apply([left, b]),
      layers.maximum().apply([b, left]),
      layers.minimum().apply([b, left]),
      layers.concatenate().apply([left, b]),
      layers.concatenate({ axis: 1 }).apply([left, b]),
      layers.add().apply([left, layers.reshape({ targetShape: [1, 1, 2] }).apply(row)]),
    ];
    return record(tf.model({ inputs: [a, b], outputs }));
  },
  dot: () => {
    const [a, b, c] = [tf.input({ shape: [3] }), tf.input({ shape: [3] }), tf.input({ shape: [4, 3] })];
    const outputs = [
      layers.dot({ axes: 1 }).apply([a, b]),
      layers.dot({ axes: -1, normalize: true }).apply([a, b]),
      layers.dot({ axes: [2, 2] }).apply([c, c]),
    ];
    return record(tf.model({ inputs: [a, b, c], outputs }));
  },
  embedding: () => {
    const x = tf.input({ shape: [5] });
    const y = layers.embedding({ inputDim: 7, outputDim: 3 }).apply(x);
    return record(tf.model({ inputs: x, outputs: layers.globalAveragePooling1d({}).apply(y) }), [7]);
  },
  "recurrent layers": () => {
    const x = tf.input({ shape: sequence });
    const gated = { recurrentActivation: "sigmoid", units: 2 };
    const outputs = [
      layers.simpleRNN({ units: 2 }).apply(x),
      layers.simpleRNN({ units: 2, returnSequences: true, goBackwards: true, useBias: false }).apply(x),
      layers.gru({ ...gated, returnSequences: true }).apply(x),
      layers.lstm({ ...gated }).apply(x),
      ...layers.lstm({ ...gated, returnSequences: true, returnState: true }).apply(x),
      layers.lstm({ ...gated, goBackwards: true }).apply(x),
    ];
    return record(tf.model({ inputs: x, outputs }));
  },
  "a decoder that begins with the state of an encoder": () => {
    const [x, y] = [tf.input({ shape: sequence }), tf.input({ shape: sequence })];
    const gated = { recurrentActivation: "sigmoid", units: 2 };
    const [, h, c] = layers.lstm({ ...gated, returnState: true }).apply(x);
    const decoded = layers.lstm({ ...gated, returnSequences: true }).apply([y, h, c]);
    return record(tf.model({ inputs: [x, y], outputs: decoded }));
  },
  "recurrent layers in both directions": () => {
    const x = tf.input({ shape: sequence });
    const gated = { recurrentActivation: "sigmoid", units: 2 };
    const outputs = [
      layers.bidirectional({ layer: layers.lstm({ ...gated, returnSequences: true }), mergeMode: "concat" }).apply(x),
      layers.bidirectional({ layer: layers.gru({ ...gated }), mergeMode: "sum" }).apply(x),
      layers.bidirectional({ layer: layers.simpleRNN({ units: 2, returnSequences: true }), mergeMode: "ave" }).apply(x),
    ];
    return record(tf.model({ inputs: x, outputs }));
  },
  "layers at every step": () =>
    record(
      chain(
        [3, 4, 5, 2],
        layers.timeDistributed({ layer: layers.conv2d({ filters: 2, kernelSize: 3, activation: "relu" }) }),
        layers.timeDistributed({ layer: layers.flatten() }),
        layers.timeDistributed({ layer: layers.dense({ units: 3 }) }),
      ),
    ),
  "models within a model, and layers that are shared": () => {
    const small = tf.sequential({
      layers: [
        layers.conv2d({ inputShape: image, filters: 2, kernelSize: 3, padding: "same", activation: "relu" }),
        layers.maxPooling2d({ poolSize: 2 }),
      ],
    });
    const z = tf.input({ shape: [2, 3, 2] });
    const flat = layers.flatten().apply(z);
    const both = tf.model({
      inputs: z,
      outputs: [layers.dense({ units: 3 }).apply(flat), layers.dense({ units: 2 }).apply(flat)],
    });
    const [a, b] = [tf.input({ shape: image }), tf.input({ shape: image })];
    const shared = layers.dense({ units: 2, activation: "tanh" });
    const [p] = both.apply(small.apply(a));
    const [q, r] = both.apply(small.apply(b));
    const outputs = [shared.apply(p), shared.apply(q), r];
    return record(tf.model({ inputs: [a, b], outputs }));
  },
};

Object.assign(cases, {
  "convolutions and pooling over three axes": () => {
    const x = tf.input({ shape: [3, 4, 5, 2] });
    const outputs = [
      layers.conv3d({ filters: 3, kernelSize: 2, strides: 2, padding: "same", activation: "softmax" }),
      layers.conv3d({ filters: 2, kernelSize: [1, 2, 3], padding: "valid", useBias: false }),
      layers.conv3dTranspose({ filters: 2, kernelSize: [2, 3, 2], strides: 2, padding: "same" }),
      layers.maxPooling3d({ poolSize: 2, strides: 1, padding: "same" }),
      layers.averagePooling3d({ poolSize: [1, 2, 2], padding: "valid" }),
    ].map((layer) => layer.apply(x));
    return record(tf.model({ inputs: x, outputs }));
  },
  "recurrent layers with other activations": () => {
    const x = tf.input({ shape: sequence });
    const hard = { recurrentActivation: "hardSigmoid", units: 2 };
    const outputs = [
      layers.lstm({ ...hard, returnSequences: true }).apply(x),
      layers.gru({ ...hard, returnSequences: true, goBackwards: true }).apply(x),
      layers.lstm({ ...hard, activation: "relu" }).apply(x),
      layers.gru({ units: 2, activation: "softsign", recurrentActivation: "elu" }).apply(x),
      layers.simpleRNN({ units: 2, activation: "linear", returnSequences: true }).apply(x),
      // Those that ONNX's operators do not have.
      layers.lstm({ units: 2, activation: "selu", recurrentActivation: "swish", returnSequences: true }).apply(x),
      layers.gru({ units: 2, activation: "gelu", recurrentActivation: "hardSigmoid" }).apply(x),
      layers.simpleRNN({ units: 2, activation: "swish", goBackwards: true }).apply(x),
    ];
    return record(tf.model({ inputs: x, outputs }));
  },
  "recurrent layers around cells": () => {
    const x = tf.input({ shape: sequence });
    const gated = { recurrentActivation: "sigmoid" };
    const stack = () => [layers.lstmCell({ units: 2, ...gated }), layers.gruCell({ units: 3, ...gated })];
    const outputs = [
      layers.rnn({ cell: layers.simpleRNNCell({ units: 2 }), returnSequences: true }).apply(x),
      layers.rnn({ cell: layers.lstmCell({ units: 2, ...gated }), goBackwards: true }).apply(x),
      layers.rnn({ cell: stack() }).apply(x),
      layers.rnn({ cell: stack(), returnSequences: true }).apply(x),
    ];
    return record(tf.model({ inputs: x, outputs }));
  },
  "recurrent layers that leave masked steps out": () => {
    const [x, words] = [tf.input({ shape: sequence }), tf.input({ shape: [6] })];
    const gated = { recurrentActivation: "sigmoid", units: 2, returnSequences: true };
    // Elements below 0 become 0, so that some steps are of zeros alone.
    const steps = layers.masking({ maskValue: 0 }).apply(layers.reLU({}).apply(x));
    const embedded = layers.embedding({ inputDim: 3, outputDim: 2, maskZero: true }).apply(words);
    const outputs = [
      layers.lstm({ ...gated, returnSequences: false }).apply(steps),
      layers.gru({ ...gated }).apply(layers.dropout({ rate: 0.1 }).apply(steps)),
      layers.simpleRNN({ units: 2, activation: "selu", returnSequences: true }).apply(steps),
      layers.lstm({ ...gated }).apply(embedded),
      layers
        .lstm({ ...gated, goBackwards: true })
        .apply(layers.simpleRNN({ units: 2, returnSequences: true }).apply(embedded)),
      layers.bidirectional({ layer: layers.gru({ ...gated }), mergeMode: "concat" }).apply(embedded),
    ];
    return record(tf.model({ inputs: [x, words], outputs }), [undefined, 3]);
  },
  "convolutional recurrent layers": () => {
    const x = tf.input({ shape: [3, 4, 5, 2] });
    const outputs = [
      layers.convLstm2d({ filters: 2, kernelSize: 3, padding: "same", returnSequences: true }).apply(x),
      layers
        .convLstm2d({ filters: 2, kernelSize: [2, 3], strides: [1, 2], recurrentActivation: "sigmoid", useBias: false })
        .apply(x),
    ];
    return record(tf.model({ inputs: x, outputs }));
  },
});

const recorded = {};
for (const [name, make] of Object.entries(cases)) recorded[name] = await make();
write("layers.json", "record-tfjs-layer-fixtures.mjs", recorded);
