// The ONNX Runtime contender: a raw session.run of small graphs, without Sardonyx around it.
import { createRequire } from "node:module";
import * as ort from "onnxruntime-node";
import { encodeModel, encodeOnnx, graphOf, input, ops } from "../../dist/src/index.js";
import { uniform } from "./data.mjs";
import { contend, threads } from "./measure.mjs";
import { predictionSteps } from "./predicted.mjs";

const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json");

async function dispatch() {
  const [a, b] = [input("float32", [4], "a"), input("float32", [4], "b")];
  const model = encodeModel(graphOf([a, b], [ops.add(a, b)]), { outputNames: ["sum"] });
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: threads });
  const feeds = {
    a: new ort.Tensor("float32", Float32Array.of(1, 2, 3, 4), [4]),
    b: new ort.Tensor("float32", Float32Array.of(5, 6, 7, 8), [4]),
  };
  return { step: async () => (await session.run(feeds)).sum.data[0], calls: 1_000 };
}

async function matmul() {
  const side = 1024;
  const [a, b] = [input("float32", [side, side], "a"), input("float32", [side, side], "b")];
  // Its sum is given out: 4 MiB of new memory in each run would cost more than the product.
  const model = encodeModel(graphOf([a, b], [ops.reduceSum(ops.matmul(a, b))]), { outputNames: ["sum"] });
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: threads });
  const matrix = (seed) => new ort.Tensor("float32", uniform(side * side, seed), [side, side]);
  const feeds = { a: matrix(1), b: matrix(2) };
  return { step: async () => (await session.run(feeds)).sum.data[0], calls: 4 };
}

/** The model as its ONNX file, whose weights are constants. */
async function prediction(model, { dtype, shape, data }) {
  const { bytes } = encodeOnnx(model, { inputs: { dtype, shape } });
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: threads });
  const feeds = { [session.inputNames[0]]: new ort.Tensor(dtype, data, shape) };
  return () => session.run(feeds);
}

await contend({
  contender: "onnxruntime",
  version,
  steps: { dispatch, matmul, ...predictionSteps(prediction) },
});
