// Times training steps on a device, and the rate of its products: node scripts/measure-device.mjs [webgpu|cuda|cpu] [WORK ...].
// scripts/measure-device.py times the same steps by PyTorch; both print a JSON line a work.
import { lenet } from "../bench/contenders/predicted.mjs";
import { adam, compile, crossEntropy, input, models, ops, Tensor, Trainer } from "../dist/src/index.js";

const [device = "webgpu", ...chosen] = process.argv.slice(2);

const size = (shape) => shape.reduce((product, extent) => product * extent, 1);
const images = (shape) => ({
  x: new Tensor(
    "float32",
    shape,
    Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(i)),
  ),
  y: new Tensor(
    "int32",
    [shape[0]],
    Int32Array.from({ length: shape[0] }, (_, i) => i % 10),
  ),
});
function texts(batch, length, vocabulary) {
  const ids = new Tensor(
    "int32",
    [batch, length],
    Int32Array.from({ length: batch * length }, (_, i) => (i * 7919) % vocabulary),
  );
  return { x: ids, y: ids };
}

const gpt2 = () =>
  models.gpt2Architectures.GPT2LMHeadModel({
    sizes: { vocabulary: 50257, width: 768, layers: 12, heads: 12, feedForward: 3072, positions: 1024 },
    details: { dropout: 0, attentionDropout: 0 },
    embeddingDropout: 0,
  });

const works = {
  lenet: () => [lenet(), images([64, 1, 28, 28])],
  "resnet18-16x96": () => [models.presetOf("resnet18").build({ classes: 10 }), images([16, 3, 96, 96])],
  "resnet50-4x224": () => [models.presetOf("resnet50").build({ classes: 10 }), images([4, 3, 224, 224])],
  "resnet50-32x224": () => [models.presetOf("resnet50").build({ classes: 10 }), images([32, 3, 224, 224])],
  "gpt2-1x512": () => [gpt2(), texts(1, 512, 50257)],
  "gpt2-8x512": () => [gpt2(), texts(8, 512, 50257)],
};

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Median milliseconds of calls, of up to `seconds`, after two that are not counted. */
async function timed(call, seconds = 6) {
  const times = [];
  for (let i = 0, spent = 0; i < 7 || (spent < seconds && i < 60); i++) {
    const began = performance.now();
    await call();
    const took = performance.now() - began;
    if (i >= 2) times.push(took);
    spent += took / 1000;
  }
  return median(times);
}

const print = (row) => console.log(JSON.stringify({ device, ...row }));

/** GFLOP/s of products of matrices n x n, ten in a row. */
async function products(n) {
  const [a, b] = ["a", "b"].map((name) => input("float32", [n, n], name));
  let c = a;
  for (let i = 0; i < 10; i++) c = ops.matmul(c, b);
  const { run, session } = await compile([a, b], [ops.reduceSum(ops.mul(c, 1e-30))], { device });
  const given = [a, b].map(() => new Tensor("float32", [n, n], new Float32Array(n * n).fill(1e-3)));
  const upload = await compile([a, b], [ops.reduceSum(ops.add(a, b))], { device });
  const [whole, alone] = [await timed(() => run(given)), await timed(() => upload.run(given))];
  await session.release();
  await upload.session.release();
  return (10 * 2 * n ** 3) / (whole - alone) / 1e6;
}

if (chosen.length === 0 || chosen.includes("products"))
  for (const n of [1024, 4096]) print({ work: `products-${n}`, gflops: Math.round(await products(n)) });
for (const [work, build] of Object.entries(works)) {
  if (chosen.length > 0 && !chosen.includes(work)) continue;
  try {
    const [model, batch] = build();
    const trainer = new Trainer(model, { loss: crossEntropy(), optimizer: adam(), training: { compile: { device } } });
    const began = performance.now();
    const { loss: first } = await trainer.step(batch);
    const seconds = (performance.now() - began) / 1000;
    const milliseconds = await timed(() => trainer.step(batch));
    const { loss } = await trainer.step(batch);
    print({ work, milliseconds, firstStepSeconds: seconds, losses: [first, loss] });
    await trainer.release();
  } catch (error) {
    print({ work, failed: String(error.message).slice(0, 500) });
  }
}
process.exit(0);
