// The ONNX Runtime contender: a raw session.run of the graph that the dispatch work compiles, without Sardonyx around it.
import { createRequire } from "node:module";
import * as ort from "onnxruntime-node";
import { encodeModel, graphOf, input, ops } from "../../dist/src/index.js";
import { contend, threads } from "./measure.mjs";

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

await contend({ contender: "onnxruntime", version, steps: { dispatch } });
