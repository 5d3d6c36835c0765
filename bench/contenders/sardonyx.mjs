// The Sardonyx contender: every work through the public API of the built package (npm run build first).
import { readFileSync } from "node:fs";
import {
  accuracy,
  activation,
  adam,
  batchNorm,
  conv2d,
  convTranspose2d,
  crossEntropy,
  dense,
  flatten,
  jit,
  maxPool2d,
  meanSquaredError,
  models,
  ops,
  predictor,
  reshape,
  sequential,
  Tensor,
  Trainer,
  tensor,
} from "../../dist/src/index.js";
import { selectBackend } from "../../dist/src/runtime/select.js";
import { allocateArenas } from "../../dist/src/train/store/arena.js";
import { labels, parameterCount, uniform } from "./data.mjs";
import { contend, threads } from "./measure.mjs";
import { lenet, predictionSteps } from "./predicted.mjs";
import { productsOf } from "./products.mjs";
import { bertStep, generationSteps, gpt2Step, gptStep, lstmStep } from "./sardonyx-sequences.mjs";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

const mlp = () => sequential([dense(512, { activation: "relu" }), dense(512, { activation: "relu" }), dense(10)]);

const block = (filters) => [conv2d(filters, 3, { padding: 1 }), batchNorm(), activation("relu")];
const cnn = () =>
  sequential([
    ...block(32),
    ...block(32),
    maxPool2d(2),
    ...block(64),
    ...block(64),
    maxPool2d(2),
    flatten(),
    dense(128, { activation: "relu" }),
    dense(10),
  ]);

const networks = JSON.parse(readFileSync(new URL("../networks.json", import.meta.url), "utf8"));
const published = Object.fromEntries(
  Object.entries(networks).map(([work, { name, shape }]) => [
    work,
    () => training(models.presetOf(name).build({ classes: 10 }), shape),
  ]),
);

const grown = (filters) => [
  convTranspose2d(filters, 4, { stride: 2, padding: 1, bias: false }),
  batchNorm(),
  activation("relu"),
];
const generator = () =>
  sequential([
    dense(4096),
    reshape([256, 4, 4]),
    ...grown(128),
    ...grown(64),
    convTranspose2d(3, 4, { stride: 2, padding: 1 }),
    activation("tanh"),
  ]);

const size = (shape) => shape.reduce((product, extent) => product * extent, 1);

/** One training step of images from numbers, its loss read. */
function deconvolution() {
  const model = generator();
  const trainer = new Trainer(model, {
    loss: meanSquaredError(),
    optimizer: adam(),
    training: { compile: { threads } },
  });
  const drawn = (shape, key) => new Tensor("float32", shape, Float32Array.from(uniform(size(shape), key)));
  const batch = { x: drawn([32, 64], 1), y: drawn([32, 3, 32, 32], 2) };
  return { step: () => trainer.step(batch), products: () => productsOf(model, [32, 64]) };
}

/** One full training step, its loss and accuracy read. */
function training(model, shape) {
  const trainer = new Trainer(model, {
    loss: crossEntropy(),
    optimizer: adam(),
    metrics: [accuracy()],
    training: { compile: { threads } },
  });
  const batch = {
    x: new Tensor("float32", shape, Float32Array.from(uniform(size(shape)))),
    y: new Tensor("int32", [shape[0]], Int32Array.from(labels(shape[0]))),
  };
  return { step: () => trainer.step(batch), products: () => productsOf(model, shape) };
}

async function adam32m() {
  const optimizer = adam();
  const names = ["parameters", "gradients", ...optimizer.slots];
  const { loopMemories } = await selectBackend();
  const [shard] = allocateArenas([["w", { shape: [parameterCount] }]], names, { makeMemory: loopMemories(threads) });
  shard.vector("parameters").set(uniform(parameterCount, 1));
  shard.vector("gradients").set(uniform(parameterCount, 2));
  const bound = optimizer.bind(shard);
  const whole = { slots: shard.slots, start: 0, end: shard.length };
  let count = 0;
  return {
    step: () => bound.update(whole, { step: ++count, learningRate: 0.001, decayScale: 1, scale: 1 }),
    note: "A fused WebAssembly loop, whose segments all threads take.",
  };
}

function dispatch() {
  const sum = jit((a, b) => ops.add(a, b), { threads });
  const [a, b] = [tensor([1, 2, 3, 4]), tensor([5, 6, 7, 8])];
  return { step: async () => (await sum(a, b)).data[0], calls: 1_000 };
}

/** With the parameters built in, as a program that serves a model has them. */
function prediction(model, x) {
  const ask = predictor(model, { snapshot: true, compile: { threads } });
  return () => ask(x);
}

await contend({
  contender: "sardonyx",
  version,
  steps: {
    "lenet-step": () => training(lenet(), [64, 1, 28, 28]),
    "mlp-step": () => training(mlp(), [128, 784]),
    "cnn-step": () => training(cnn(), [64, 3, 32, 32]),
    ...published,
    "deconvolution-step": deconvolution,
    "lstm-step": lstmStep,
    "gpt-step": gptStep,
    "gpt2-step": gpt2Step,
    "bert-step": bertStep,
    ...generationSteps,
    ...predictionSteps(prediction),
    "adam-32m": adam32m,
    dispatch,
  },
});
