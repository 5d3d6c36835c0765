/** One rank of scripts/measure-ranks.mjs: training steps of a network, or sums of so many bytes; rank 0 prints their medians in ms. */

import { sumAll } from "../dist/src/distributed/sums.js";
import {
  adam,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  maxPool2d,
  models,
  ops,
  sequential,
  Tensor,
  Trainer,
} from "../dist/src/index.js";
import { openRanks } from "../dist/src/node.js";

const [what, ...sizes] = process.argv.slice(2);
const communicator = await openRanks();

async function median(times, work) {
  const taken = [];
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    await work();
    taken.push(performance.now() - began);
  }
  return taken.sort((a, b) => a - b)[taken.length >> 1];
}

const whole = (shape, most) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return new Tensor(
    "int32",
    shape,
    Int32Array.from({ length: size }, (_, i) => (i * 7) % most),
  );
};
const waves = (...shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
  );
};

const lenet = () =>
  sequential([
    conv2d(32, 3, { activation: "relu" }),
    maxPool2d(2),
    conv2d(64, 3, { activation: "relu" }),
    maxPool2d(2),
    flatten(),
    dense(128, { activation: "relu" }),
    dense(10),
  ]);
/** A GPT of 4 layers, which learns so many texts of 128 tokens. */
function gpt(width, texts) {
  const sizes = { vocabulary: 1024, width, layers: 4, heads: 8, feedForward: 4 * width, positions: 128 };
  const model = models.gpt2Architectures.GPT2LMHeadModel({ sizes });
  const objective = (context, { x, y }) => {
    const scores = model.apply(x, context);
    return {
      loss: crossEntropy()(ops.reshape(scores, [y.shape[0] * y.shape[1], sizes.vocabulary]), ops.reshape(y, [-1])),
    };
  };
  return { model, batch: { x: whole([texts, 128], 1000), y: whole([texts, 128], 1000) }, objective };
}

/** Networks, each with a batch. */
const works = {
  lenet: () => ({ model: lenet(), batch: { x: waves(64, 1, 28, 28), y: whole([64], 10) }, loss: crossEntropy() }),
  resnet18: () => ({
    model: models.presetOf("resnet18").build({ classes: 10 }),
    batch: { x: waves(16, 3, 96, 96), y: whole([16], 10) },
    loss: crossEntropy(),
  }),
  gpt: () => gpt(256, 16),
};

async function stepOf(name) {
  const { model, batch, ...minimized } = works[name]();
  const compile = { threads: Number(process.env.OMP_NUM_THREADS) };
  const trainer = new Trainer(model, {
    ...minimized,
    optimizer: adam(),
    training: { communicator, compile, ...JSON.parse(process.env.TRAINING ?? "{}") },
  });
  const step = () => trainer.step(batch);
  await median(3, step);
  const taken = await median(15, step);
  await trainer.release();
  return taken;
}

/** By bytes. */
async function sums() {
  const taken = {};
  for (const bytes of sizes.map(Number)) {
    const values = new Float32Array(bytes / 4).fill(1);
    const sum = async () => {
      await communicator.gather("");
      const began = performance.now();
      await sumAll(communicator, values, "float32");
      return performance.now() - began;
    };
    const times = [];
    for (let i = 0; i < 7; i++) times.push(await sum());
    // The slowest rank says how long it took.
    const all = (await communicator.gather(JSON.stringify(times))).map((text) => JSON.parse(text));
    taken[bytes] = times.map((_, i) => Math.max(...all.map((own) => own[i]))).sort((a, b) => a - b)[times.length >> 1];
  }
  return taken;
}

const result = await (what === "sums" ? sums() : stepOf(what));
if ((communicator?.rank ?? 0) === 0) console.log(JSON.stringify(result));
await communicator?.close();
