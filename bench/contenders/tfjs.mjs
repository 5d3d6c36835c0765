// Owns the TensorFlow.js contenders: the layers models of tfjs-models.mjs on its `cpu` (plain JavaScript) and `wasm` backends.
import * as tf from "@tensorflow/tfjs";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import { contend, threads } from "./measure.mjs";
import { cnn, lenet, mlp } from "./tfjs-models.mjs";

const backend = process.argv[3] ?? "cpu";

const notes = {
  cpu: "Plain JavaScript on one thread.",
  wasm: "One thread: TensorFlow.js switches its WebAssembly threads off in Node.",
};

setThreadsCount(threads);
await tf.setBackend(backend);
await tf.ready();
await contend({
  contender: `tfjs-${backend}`,
  version: `TensorFlow.js ${tf.version.tfjs}`,
  note: notes[backend],
  steps: { "lenet-step": lenet, "mlp-step": mlp, "cnn-step": cnn },
});
